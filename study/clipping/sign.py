from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal

from study.clipping.base import Clipping, Part
from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Positive
from study.utils.lazy import torch


class Sign(Clipping):
    """Replace each coordinate by `magnitude` times its sign, and 0 by 0.

    The clip by value, divided by its bound, becomes this method when every coordinate is clipped (bound -> 0). Small
    coordinates are enlarged too. With plain SGD this is signSGD.
    """

    acts_per: ClassVar[Part] = "coordinate"
    formula: ClassVar[str] = r"m \operatorname{sign}(g)"
    source: ClassVar[str] = "@bernstein2018, signSGD"
    waives: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"unchanged_below": "a coordinate smaller than `magnitude` is enlarged to it"}
    )
    search: ClassVar[LogRange | None] = LogRange("magnitude", 0.0001, 1)
    name: Literal["sign"] = "sign"
    magnitude: Positive = 1.0

    def clip(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        return {key: self._signed(g) for key, g in gradient.items()}, state

    def _signed(self, g: torch.Tensor) -> torch.Tensor:
        # torch.sign makes 0 of a NaN and 1 of an infinity; 0 times the gradient keeps both visible.
        return torch.add(0.0 * g, torch.sign(g), alpha=self.magnitude)
