from __future__ import annotations

from typing import ClassVar, Literal

from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Flag, NonNegative
from study.regularization.base import Place, Regularization, add_scaled, penalized
from study.utils.lazy import torch


class L2(Regularization):
    """Penalty strength/2 ||w||_2^2 in the loss; weights only, unless biases are asked for.

    Its gradient is clipped together with the data's, which sets it apart from weight decay.
    """

    search: ClassVar[LogRange | None] = LogRange("strength", 1e-5, 0.1)
    name: Literal["l2"] = "l2"
    place: ClassVar[Place] = "loss"
    formula: ClassVar[str] = r"\mathcal{L} + \frac{\lambda}{2} \lVert w\rVert_2^2"
    source: ClassVar[str] = "@krogh1991"
    strength: NonNegative
    biases: Flag = False

    def penalty(self, parameters: Tensors) -> torch.Tensor:
        chosen = penalized(parameters, self.biases).values()
        return self.strength / 2 * torch.stack([p.square().sum() for p in chosen]).sum()

    def penalized_gradient(self, gradient: Tensors, parameters: Tensors) -> Tensors:
        return add_scaled(gradient, penalized(parameters, self.biases), self.strength)
