"""Optimizers of torch, parameters declared; their rules are elementwise, so they serve stacked replicates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from study.methods import Method
from study.parameters import Flag, Must, NonNegative, NotBool, Positive, Share

Beta = Annotated[float, Field(ge=0, lt=1), NotBool, Must("a number from 0 to below 1", (-0.1, 1, "high"))]


class Optimizer(Method):
    """A rule that turns the clipped gradient into an update."""

    family: ClassVar[str] = "optimizer"
    lr: Positive

    def build(self, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
        """torch's optimizer over the (stacked) parameters.

        Weight decay is a regularization and never hidden here, but in AdamW, whose name says so.
        """
        raise NotImplementedError

    def velocity(self, optimizer: torch.optim.Optimizer, parameter: Tensor) -> Tensor | None:
        """The v of the last update w - lr v, where the optimizer keeps it as it is."""
        return None


class SGD(Optimizer):
    """Gradient descent on batches, with momentum: w - lr v, v = momentum v + g; Nesterov's takes momentum v + g again.

    The first v is g. The learning rate is not inside v, as it is in Sutskever et al. 2013: the two are the same as long
    as it does not change.
    """

    formula: ClassVar[str] = (
        r"v \leftarrow m v + g,\quad w \leftarrow w - \eta v\quad "
        r"\text{(Nesterov: } w \leftarrow w - \eta (g + m v)\text{)}"
    )
    source: ClassVar[str] = "@polyak1964; @sutskever2013 for Nesterov's; torch.optim.SGD"
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
    """Steps of about the learning rate: the running mean of gradients over the root of that of their squares."""

    formula: ClassVar[str] = (
        r"m \leftarrow \beta_1 m + (1 - \beta_1) g,\quad v \leftarrow \beta_2 v + (1 - \beta_2) g^2,\quad "
        r"w \leftarrow w - \eta \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}"
    )
    source: ClassVar[str] = "@kingma2015, algorithm 1; torch.optim.Adam"
    name: Literal["adam"] = "adam"
    lr: Positive = 1e-3
    beta1: Beta = 0.9
    beta2: Beta = 0.999
    epsilon: Positive = 1e-8

    def build(self, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
        return torch.optim.Adam(parameters, lr=self.lr, betas=(self.beta1, self.beta2), eps=self.epsilon, foreach=True)


class AdamW(Optimizer):
    """Adam with weights and biases shrunk by lr times `weight_decay` at each step, apart from the gradient.

    The regularization `decoupled_decay` is the same decay kept apart from the optimizer: there it is one of the
    study's factors, can spare the biases and goes with any optimizer. Here it belongs to the baseline.
    """

    formula: ClassVar[str] = (
        r"w \leftarrow (1 - \eta \lambda) w - \eta \frac{\hat m}{\sqrt{\hat v} + \epsilon}\quad "
        r"\text{with Adam's } \hat m, \hat v"
    )
    source: ClassVar[str] = "@loshchilov2019, algorithm 2; torch.optim.AdamW"
    name: Literal["adamw"] = "adamw"
    lr: Positive = 1e-3
    beta1: Beta = 0.9
    beta2: Beta = 0.999
    epsilon: Positive = 1e-8
    weight_decay: NonNegative = 0.01

    def build(self, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
        betas = (self.beta1, self.beta2)
        return torch.optim.AdamW(
            parameters, lr=self.lr, betas=betas, eps=self.epsilon, weight_decay=self.weight_decay, foreach=True
        )


class RMSprop(Optimizer):
    """The gradient over the root of the running mean of its squares."""

    formula: ClassVar[str] = (
        r"v \leftarrow \alpha v + (1 - \alpha) g^2,\quad w \leftarrow w - \eta g / (\sqrt{v} + \epsilon)"
    )
    source: ClassVar[str] = "@tieleman2012; torch.optim.RMSprop"
    name: Literal["rmsprop"] = "rmsprop"
    lr: Positive = 1e-3
    smoothing: Beta = 0.99
    epsilon: Positive = 1e-8

    def build(self, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
        return torch.optim.RMSprop(parameters, lr=self.lr, alpha=self.smoothing, eps=self.epsilon, foreach=True)
