from __future__ import annotations

from typing import ClassVar, Literal

from study.clipping.base import Clipping, Part
from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Flag, Positive
from study.utils.lazy import torch


class AdaptiveUnit(Clipping):
    """Clip the gradient of each output unit to a norm of at most `ratio` times the norm of the unit's weights (AGC).

    g_i min(1, ratio max(||w_i||, floor) / ||g_i||). A unit is a row of a weight matrix (its incoming weights); a bias
    vector counts as one unit. Brock, De, Smith, Simonyan 2021, eq. 3; optax adaptive_grad_clip, timm
    adaptive_clip_grad.
    """

    acts_per: ClassVar[Part] = "unit"
    formula: ClassVar[str] = (
        r"g_i \min\left(1, \lambda \frac{\max(\lVert w_i\rVert_2, \varepsilon)}{\lVert g_i\rVert_2}\right)"
    )
    source: ClassVar[str] = "@brock2021, equation 3"
    search: ClassVar[LogRange | None] = LogRange("ratio", 0.001, 1)
    name: Literal["adaptive_unit"] = "adaptive_unit"
    ratio: Positive
    floor: Positive = 1e-3
    skip_last: Flag = False

    def clip(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        exempt = set(last_layer(gradient)) if self.skip_last else set()
        return {key: g if key in exempt else self._cap(g, parameters[key]) for key, g in gradient.items()}, state

    def _cap(self, g: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        limit = self.ratio * unit_norm(w).clamp(min=self.floor)
        size = unit_norm(g)
        return g * torch.where(size > limit, limit / size.clamp(min=1e-6), 1.0)


def unit_norm(tensor: torch.Tensor) -> torch.Tensor:
    """Return the norm of each output unit, in a shape that broadcasts to the tensor; a vector or scalar is one unit."""
    dims = tuple(range(1, tensor.ndim)) if tensor.ndim > 1 else tuple(range(tensor.ndim))
    return torch.linalg.vector_norm(tensor, dim=dims, keepdim=True)


def last_layer(tensors: Tensors) -> list[str]:
    """Return the names of the parameters of the last module."""
    last = list(tensors)[-1].rpartition(".")[0]
    return [key for key in tensors if key.rpartition(".")[0] == last]
