from __future__ import annotations

from typing import ClassVar, Literal

from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.regularization.base import Place
from study.regularization.input_gradient import InputGradientPenalty
from study.utils.lazy import torch


class R2(InputGradientPenalty):
    """Penalize the discriminator's gradient at generated samples: strength / 2 times the mean of its squared norm.

    The samples are those of the step, taken as fixed: the generator does not learn from the penalty.
    """

    search: ClassVar[LogRange | None] = LogRange("strength", 0.001, 100)
    name: Literal["r2"] = "r2"
    place: ClassVar[Place] = "loss"
    formula: ClassVar[str] = r"\frac{\gamma}{2}\, \mathbb{E}_{x \sim G} \lVert\nabla_x D(x)\rVert_2^2"
    source: ClassVar[str] = "@mescheder2018, equation 10"

    def at(self, real: torch.Tensor, generated: torch.Tensor, noise: Tensors) -> torch.Tensor:
        return generated
