from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from study.methods.ranges import LogRange
from study.optim.rng import Distribution, Normal
from study.optim.tensors import Tensors
from study.parameters import NonNegative
from study.regularization.base import Place
from study.regularization.input_gradient import InputGradientPenalty, off_one
from study.utils.lazy import torch


class DRAGAN(InputGradientPenalty):
    """Pull the norm of the discriminator's gradient to 1 around real samples.

    `std` is the standard deviation of the noise on each normalised pixel, drawn anew at each step.
    """

    search: ClassVar[LogRange | None] = LogRange("strength", 0.01, 100)
    name: Literal["dragan"] = "dragan"
    place: ClassVar[Place] = "loss"
    formula: ClassVar[str] = (
        r"\lambda\, \mathbb{E} \left(\lVert\nabla D(x + \delta)\rVert_2 - 1\right)^2,\quad \delta \sim N(0, \sigma^2 I)"
    )
    source: ClassVar[str] = "@kodali2017, section 2.3"
    std: NonNegative = 0.5

    def noise(self, sites: Mapping[str, tuple[int, ...]], parameters: Tensors) -> Mapping[str, Distribution]:
        rows, *rest = sites["input"]
        return {"around": Normal((rows // 2, *rest))} if self.strength > 0 else {}

    def at(self, real: torch.Tensor, generated: torch.Tensor, noise: Tensors) -> torch.Tensor:
        return real + self.std * noise["around"]

    def from_squares(self, squares: torch.Tensor) -> torch.Tensor:
        return off_one(squares)
