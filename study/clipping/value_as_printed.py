from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from study.clipping.base import Clipping, Part
from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Must, NotBool, Positive
from study.utils.lazy import torch


class ValueAsPrinted(Clipping):
    """Apply the tutorial's formula for a two-sided clip as printed: large negative coordinates change their sign.

    e1 where g > e1; g where |g| <= e1 and |g| <= e2; +e2 where g < -e2; e1 is `bound`, e2 is `lower` (equal to the
    bound unless given). Where e1 and e2 differ, no branch covers the coordinates between them: these are kept.
    """

    acts_per: ClassVar[Part] = "coordinate"
    formula: ClassVar[str] = (
        r"\begin{cases} \epsilon_1 & g > \epsilon_1 \\ \epsilon_2 & g < -\epsilon_2 \\ g & \text{otherwise} \end{cases}"
    )
    source: ClassVar[str] = "the tutorial's two-sided clip as printed"
    waives: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "direction_kept": "the lower branch is printed as plus epsilon 2: large negative coordinates turn positive",
            "bound_met": "with unequal bounds a negative coordinate comes out at the other side's bound",
            "idempotent": "with epsilon 2 above epsilon 1 the second clip acts on what the first one made of negatives",
            "infinity_visible": "an infinite coordinate is a large one, as in `value`; `finite` still shows it",
        }
    )
    search: ClassVar[LogRange | None] = LogRange("bound", 0.0001, 1)
    name: Literal["value_as_printed"] = "value_as_printed"
    bound: Positive
    lower: Annotated[
        Annotated[float, Field(gt=0), NotBool] | None, Must("a positive number, or null", (0, -1, "low"))
    ] = None

    def clip(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        return {key: self._as_printed(g) for key, g in gradient.items()}, state

    def _as_printed(self, g: torch.Tensor) -> torch.Tensor:
        lower = self.bound if self.lower is None else self.lower
        # torch.nn.functional.threshold is ten times as fast as torch.where here.
        return torch.nn.functional.threshold(g.clamp(max=self.bound), next_below(-lower, g.dtype), lower)


def next_below(x: float, dtype: torch.dtype) -> float:
    """Return the largest number of the type below x, so that a number above it is at least x."""
    number = np.dtype(torch.finfo(dtype).dtype).type
    return float(np.nextafter(number(x), number(-np.inf)))
