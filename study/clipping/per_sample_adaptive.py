from __future__ import annotations

from typing import ClassVar, Literal

from study.clipping.base import PerSample
from study.clipping.per_sample import bounded, whole_norms
from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Positive, Share
from study.utils.lazy import torch


class PerSampleAdaptive(PerSample):
    """Clip each sample's gradient to a bound that follows a quantile of the samples' norms.

    After each step C becomes C exp(-rate (u - q)), where u is the share of samples whose norm is at most C, so the
    bound settles where a share q passes unclipped. The first step is clipped to `initial_norm`. A norm that is NaN
    counts as clipped. Andrew et al. 2021, without the noise; Opacus' adaptive clipping.
    """

    formula: ClassVar[str] = (
        r"\frac1B \sum_{i=1}^B g_i \min\left(1, \frac{C_t}{\lVert g_i\rVert_2 + 10^{-6}}\right),\quad "
        r"C_{t+1} = C_t \exp\left(-\eta \left(\tfrac1B \lvert\{i : \lVert g_i\rVert_2 \le C_t\}\rvert - q\right)\right)"
    )
    source: ClassVar[str] = "@andrew2021, algorithm 1, without the noise"
    search: ClassVar[LogRange | None] = LogRange("quantile", 0.03, 0.95)
    name: Literal["per_sample_adaptive"] = "per_sample_adaptive"
    initial_norm: Positive
    quantile: Share = 0.5
    rate: Positive = 0.2

    def initial_state(self, parameters: Tensors) -> Tensors:
        return {"bound": next(iter(parameters.values())).new_full((), self.initial_norm)}

    def weights(self, norms: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        each, bound = whole_norms(norms), state["bound"]
        unclipped = (each <= bound).to(bound.dtype).mean()
        following = bound * torch.exp(-self.rate * (unclipped - self.quantile))
        return dict.fromkeys(norms, bounded(each, bound)), {"bound": following}

    def norm_bound(self, state: Tensors) -> torch.Tensor:
        return state["bound"]

    def with_noisy_count(self, state: Tensors, noise: torch.Tensor) -> Tensors:
        """Return the state that noise [] on the share u would have led to."""
        return {"bound": state["bound"] * torch.exp(-self.rate * noise)}
