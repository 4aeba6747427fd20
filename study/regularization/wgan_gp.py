from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from study.methods.ranges import LogRange
from study.optim.rng import Distribution
from study.optim.tensors import Tensors
from study.regularization.base import Place
from study.regularization.input_gradient import InputGradientPenalty, off_one
from study.utils.lazy import torch


class WGANGP(InputGradientPenalty):
    """Pull the norm of the discriminator's gradient to 1 between real and generated samples.

    Each pair of a real and a generated sample is mixed with a share of its own, uniform on [0, 1].
    """

    search: ClassVar[LogRange | None] = LogRange("strength", 0.01, 100)
    name: Literal["wgan_gp"] = "wgan_gp"
    place: ClassVar[Place] = "loss"
    formula: ClassVar[str] = (
        r"\lambda\, \mathbb{E} \left(\lVert\nabla D(\hat x)\rVert_2 - 1\right)^2,\quad "
        r"\hat x = \epsilon x + (1 - \epsilon)\, G(z),\quad \epsilon \sim U(0, 1)"
    )
    source: ClassVar[str] = "@gulrajani2017, algorithm 1"

    def noise(self, sites: Mapping[str, tuple[int, ...]], parameters: Tensors) -> Mapping[str, Distribution]:
        return {"share": Distribution((sites["input"][0] // 2, 1))} if self.strength > 0 else {}

    def at(self, real: torch.Tensor, generated: torch.Tensor, noise: Tensors) -> torch.Tensor:
        return noise["share"] * real + (1 - noise["share"]) * generated

    def from_squares(self, squares: torch.Tensor) -> torch.Tensor:
        return off_one(squares)
