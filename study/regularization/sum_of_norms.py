from __future__ import annotations

from typing import ClassVar, Literal

from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Flag, NonNegative
from study.regularization.base import Place, Regularization, penalized
from study.utils.lazy import torch


class SumOfNorms(Regularization):
    """Penalty strength sum_k ||w_k||_2 in the loss, over the unsquared norms of the tensors: the tutorial's "L2" code.

    This is a group penalty with one group per tensor, biases included as printed. Its pull has the same size however
    large the weights are.
    """

    search: ClassVar[LogRange | None] = LogRange("strength", 0.0001, 0.1)
    name: Literal["sum_of_norms"] = "sum_of_norms"
    place: ClassVar[Place] = "loss"
    formula: ClassVar[str] = r"\mathcal{L} + \lambda \sum_k \lVert w_k\rVert_2"
    source: ClassVar[str] = "the tutorial's code; a group penalty as in @yuan2006"
    strength: NonNegative
    biases: Flag = True

    def penalty(self, parameters: Tensors) -> torch.Tensor:
        chosen = penalized(parameters, self.biases).values()
        return self.strength * torch.stack([torch.linalg.vector_norm(p) for p in chosen]).sum()

    def penalized_gradient(self, gradient: Tensors, parameters: Tensors) -> Tensors:
        chosen = penalized(parameters, self.biases)
        return {key: self._pulled(g, chosen[key]) if key in chosen else g for key, g in gradient.items()}

    def _pulled(self, g: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        """Return g + strength w / ||w||, and g where w = 0."""
        norm = torch.linalg.vector_norm(w)
        return torch.addcmul(g, w, torch.where(norm > 0, self.strength / norm, 0.0))
