from __future__ import annotations

from typing import ClassVar, Literal

from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.regularization.base import Place
from study.regularization.input_gradient import InputGradientPenalty
from study.utils.lazy import torch


class R1(InputGradientPenalty):
    """Penalize the discriminator's gradient at real samples: strength / 2 times the mean of its squared norm.

    D is the logit and x normalised pixels, so the penalty depends on the units of x. With it, gradient descent on both
    players converges near the equilibrium, where without it it circles.
    """

    search: ClassVar[LogRange | None] = LogRange("strength", 0.001, 100)
    name: Literal["r1"] = "r1"
    place: ClassVar[Place] = "loss"
    formula: ClassVar[str] = r"\frac{\gamma}{2}\, \mathbb{E}_{x \sim \text{data}} \lVert\nabla_x D(x)\rVert_2^2"
    source: ClassVar[str] = "@mescheder2018, equation 9"

    def at(self, real: torch.Tensor, generated: torch.Tensor, noise: Tensors) -> torch.Tensor:
        return real
