"""Steps of all models at once by torch: on a GPU, and if the compiled program is unavailable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.func import vmap

from study.optim.rng import Noise
from study.optim.tensors import global_norm, tensor_norms
from study.training.graph import traced
from study.training.update import State, Update


@dataclass(eq=False)
class Stacked:
    """Step of one model, mapped over stacked replicates and traced once, at its first batch."""

    update: Callable[..., Any]
    graph: Callable[..., Any] | None = None

    @torch.no_grad()
    def step(
        self, state: State, x: Tensor, targets: Tensor, noise: Noise, rate: Tensor
    ) -> tuple[State, Mapping[str, Tensor]]:
        """Return the state [R, ...] after a step on x [R, B, P], targets [R, B, K] at rates [R], and measurements."""
        inputs = (state, x, targets, noise, rate)
        if self.graph is None:
            self.graph = traced(self.update, inputs)
        return self.graph(*inputs)


@dataclass(eq=False)
class StackedByTorch(Stacked):
    """Step with an optimizer of torch, which changes the parameters of the state in place."""

    optimizer: torch.optim.Optimizer | None = None

    @torch.no_grad()
    def step(
        self, state: State, x: Tensor, targets: Tensor, noise: Noise, rate: Tensor
    ) -> tuple[State, Mapping[str, Tensor]]:
        assert self.optimizer is not None
        assert isinstance(self.update, Update)
        chain, old = self.update.chain, {key: p.detach().clone() for key, p in state.parameters.items()}
        inputs = (old, state.memory, x, targets, noise)
        if self.graph is None:
            self.graph = traced(self.update.gradient_step, inputs)
        direction, memory, measured = self.graph(*inputs)
        for key, gradient in direction.product().items():
            state.parameters[key].grad = gradient
        for group in self.optimizer.param_groups:
            group["lr"] = float(rate[0])
        self.optimizer.step()
        new, memory = vmap(chain.after_update)(dict(state.parameters), memory, rate)
        for key, p in state.parameters.items():
            p.copy_(new[key])
        if self.update.every_step:
            moved = {key: p.detach() - old[key] for key, p in state.parameters.items()}
            sizes = (vmap(lambda t: global_norm(tensor_norms(t)))(t) for t in (dict(state.parameters), moved))
            measured = {**measured, "rate": rate, **dict(zip(("weights", "moved"), sizes, strict=True))}
        return State(state.parameters, state.optimizer, memory), measured
