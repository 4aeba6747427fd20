from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from study.clipping.base import Clipping, Part
from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Must, Positive
from study.utils.lazy import torch


class SignOnTrigger(Clipping):
    """Replace a tensor whose norm exceeds c by c sign(g), as the tutorial's clipping code does.

    The code is meant as a clip, but it enlarges: the norm of c sign(g) is c sqrt(D), more than c for D > 1
    coordinates. The code as printed looks at the first weight matrix only (`tensors="first"`).
    """

    acts_per: ClassVar[Part] = "coordinate"
    formula: ClassVar[str] = r"c \operatorname{sign}(g_k) \text{ where } \lVert g_k\rVert_2 > c"
    source: ClassVar[str] = "the tutorial's code, as printed but for its TypeError"
    waives: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"bound_met": "the code it follows enlarges: c sign(g) has norm c sqrt(D)"}
    )
    search: ClassVar[LogRange | None] = LogRange("threshold", 0.01, 10)
    name: Literal["sign_on_trigger"] = "sign_on_trigger"
    threshold: Positive
    tensors: Annotated[Literal["first", "all"], Must("'first' or 'all'", ("last", 1))] = "first"

    def clip(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        chosen = set(gradient) if self.tensors == "all" else {next(iter(gradient))}
        return {key: self._replace(g) if key in chosen else g for key, g in gradient.items()}, state

    def _replace(self, g: torch.Tensor) -> torch.Tensor:
        # One of the two factors is 0: several times faster than torch.where with a scalar condition.
        over = torch.linalg.vector_norm(g) > self.threshold
        kept, signed = torch.where(over, 0.0, 1.0), torch.where(over, self.threshold, 0.0)
        return torch.addcmul(g * kept, torch.sign(g), signed)
