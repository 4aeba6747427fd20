from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal

from study.clipping.base import Clipping, Part
from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import NaturalInt, Positive, Share
from study.utils.lazy import torch


class Spike(Clipping):
    """Clamp a coordinate whose square exceeds `threshold` times the average of its squares so far (from SPAM).

    sign(g) sqrt(threshold v) where g^2 > threshold v. The average v is exponential over the clipped squares, with
    weight `smoothing` on the past; it starts from 0, without bias correction. This is Adam's second moment, kept here
    so that the method works with any optimizer. The first `warm_up_steps` gradients pass unclipped. Later a coordinate
    also passes while its v is 0: it has no past to be compared with, and a clip would hold it at 0 for good.
    """

    acts_per: ClassVar[Part] = "coordinate"
    formula: ClassVar[str] = (
        r"\operatorname{sign}(g) \sqrt{\theta v} \text{ where } g^2 > \theta v,\quad "
        r"v \leftarrow \beta v + (1 - \beta) \hat g^2"
    )
    source: ClassVar[str] = "@huang2025, the spike-aware clipping of SPAM, without its optimizer and momentum reset"
    waives: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"infinity_visible": "an infinite coordinate is a large one, as in `value`; `finite` still shows it"}
    )
    search: ClassVar[LogRange | None] = LogRange("threshold", 3, 10000)
    name: Literal["spike"] = "spike"
    threshold: Positive = 5000.0
    smoothing: Share = 0.999
    warm_up_steps: NaturalInt = 20

    def initial_state(self, parameters: Tensors) -> Tensors:
        squares = {square(key): torch.zeros_like(p) for key, p in parameters.items()}
        return {**squares, "seen": next(iter(parameters.values())).new_zeros((), dtype=torch.int64)}

    def clip(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        threshold = torch.where(state["seen"] < self.warm_up_steps, torch.inf, self.threshold)
        clipped = {key: clamped(g, threshold, state[square(key)]) for key, g in gradient.items()}
        squares = {
            square(key): torch.addcmul(self.smoothing * state[square(key)], h, h, value=1 - self.smoothing)
            for key, h in clipped.items()
        }
        return clipped, {**squares, "seen": state["seen"] + 1}


def square(key: str) -> str:
    """Return the key of a tensor's average square in the state."""
    return f"square of {key}"


def clamped(g: torch.Tensor, threshold: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Clamp each coordinate to a magnitude of at most sqrt(threshold v); a coordinate whose v is 0 stays as it is."""
    limit = (threshold * torch.nn.functional.threshold(v, 0.0, torch.inf)).sqrt()  # faster than torch.where
    return torch.clamp(g, -limit, limit)
