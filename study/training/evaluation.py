"""Loss and accuracy of replicates in evaluation mode: no dropout, no penalty, cross-entropy whatever was trained on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from study.optim.tensors import Tensors

CHUNK = 1_000


@dataclass(frozen=True)
class Score:
    """Mean cross-entropy in nats and share of labels met; both NaN where an output is not finite."""

    loss: float
    accuracy: float


def replicates_of(parameters: Tensors) -> Iterator[Tensors]:
    """The parameters of one model after the other, from stacked ones [R, ...]."""
    count = next(iter(parameters.values())).shape[0]
    return ({key: p[r] for key, p in parameters.items()} for r in range(count))


@torch.no_grad()
def score(module: nn.Module, parameters: Tensors, images: Tensor, labels: Tensor, rows: Tensor | None = None) -> Score:
    """Score of one model on images [M, P], or on some `rows` [N] of them, with labels [N].

    One model at a time, in chunks of a fixed size: so a result does not depend on which models are scored together.
    """
    loss, right, device = 0.0, 0, images.device
    chunks = images.split(CHUNK) if rows is None else (images.index_select(0, r) for r in rows.to(device).split(CHUNK))
    for x, y in zip(chunks, labels.to(device).split(CHUNK), strict=True):
        logits = functional_call(module, parameters, (x,))
        loss += float(F.cross_entropy(logits, y, reduction="sum"))
        right += int((logits.argmax(1) == y).sum())
    finite = loss == loss and abs(loss) != float("inf")
    return Score(loss / len(labels), right / len(labels)) if finite else Score(float("nan"), float("nan"))


def scores(module: nn.Module, parameters: Tensors, sets: Iterable[tuple[Tensor, ...]]) -> list[Score]:
    """The score of each replicate on its own set: images, labels and, where only some are meant, rows."""
    return [score(module, one, *given) for one, given in zip(replicates_of(parameters), sets, strict=True)]
