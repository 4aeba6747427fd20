from __future__ import annotations

from typing import ClassVar, Literal

from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import NonNegative
from study.regularization.base import Objective, Place, Regularization
from study.utils.lazy import torch


class GradientPenalty(Regularization):
    """Penalty strength ||g||_2^2 in the loss, where g is the gradient of the data loss in all parameters.

    Its own gradient is 2 strength H g, where H is the Hessian of the data loss: a second backward pass through the
    first. Other penalties do not count in g.
    """

    search: ClassVar[LogRange | None] = LogRange("strength", 0.001, 1)
    name: Literal["gradient_penalty"] = "gradient_penalty"
    place: ClassVar[Place] = "loss"
    formula: ClassVar[str] = r"\mathcal{L} + \lambda \lVert\nabla_w \mathcal{L}\rVert_2^2"
    source: ClassVar[str] = "@barrett2021, the explicit gradient regularization"
    strength: NonNegative

    def data_penalty(self, parameters: Tensors, objective: Objective, noise: Tensors) -> torch.Tensor:
        if self.strength == 0:
            return objective.x.new_zeros(())
        slopes = torch.func.grad(objective.loss)(parameters).values()
        return self.strength * torch.stack([g.square().sum() for g in slopes]).sum()
