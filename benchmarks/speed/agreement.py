"""Whether the ways compute the same: from the same weights and batches, the weights they reach."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import torch
from torch.func import functional_call
from torch.nn import functional as F

from benchmarks.speed.clock import Way
from benchmarks.speed.task import Task
from study.gradients import Tensors

TOLERANCE = 1e-4  # of the distance gone; a step more or less is 1 in as many as were taken


def disagreement(found: Tensors, reference: Tensors, initial: Tensors) -> float:
    """The largest distance from the reference, in distances that the reference has gone, over tensors and models."""
    apart = [
        (found[key] - p).flatten(1).norm(dim=1) / (p - initial[key][: len(p)]).flatten(1).norm(dim=1)
        for key, p in reference.items()
    ]
    return float(torch.cat(apart).max())


def loss_of(task: Task, weights: Tensors) -> float:
    """The mean loss of the first seed's model on its digits of the turn."""
    images, rows, labels = task.epoch
    logits = functional_call(task.module(), {key: p[0] for key, p in weights.items()}, (images[rows[0].flatten()],))
    return float(F.cross_entropy(logits, labels[0].flatten()))


def reached(way: Way, task: Task) -> Tensors:
    """The weights after a turn."""
    running = way.start(task)
    running.turn()
    weights = running.parameters()
    assert weights is not None
    return dict(weights)


def check(task: Task, reference: Way, others: Sequence[Way]) -> dict[str, dict[str, float]]:
    """Loss and disagreement of each way after a turn; ends the program where one is not the training of the others."""
    initial, aim = task.stacked(), reached(reference, task)
    found = {reference.name: {"loss": loss_of(task, aim), "disagreement": 0.0}}
    for way in others:
        weights = reached(way, task)
        shared = {key: p[: min(len(p), len(weights[key]))] for key, p in aim.items()}
        weights = {key: p[: len(shared[key])] for key, p in weights.items()}
        found[way.name] = {"loss": loss_of(task, weights), "disagreement": disagreement(weights, shared, initial)}
    apart = [name for name, each in found.items() if not each["disagreement"] < TOLERANCE]
    if apart:
        sys.exit(f"These ways do not train as '{reference.name}' does: {found}")
    return found
