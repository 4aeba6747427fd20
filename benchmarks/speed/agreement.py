"""Whether the ways compute the same: from the same weights and batches, the weights they reach."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

import torch
from torch.func import functional_call
from torch.nn import functional as F

from benchmarks.speed.clock import Way
from benchmarks.speed.engine_ways import BY_SAMPLE, ENGINE, PLAIN_ENGINE
from benchmarks.speed.other_ways import JAX, SCIKIT_LEARN_IN_ORDER
from benchmarks.speed.task import PER_SAMPLE, Task
from benchmarks.speed.torch_ways import ENSEMBLE, IN_MEMORY, STOCK, UNCLIPPED
from study.optim.tensors import Tensors

TOLERANCE = 1e-4  # of the distance gone; a step more or less is 1 in as many as were taken
LEAST = 1e-3  # the bias of attention's keys has a gradient of nothing but rounding
STEPS = 20
# what is trained: the task, the way that is right by definition, those that have to do the same
CHECKS: Mapping[str, tuple[Task, Way, Sequence[Way]]] = {
    "mlp": (Task(3, steps=STEPS), IN_MEMORY, (ENGINE, PLAIN_ENGINE, STOCK, ENSEMBLE, JAX)),
    "mlp, no clip": (Task(1, steps=STEPS), UNCLIPPED, (SCIKIT_LEARN_IN_ORDER,)),
    "lenet": (Task(2, steps=STEPS, model={"name": "lenet"}), IN_MEMORY, (ENGINE,)),
    "row_rnn": (Task(2, steps=STEPS, model={"name": "row_rnn"}), IN_MEMORY, (ENGINE,)),
    "per_sample": (Task(2, steps=STEPS, clip=PER_SAMPLE), ENGINE, (BY_SAMPLE,)),
}


def all_checked(report: Callable[[str], None]) -> dict[str, dict[str, dict[str, float]]]:
    """The findings of every check; ends the program where a way does not train as the others do."""
    report("do the ways compute the same?")
    return {name: checked(*check) for name, check in CHECKS.items()}


def checked(task: Task, reference: Way, others: Sequence[Way]) -> dict[str, dict[str, float]]:
    """The loss after a turn and the disagreement of each way, over the models that both it and the reference train."""
    initial, aim = task.stacked(), reached(reference, task)
    found = {reference.name: {"loss": loss_of(task, aim), "disagreement": 0.0}}
    for way in others:
        weights = reached(way, task)
        found[way.name] = {"loss": loss_of(task, weights), "disagreement": disagreement(weights, aim, initial)}
    apart = [name for name, each in found.items() if not each["disagreement"] < TOLERANCE]
    if apart:
        sys.exit(f"{' and '.join(apart)}: not the training of '{reference.name}'. Found {found}")
    return found


def disagreement(found: Tensors, aim: Tensors, initial: Tensors) -> float:
    """The largest distance between two ways, in distances that the second has gone, over tensors and models.

    A tensor that has gone less than `LEAST` of the farthest one's way counts as if it had gone that far.
    """
    both = min(len(next(iter(found.values()))), len(next(iter(aim.values()))))
    gone = torch.stack([(p[:both] - initial[key][:both]).flatten(1).norm(dim=1) for key, p in aim.items()])
    apart = torch.stack([(found[key][:both] - p[:both]).flatten(1).norm(dim=1) for key, p in aim.items()])
    return float((apart / gone.maximum(LEAST * gone.amax(0))).max())


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
    return {key: p.detach().clone() for key, p in weights.items()}
