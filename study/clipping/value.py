from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from study.clipping.base import Clipping, Part
from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Must, NotBool, Positive
from study.utils.lazy import torch


class Value(Clipping):
    """Clamp each coordinate: min(max(g, low), bound), with low = -bound unless given.

    The tutorial's clip by value (bound on both sides) and its two-sided clip (separate bounds), with the sign of the
    lower branch corrected; torch.nn.utils.clip_grad_value_.
    """

    acts_per: ClassVar[Part] = "coordinate"
    formula: ClassVar[str] = r"\min(\max(g, \ell), c),\quad \ell = -c \text{ unless given}"
    source: ClassVar[str] = "the tutorial's clip by value; torch's `clip_grad_value_`"
    waives: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"infinity_visible": "an infinite coordinate is a large one, as in `clip_grad_value_`; `finite` still shows it"}
    )
    search: ClassVar[LogRange | None] = LogRange("bound", 0.0001, 1)
    name: Literal["value"] = "value"
    bound: Positive
    low: Annotated[Annotated[float, Field(lt=0), NotBool] | None, Must("a negative number, or null", (0, 1, "low"))] = (
        None
    )

    def clip(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        low = -self.bound if self.low is None else self.low
        return {key: torch.clamp(g, low, self.bound) for key, g in gradient.items()}, state
