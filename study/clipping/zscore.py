from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal

from study.clipping.base import Rescaling
from study.methods.ranges import LogRange
from study.optim.tensors import Tensors, norm
from study.parameters import Positive, PositiveInt, Share
from study.utils.lazy import torch

EPSILON = 1e-6  # the published implementation adds it in both divisions


class ZScore(Rescaling):
    """Scale the gradient down to near the mean of the recent norms where its norm is an outlier among them (ZClip).

    With z = (||g|| - mu) / sigma above z*, the norm becomes mu + z*^2 sigma / z: the farther out it is, the nearer the
    result is to the mean. mu and sigma^2 are exponential averages of the clipped norms, with weight `smoothing` on the
    past. The first `warm_up_steps` gradients pass unclipped; the averages start from the mean and variance of their
    norms.
    """

    formula: ClassVar[str] = (
        r"g \frac{\mu + z_*^2 \sigma / z}{\lVert g\rVert_2} \text{ where } "
        r"z = \frac{\lVert g\rVert_2 - \mu}{\sigma} > z_*"
    )
    source: ClassVar[str] = "@kumar2025, ZClip with its adaptive threshold"
    waives: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"bound_met": "by design it overshoots: the larger a spike, the farther below the bound it comes out"}
    )
    search: ClassVar[LogRange | None] = LogRange("z_threshold", 0.3, 10)
    name: Literal["zscore"] = "zscore"
    z_threshold: Positive = 2.5
    smoothing: Share = 0.97
    warm_up_steps: PositiveInt = 25

    def initial_state(self, parameters: Tensors) -> Tensors:
        zero = next(iter(parameters.values())).new_zeros(())
        return {"mean": zero, "variance": zero, "seen": zero.to(torch.int64)}

    def coefficients(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        size, deviation = norm(gradient), state["variance"].sqrt()
        z = (size - state["mean"]) / (deviation + EPSILON)
        fires = (z > self.z_threshold) & (state["seen"] >= self.warm_up_steps)
        limit = state["mean"] + self.z_threshold**2 * deviation / z
        scale = torch.where(fires, limit / (size + EPSILON), 1.0)
        return dict.fromkeys(gradient, scale), self._averaged(torch.where(fires, limit, size), state)

    def _averaged(self, size: torch.Tensor, state: Tensors) -> Tensors:
        """Return the mean and variance of the norms: plain ones in the warm-up, exponential averages afterwards."""
        mean, variance, count = state["mean"], state["variance"], state["seen"] + 1
        warm = count <= self.warm_up_steps
        rate = torch.where(warm, 1.0 / count.to(size.dtype), 1 - self.smoothing)
        new = mean + rate * (size - mean)
        square = (size - new) * torch.where(warm, size - mean, size - new)
        return {"mean": new, "variance": variance + rate * (square - variance), "seen": count}
