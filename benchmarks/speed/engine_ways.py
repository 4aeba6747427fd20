"""This engine, and the products alone that no way of training can do without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call, grad_and_value, vmap

from benchmarks.speed.clock import Way
from benchmarks.speed.task import MAX_NORM, Task
from study.optim.tensors import Tensors
from study.training.batches import Batches
from study.training.engine import Replicates
from study.training.recorder import Recorder
from study.training.stacked import Stacked
from study.training.step import Chain
from study.training.update import State


@dataclass(eq=False)
class Engine:
    """Epochs as `study.replicates.train` takes them."""

    replicates: Replicates
    batches: Batches
    recorder: Recorder

    @classmethod
    def start(cls, task: Task, every_step: bool) -> Engine:
        variant, batches = task.variant(every_step=every_step), task.prepare()
        replicates = Replicates.start(variant, range(task.seeds), batches)
        return cls(replicates, batches, Recorder.open(variant, task.seeds, replicates.parameters))

    def turn(self) -> None:
        self.replicates.epoch(self.batches, self.recorder)

    def parameters(self) -> Tensors:
        return {key: p.detach() for key, p in self.replicates.parameters.items()}


@dataclass(eq=False)
class Products:
    """The matrix products of a step of the perceptron 784-128-10, stacked over R models, their results overwritten."""

    task: Task

    def __post_init__(self) -> None:
        R, B = self.task.seeds, self.task.batch
        self.x, self.h, self.slope = torch.rand(R, B, 784), torch.rand(R, B, 128), torch.rand(R, B, 10)
        self.w1, self.w2 = torch.rand(R, 128, 784), torch.rand(R, 10, 128)
        self.z1, self.z2, self.slope1 = (torch.empty(R, B, width) for width in (128, 10, 128))
        self.g1, self.g2 = torch.empty(R, 128, 784), torch.empty(R, 10, 128)

    def turn(self) -> None:
        for _ in range(self.task.steps):
            torch.bmm(self.x, self.w1.mT, out=self.z1)
            torch.bmm(self.h, self.w2.mT, out=self.z2)
            torch.bmm(self.slope, self.w2, out=self.slope1)
            torch.bmm(self.slope.mT, self.h, out=self.g2)
            torch.bmm(self.slope1.mT, self.x, out=self.g1)

    def parameters(self) -> None:
        """Nothing is learned."""


def with_statistics(task: Task) -> Engine:
    return Engine.start(task, True)


def without_statistics(task: Task) -> Engine:
    return Engine.start(task, False)


def by_gradients_of_samples(task: Task) -> Engine:
    """The clip by sample done the plain way: a gradient of every sample, each as large as the model; by torch."""
    engine = without_statistics(task)
    engine.replicates.way = Stacked(sample_step(engine.replicates.update.chain))
    return engine


def sample_step(chain: Chain) -> Callable[..., tuple[Any, ...]]:
    """A step of one model for the engine, with `vmap(grad)` over the samples in it."""

    def sample_loss(parameters: Tensors, x: Tensor, target: Tensor) -> Tensor:
        return chain.variant.loss.value(functional_call(chain.module, parameters, (x[None],)), target[None])

    def step(state: State, x: Tensor, targets: Tensor, noise: Any, lr: Tensor) -> tuple[State, Tensors]:
        per_sample = vmap(grad_and_value(sample_loss), in_dims=(None, 0, 0))
        each, losses = per_sample(state.parameters, x, targets)
        norms = torch.stack([torch.linalg.vector_norm(g.flatten(1), dim=1) for g in each.values()])
        weights = torch.clamp(MAX_NORM / (torch.linalg.vector_norm(norms, dim=0) + 1e-6), max=1.0) / len(x)
        parameters = {key: p - lr * torch.tensordot(weights, each[key], 1) for key, p in state.parameters.items()}
        return replace(state, parameters=parameters), {"loss": losses.mean()}

    return step


def traced_by_torch(task: Task) -> Engine:
    """All models together, by the graph of torch's operators that is the engine's where it cannot compile."""
    engine = with_statistics(task)
    engine.replicates.way = Stacked(engine.replicates.update)
    return engine


ENGINE = Way("this engine, statistics on", with_statistics)
PLAIN_ENGINE = Way("this engine, statistics off", without_statistics)
LIMIT = Way("matrix products alone", Products)
BY_SAMPLE = Way("vmap(grad) over the samples", by_gradients_of_samples)
TRACED = Way("this engine by torch, statistics on", traced_by_torch)
