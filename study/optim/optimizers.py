"""Optimizers with declared parameters; their rules are elementwise, so they work on stacked replicates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Protocol, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from study.methods.base import Method
from study.optim.tensors import Tensors, beside, rescaled, stacked_norms
from study.parameters import Flag, Must, NonNegative, NotBool, Positive, Share

Beta = Annotated[float, Field(ge=0, lt=1), NotBool, Must("a number from 0 to below 1", (-0.1, 1, "high"))]


class Mover(Protocol):
    """An optimizer with its state, for stacked parameters [R, ...]."""

    def step(self, gradient: Tensors, scale: Tensors, lr: float) -> None:
        """Change the parameters in place.

        scale: coefficients [R] by which each tensor of the gradient is still to be multiplied; empty for none.
        """

    @property
    def knows_move(self) -> bool:
        """True if the norm of an update is known without a copy of the previous parameters."""

    def moved(self, lr: float) -> Tensor | None:
        """Return the norm [R] of the last update if it is known, None where it is lr times the norm of the gradient."""


class Optimizer(Method):
    """A rule that turns the clipped gradient into an update."""

    family: ClassVar[str] = "optimizer"
    lr: Positive

    def start(self, parameters: Tensors) -> Mover:
        """Return the optimizer at its first step on these parameters."""
        return Torch(self.build(parameters.values()), parameters)

    def build(self, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
        """Return torch's optimizer of these parameters.

        Weight decay is a regularization and not a hidden setting of an optimizer, except in AdamW, whose name says so.
        """
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Torch:
    """An optimizer of torch with its state."""

    optimizer: torch.optim.Optimizer
    parameters: Tensors
    knows_move: bool = False

    def step(self, gradient: Tensors, scale: Tensors, lr: float) -> None:
        whole = rescaled(gradient, scale) if scale else gradient
        for key, parameter in self.parameters.items():
            parameter.grad = whole[key]
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.step()

    def moved(self, lr: float) -> Tensor | None:
        return None


@dataclass(frozen=True, eq=False)
class Descent:
    """Gradient descent with its state; velocity: v of each tensor, empty without momentum.

    torch.optim.SGD does the same, but needs the product of gradient and coefficients in memory first.
    """

    parameters: Tensors
    velocity: Tensors
    momentum: float
    nesterov: bool

    @torch.no_grad()
    def step(self, gradient: Tensors, scale: Tensors, lr: float) -> None:
        one = next(iter(gradient.values())).new_ones(1)
        for key, p in self.parameters.items():
            g = gradient[key]
            c = beside(scale.get(key, one), g)
            if not self.velocity:
                p.addcmul_(g, c, value=-lr)
                continue
            v = self.velocity[key].mul_(self.momentum).addcmul_(g, c)
            if self.nesterov:
                p.addcmul_(g, c, value=-lr).add_(v, alpha=-lr * self.momentum)
            else:
                p.add_(v, alpha=-lr)

    @property
    def knows_move(self) -> bool:
        return not self.nesterov

    def moved(self, lr: float) -> Tensor | None:
        return lr * stacked_norms(self.velocity.values()) if self.velocity else None


class SGD(Optimizer):
    """Gradient descent on batches, with momentum: w - lr v, v = momentum v + g; Nesterov's takes momentum v + g again.

    The first v is g. The learning rate is not inside v, unlike in Sutskever et al. 2013; both forms are equal as long
    as the rate is constant.
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

    def start(self, parameters: Tensors) -> Mover:
        velocity = {key: torch.zeros_like(p.detach()) for key, p in parameters.items()} if self.momentum else {}
        return Descent(parameters, velocity, self.momentum, self.nesterov)


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

    The regularization `decoupled_decay` is the same decay outside of the optimizer: there it is a factor of the study,
    can leave the biases alone and works with any optimizer. Here it belongs to the baseline.
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
