"""Optimizers of one model, parameters declared: pure functions, of which torch.optim's are the oracle."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from study.methods.base import Method
from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Flag, Must, NonNegative, NotBool, Positive, Share
from study.utils.lazy import torch

Beta = Annotated[float, Field(ge=0, lt=1), NotBool, Must("a number from 0 to below 1", (-0.1, 1, "high"))]
OptimizerState = dict[str, Tensors]  # by what is remembered, then by tensor


class Optimizer(Method):
    """A rule that turns the clipped gradient into an update.

    Written for one model, as clips are. Weight decay is a regularization and never hidden here, but in AdamW, whose
    name says so.
    """

    family: ClassVar[str] = "optimizer"
    scale_invariant: ClassVar[bool] = False  # whether its steps stay the same if all gradients are scaled alike
    lr: Positive

    def initial_state(self, parameters: Tensors) -> OptimizerState:
        """Return the state of one model before the first step."""
        return {}

    def direction(
        self, gradient: Tensors, state: OptimizerState, parameters: Tensors
    ) -> tuple[Tensors, OptimizerState]:
        """The direction u of one model's step w - lr u, and the next state; u is `gradient` itself where it is that."""
        raise NotImplementedError

    def build(self, parameters: Iterable[torch.Tensor]) -> torch.optim.Optimizer:
        """Return an optimizer of torch over stacked parameters [R, ...], in the place of `direction`.

        It is never compiled: torch takes the steps of a training with it.
        """
        raise NotImplementedError

    @property
    def by_torch(self) -> bool:
        """True if the rule is an optimizer of torch."""
        return type(self).build is not Optimizer.build


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
    search: ClassVar[LogRange | None] = LogRange("lr", 0.001, 3)
    name: Literal["sgd"] = "sgd"
    lr: Positive
    momentum: Share = 0.0
    nesterov: Flag = False

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> Self:
        if self.nesterov and not self.momentum:
            self.refuse(("momentum", "be above 0 where nesterov is true", self.momentum))
        return self

    def initial_state(self, parameters: Tensors) -> OptimizerState:
        return {"velocity": zeros_like(parameters)} if self.momentum else {}

    def direction(
        self, gradient: Tensors, state: OptimizerState, parameters: Tensors
    ) -> tuple[Tensors, OptimizerState]:
        if not self.momentum:
            return gradient, state
        velocity = {key: self.momentum * v + gradient[key] for key, v in state["velocity"].items()}
        ahead = {key: g + self.momentum * velocity[key] for key, g in gradient.items()} if self.nesterov else velocity
        return ahead, {"velocity": velocity}


class Adam(Optimizer):
    """Steps of about the learning rate: the running mean of gradients over the root of that of their squares."""

    formula: ClassVar[str] = (
        r"m \leftarrow \beta_1 m + (1 - \beta_1) g,\quad v \leftarrow \beta_2 v + (1 - \beta_2) g^2,\quad "
        r"w \leftarrow w - \eta \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}"
    )
    source: ClassVar[str] = "@kingma2015, algorithm 1; torch.optim.Adam"
    search: ClassVar[LogRange | None] = LogRange("lr", 1e-5, 0.03)
    scale_invariant: ClassVar[bool] = True
    name: Literal["adam"] = "adam"
    lr: Positive = 1e-3
    beta1: Beta = 0.9
    beta2: Beta = 0.999
    epsilon: Positive = 1e-8

    def initial_state(self, parameters: Tensors) -> OptimizerState:
        return moments(parameters)

    def direction(
        self, gradient: Tensors, state: OptimizerState, parameters: Tensors
    ) -> tuple[Tensors, OptimizerState]:
        return adam_direction(gradient, state, self.beta1, self.beta2, self.epsilon)


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
    search: ClassVar[LogRange | None] = LogRange("lr", 1e-5, 0.03)
    scale_invariant: ClassVar[bool] = True
    name: Literal["adamw"] = "adamw"
    lr: Positive = 1e-3
    beta1: Beta = 0.9
    beta2: Beta = 0.999
    epsilon: Positive = 1e-8
    weight_decay: NonNegative = 0.01

    def initial_state(self, parameters: Tensors) -> OptimizerState:
        return moments(parameters)

    def direction(
        self, gradient: Tensors, state: OptimizerState, parameters: Tensors
    ) -> tuple[Tensors, OptimizerState]:
        ahead, state = adam_direction(gradient, state, self.beta1, self.beta2, self.epsilon)
        return {key: u + self.weight_decay * parameters[key] for key, u in ahead.items()}, state


class RMSprop(Optimizer):
    """The gradient over the root of the running mean of its squares."""

    formula: ClassVar[str] = (
        r"v \leftarrow \alpha v + (1 - \alpha) g^2,\quad w \leftarrow w - \eta g / (\sqrt{v} + \epsilon)"
    )
    source: ClassVar[str] = "@tieleman2012; torch.optim.RMSprop"
    search: ClassVar[LogRange | None] = LogRange("lr", 1e-5, 0.03)
    scale_invariant: ClassVar[bool] = True
    name: Literal["rmsprop"] = "rmsprop"
    lr: Positive = 1e-3
    smoothing: Beta = 0.99
    epsilon: Positive = 1e-8

    def initial_state(self, parameters: Tensors) -> OptimizerState:
        return {"square": zeros_like(parameters)}

    def direction(
        self, gradient: Tensors, state: OptimizerState, parameters: Tensors
    ) -> tuple[Tensors, OptimizerState]:
        square = average_of_squares(gradient, state["square"], self.smoothing)
        return {key: g / (square[key].sqrt() + self.epsilon) for key, g in gradient.items()}, {"square": square}


def zeros_like(parameters: Tensors) -> Tensors:
    return {key: torch.zeros_like(p) for key, p in parameters.items()}


def moments(parameters: Tensors) -> OptimizerState:
    """Adam's running means of gradients and of squares, and the number of steps, before the first."""
    steps = next(iter(parameters.values())).new_zeros(())
    return {"mean": zeros_like(parameters), "square": zeros_like(parameters), "steps": {"taken": steps}}


def adam_direction(
    gradient: Tensors, state: OptimizerState, beta1: float, beta2: float, epsilon: float
) -> tuple[Tensors, OptimizerState]:
    """m_hat / (sqrt(v_hat) + epsilon) of each tensor, and the next moments."""
    mean = {key: torch.lerp(m, gradient[key], 1 - beta1) for key, m in state["mean"].items()}
    square = average_of_squares(gradient, state["square"], beta2)
    steps = state["steps"]["taken"] + 1
    # 1 - beta^t; the difference itself would lose its digits while t is small.
    seen1, seen2 = (-torch.expm1(steps * math.log(beta)) if beta else 1.0 for beta in (beta1, beta2))
    ahead = {key: m / seen1 / ((square[key] / seen2).sqrt() + epsilon) for key, m in mean.items()}
    return ahead, {"mean": mean, "square": square, "steps": {"taken": steps}}


def average_of_squares(gradient: Tensors, squares: Tensors, smoothing: float) -> Tensors:
    """smoothing v + (1 - smoothing) g^2 of each tensor."""
    return {key: smoothing * v + (1 - smoothing) * gradient[key].square() for key, v in squares.items()}
