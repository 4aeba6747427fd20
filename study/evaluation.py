"""Loss and accuracy of replicates in evaluation mode: no dropout, no penalty, cross-entropy whatever was trained on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from study.gradients import Tensors

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
def score(module: nn.Module, parameters: Tensors, images: Tensor, labels: Tensor) -> Score:
    """Score of one model on images [N, P] with labels [N].

    One model at a time, in chunks of a fixed size: so a result does not depend on which models are scored together.
    """
    loss, right = 0.0, 0
    for x, y in zip(images.split(CHUNK), labels.to(images.device).split(CHUNK), strict=True):
        logits = functional_call(module, parameters, (x,))
        loss += float(F.cross_entropy(logits, y, reduction="sum"))
        right += int((logits.argmax(1) == y).sum())
    finite = loss == loss and abs(loss) != float("inf")
    return Score(loss / len(images), right / len(images)) if finite else Score(float("nan"), float("nan"))


def scores(module: nn.Module, parameters: Tensors, sets: Iterable[tuple[Tensor, Tensor]]) -> list[Score]:
    """The score of each replicate on its own images and labels."""
    return [
        score(module, one, images, labels)
        for one, (images, labels) in zip(replicates_of(parameters), sets, strict=True)
    ]
