"""Optimizers of torch, parameters declared; their rules are elementwise, so they serve stacked replicates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from study.methods import Method
from study.parameters import Flag, Must, NotBool, Positive, Share

Beta = Annotated[float, Field(ge=0, lt=1), NotBool, Must("a number from 0 to below 1", (-0.1, 1, "high"))]


class Optimizer(Method):
    """A rule that turns the clipped gradient into an update."""

    family: ClassVar[str] = "optimizer"
    lr: Positive

    def build(self, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
        """torch's optimizer over the (stacked) parameters; weight decay is a regularization, never hidden here."""
        raise NotImplementedError

    def velocity(self, optimizer: torch.optim.Optimizer, parameter: Tensor) -> Tensor | None:
        """The v of the last update w - lr v, where the optimizer keeps it."""
        return None


class SGD(Optimizer):
    """w - lr v, v = momentum v + g (torch.optim.SGD; Sutskever et al. 2013 for Nesterov's)."""

    name: Literal["sgd"] = "sgd"
    lr: Positive
    momentum: Share = 0.0
    nesterov: Flag = False

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> Self:
        if self.nesterov and not self.momentum:
            self.refuse(("momentum", "be above 0 where nesterov is true", self.momentum))
        return self

    def build(self, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
        return torch.optim.SGD(parameters, lr=self.lr, momentum=self.momentum, nesterov=self.nesterov, foreach=True)

    def velocity(self, optimizer: torch.optim.Optimizer, parameter: Tensor) -> Tensor | None:
        if self.nesterov:
            return None
        return optimizer.state[parameter].get("momentum_buffer") if self.momentum else parameter.grad


class Adam(Optimizer):
    """Kingma, Ba 2015 (torch.optim.Adam)."""

    name: Literal["adam"] = "adam"
    lr: Positive = 1e-3
    beta1: Beta = 0.9
    beta2: Beta = 0.999
    epsilon: Positive = 1e-8

    def build(self, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
        return torch.optim.Adam(parameters, lr=self.lr, betas=(self.beta1, self.beta2), eps=self.epsilon, foreach=True)


class RMSprop(Optimizer):
    """Tieleman, Hinton 2012 (torch.optim.RMSprop)."""

    name: Literal["rmsprop"] = "rmsprop"
    lr: Positive = 1e-3
    smoothing: Beta = 0.99
    epsilon: Positive = 1e-8

    def build(self, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
        return torch.optim.RMSprop(parameters, lr=self.lr, alpha=self.smoothing, eps=self.epsilon, foreach=True)
