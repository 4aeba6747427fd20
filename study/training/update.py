"""Update: a whole step of one model as a pure function, with its measurements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from study.optim.optimizers import OptimizerState
from study.optim.rng import Noise
from study.optim.tensors import Tensors, global_norm, tensor_norms
from study.training.step import Chain, Direction, MethodState


@dataclass(frozen=True, eq=False)
class State:
    """State of one model from step to step; stacked [R, ...], that of R models."""

    parameters: Tensors
    optimizer: OptimizerState
    memory: MethodState


pytree.register_dataclass(State)


@dataclass(frozen=True)
class Update:
    """Step of a chain; `every_step`: whether everything is measured, or only the loss."""

    chain: Chain
    every_step: bool

    def initial_state(self, parameters: Tensors) -> State:
        """Return the state of one model before its first step."""
        optimizer = self.chain.variant.optimizer.initial_state(parameters)
        return State(parameters, optimizer, self.chain.initial_memory(parameters))

    @property
    def gradient_step(self) -> Callable[..., tuple[Direction, MethodState, Tensors]]:
        """Step up to the optimizer."""
        return self.chain.gradient_step if self.every_step else self.chain.plain_gradient_step

    def __call__(
        self, state: State, x: Tensor, targets: Tensor, noise: Noise, lr: Tensor
    ) -> tuple[State, dict[str, Tensor]]:
        """Return the state after a step of learning rate lr [] on x [B, P] and targets [B, K], and the measurements.

        Besides what `measurements.measure` finds: `rate` []; `weights` [], the norm of all parameters after the step;
        `moved` [], the norm of their change, if it is not the rate times the norm of the optimizer's input.
        """
        direction, memory, measured = self.gradient_step(state.parameters, state.memory, x, targets, noise)
        gradient = direction.product()
        after, ahead = moved_by(self.chain, state, gradient, memory, lr)
        if self.every_step:
            measured |= {"rate": lr, "weights": global_norm(tensor_norms(after.parameters))}
            if self.chain.updaters:
                moved = {key: p - state.parameters[key] for key, p in after.parameters.items()}
                measured["moved"] = global_norm(tensor_norms(moved))
            elif ahead is not gradient:
                measured["moved"] = lr * global_norm(tensor_norms(ahead))
        return after, measured


def moved_by(chain: Chain, old: State, gradient: Tensors, memory: MethodState, lr: Tensor) -> tuple[State, Tensors]:
    """Return the state after the optimizer's step along a gradient and what follows it, and the optimizer's direction.

    memory: that of the methods after the gradient.
    """
    ahead, optimizer = chain.variant.optimizer.direction(gradient, old.optimizer, old.parameters)
    parameters = {key: torch.sub(p, lr * ahead[key]) for key, p in old.parameters.items()}
    parameters, memory = chain.after_update(parameters, memory, lr)
    return State(parameters, optimizer, memory), ahead
