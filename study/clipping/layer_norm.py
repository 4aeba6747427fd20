from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from study.clipping.base import Part, Rescaling
from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Must, NotBool, Positive
from study.utils.lazy import torch

EPSILON = 1e-6  # as in the clip by the global norm; Keras adds none


class LayerNorm(Rescaling):
    """Scale each tensor of the gradient separately to a norm of at most c: g_k min(1, c / (||g_k||_p + 1e-6)).

    A tensor is a weight matrix or a bias vector, so the norm of K tensors together may reach c sqrt(K). Keras'
    `clipnorm` is the 2-norm without the 1e-6.
    """

    acts_per: ClassVar[Part] = "tensor"
    formula: ClassVar[str] = r"g_k \min\left(1, \frac{c}{\lVert g_k\rVert_p + 10^{-6}}\right)"
    source: ClassVar[str] = "Keras' `clipnorm`; per tensor what @pascanu2013, algorithm 1, does to the whole gradient"
    search: ClassVar[LogRange | None] = LogRange("max_norm", 0.003, 3)
    name: Literal["layer_norm"] = "layer_norm"
    max_norm: Positive
    order: Annotated[Literal[1, 2, "inf"], NotBool, Must("1, 2 or 'inf'", (0, 3, "two", True))] = 2

    def coefficients(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        return {key: self._scale(g) for key, g in gradient.items()}, state

    def _scale(self, g: torch.Tensor) -> torch.Tensor:
        size = torch.linalg.vector_norm(g, float(self.order))
        return torch.clamp(self.max_norm / (size + EPSILON), max=1.0)
