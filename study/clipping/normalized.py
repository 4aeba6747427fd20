from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal

from study.clipping.base import Rescaling
from study.methods.ranges import LogRange
from study.optim.tensors import Tensors, norm
from study.parameters import Positive
from study.utils.lazy import torch


class Normalized(Rescaling):
    """Scale the whole gradient to the norm `length`, whatever its norm: length g / ||g||, and 0 for a zero gradient.

    The clip by the global norm c, divided by c, becomes this method when every step is clipped (c -> 0). Small
    gradients are enlarged too.
    """

    formula: ClassVar[str] = r"\ell \, \frac{g}{\lVert g\rVert_2},\quad 0 \mapsto 0"
    source: ClassVar[str] = "@hazan2015, normalized gradient descent"
    waives: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"unchanged_below": "a gradient shorter than `length` is stretched to it"}
    )
    search: ClassVar[LogRange | None] = LogRange("length", 0.01, 10)
    name: Literal["normalized"] = "normalized"
    length: Positive = 1.0

    def coefficients(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        size = norm(gradient)
        return dict.fromkeys(gradient, torch.where(size == 0, 1.0, self.length / size)), state
