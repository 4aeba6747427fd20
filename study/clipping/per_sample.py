from __future__ import annotations

from typing import ClassVar, Literal

from study.clipping.base import PerSample
from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Positive
from study.utils.lazy import torch

EPSILON = 1e-6  # Opacus adds it to the norm; optax does not


class PerSampleNorm(PerSample):
    """Scale each sample's gradient to a norm of at most C before the mean: mean of g_i min(1, C / (||g_i|| + 1e-6)).

    One sample moves the mean by at most C / B, whatever its label. Abadi et al. 2016, algorithm 1, without its noise;
    Opacus' flat clipping.
    """

    formula: ClassVar[str] = r"\frac1B \sum_{i=1}^B g_i \min\left(1, \frac{C}{\lVert g_i\rVert_2 + 10^{-6}}\right)"
    source: ClassVar[str] = "@abadi2016, algorithm 1, without the noise; the norms after @goodfellow2015"
    search: ClassVar[LogRange | None] = LogRange("max_norm", 0.01, 10)
    name: Literal["per_sample"] = "per_sample"
    max_norm: Positive

    def weights(self, norms: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        return dict.fromkeys(norms, bounded(whole_norms(norms), self.max_norm)), state

    def norm_bound(self, state: Tensors) -> float:
        return self.max_norm


def whole_norms(norms: Tensors) -> torch.Tensor:
    """Return the norm [B] of each sample's gradient over all tensors."""
    return torch.linalg.vector_norm(torch.stack(list(norms.values()), dim=1), dim=1)


def bounded(norms: torch.Tensor, bound: float | torch.Tensor) -> torch.Tensor:
    """Return the weights [B] that scale gradients of these norms [B] down to the bound, 1 for those below it."""
    return torch.clamp(bound / (norms + EPSILON), max=1.0)
