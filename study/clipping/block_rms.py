from __future__ import annotations

from typing import ClassVar, Literal

from study.clipping.base import Part, Rescaling
from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Positive
from study.utils.lazy import torch


class BlockRms(Rescaling):
    """Scale each tensor of the gradient to a root mean square of at most c: g_k / max(1, rms(g_k) / c).

    This bounds the norm of a tensor of D entries by c sqrt(D). Adafactor clips its update this way, with c = 1; here
    the gradient is clipped, as in optax's `clip_by_block_rms`.
    """

    acts_per: ClassVar[Part] = "tensor"
    formula: ClassVar[str] = (
        r"\frac{g_k}{\max(1, \operatorname{rms}(g_k) / c)},\quad \operatorname{rms}(g) = \lVert g\rVert_2 / \sqrt{D}"
    )
    source: ClassVar[str] = "@shazeer2018, update clipping, there of the update; optax's `clip_by_block_rms`"
    search: ClassVar[LogRange | None] = LogRange("threshold", 1e-5, 0.1)
    name: Literal["block_rms"] = "block_rms"
    threshold: Positive

    def coefficients(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        return {key: 1.0 / torch.clamp(rms(g) / self.threshold, min=1.0) for key, g in gradient.items()}, state


def rms(tensor: torch.Tensor) -> torch.Tensor:
    """Return the root mean square of the entries, a scalar."""
    return torch.linalg.vector_norm(tensor) / tensor.numel() ** 0.5
