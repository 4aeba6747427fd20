from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal

from study.clipping.base import Rescaling
from study.optim.tensors import Tensors


class NoClipping(Rescaling):
    """Leave the gradient as it is: the baseline of every comparison."""

    formula: ClassVar[str] = "g"
    source: ClassVar[str] = "the training that every clip is compared with"
    waives: ClassVar[Mapping[str, str]] = MappingProxyType({"bound_met": "it has no bound"})
    name: Literal["none"] = "none"

    def coefficients(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        one = next(iter(gradient.values())).new_ones(())
        return dict.fromkeys(gradient, one), state

    def rescale(self, gradient: Tensors, scale: Tensors) -> Tensors:
        return gradient  # spares a multiplication by one
