"""Evaluation of replicates: loss and accuracy without dropout or penalty; cross-entropy whatever the training loss."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from study.optim.metrics import Metric
from study.optim.tensors import Tensors

CHUNK = 1_000


UNDEFINED = float("nan")


@dataclass(frozen=True)
class Score:
    """Mean cross-entropy in nats and share of matched labels; all NaN if an output is not finite.

    right_loss, right_accuracy: the same on rightly labelled samples; memorised: the share of wrong labels that the
    model reproduces. NaN if no label, or every label, is wrong.
    """

    loss: float
    accuracy: float
    right_loss: float = UNDEFINED
    right_accuracy: float = UNDEFINED
    memorised: float = UNDEFINED
    own: tuple[tuple[str, float], ...] = ()

    @classmethod
    def without_wrong(cls, loss: float, accuracy: float) -> Score:
        """Return the score of a set without wrong labels and of no metrics of a user's: these two numbers say all."""
        return cls(loss, accuracy)


class Labelled(NamedTuple):
    """Set to be scored: images [M, P], or some `rows` [N] of them, labels [N], and which are wrong, bool [N]."""

    images: Tensor
    labels: Tensor
    rows: Tensor | None = None
    wrong: Tensor | None = None
    metrics: tuple[Metric, ...] = ()


def replicates_of(parameters: Tensors) -> Iterator[Tensors]:
    """Yield the parameters of one model after the other, from stacked ones [R, ...]."""
    count = next(iter(parameters.values())).shape[0]
    return ({key: p[r] for key, p in parameters.items()} for r in range(count))


@torch.no_grad()
def score(module: nn.Module, parameters: Tensors, given: Labelled) -> Score:
    """Return the score of one model on a set.

    Models are scored one at a time, in chunks of a fixed size, so that a result does not depend on the other models.
    """
    loss, met, losses, device = 0.0, list[Tensor](), list[Tensor](), given.images.device
    kept = list[Tensor]()
    wrong = given.wrong.cpu() if given.wrong is not None and bool(given.wrong.any()) else None
    for x, y in zip(_chunks(given), given.labels.to(device).split(CHUNK), strict=True):
        logits = functional_call(module, parameters, (x,))
        loss += float(F.cross_entropy(logits, y, reduction="sum"))
        met.append(logits.argmax(1) == y)
        if given.metrics:
            kept.append(logits)
        if wrong is not None:
            losses.append(F.cross_entropy(logits, y, reduction="none"))
    if loss != loss or abs(loss) == float("inf"):
        return Score(UNDEFINED, UNDEFINED)
    hits = torch.cat(met).cpu()
    own = tuple((one.name, float(one.value(torch.cat(kept).cpu(), given.labels.cpu()))) for one in given.metrics)
    whole = Score(loss / len(hits), int(hits.sum()) / len(hits), own=own)
    return whole if wrong is None else _apart(whole, hits, torch.cat(losses).cpu(), wrong)


def _chunks(given: Labelled) -> Iterable[Tensor]:
    if given.rows is None:
        return given.images.split(CHUNK)
    return (given.images.index_select(0, rows) for rows in given.rows.to(given.images.device).split(CHUNK))


def _apart(whole: Score, hits: Tensor, losses: Tensor, wrong: Tensor) -> Score:
    """Return the score split into rightly and wrongly labelled samples."""
    parts = (losses[~wrong], hits[~wrong], hits[wrong])
    right_loss, right_accuracy, memorised = (float(part.double().mean()) for part in parts)
    return Score(whole.loss, whole.accuracy, right_loss, right_accuracy, memorised, whole.own)


def scores(score: Callable[[Tensors, Labelled], Score], parameters: Tensors, sets: Iterable[Labelled]) -> list[Score]:
    """Return the score of each replicate on its own set."""
    return [score(one, given) for one, given in zip(replicates_of(parameters), sets, strict=True)]
