from __future__ import annotations

from typing import ClassVar, Literal

from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Flag, NonNegative
from study.regularization.base import Place, Regularization, add_scaled, penalized, signs
from study.utils.lazy import torch


class L1(Regularization):
    """Penalty strength ||w||_1 in the loss, by its subgradient; weights only, unless biases are asked for.

    The subgradient steps over zero: it makes weights small, never exactly zero.
    """

    search: ClassVar[LogRange | None] = LogRange("strength", 1e-6, 0.01)
    name: Literal["l1"] = "l1"
    place: ClassVar[Place] = "loss"
    formula: ClassVar[str] = r"\mathcal{L} + \lambda \lVert w\rVert_1"
    source: ClassVar[str] = "@tibshirani1996"
    strength: NonNegative
    biases: Flag = False

    def penalty(self, parameters: Tensors) -> torch.Tensor:
        chosen = penalized(parameters, self.biases).values()
        return self.strength * torch.stack([torch.linalg.vector_norm(p, 1) for p in chosen]).sum()

    def penalized_gradient(self, gradient: Tensors, parameters: Tensors) -> Tensors:
        return add_scaled(gradient, signs(penalized(parameters, self.biases)), self.strength)
