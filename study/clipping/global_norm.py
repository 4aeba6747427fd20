from typing import Annotated, ClassVar, Literal

from study.clipping.base import Rescaling
from study.methods.ranges import LogRange
from study.optim.tensors import Tensors, norm
from study.parameters import Must, NotBool, Positive
from study.utils.lazy import torch

EPSILON = 1e-6  # torch.nn.utils.clip_grad_norm_ adds it to the norm; optax does not


class GlobalNorm(Rescaling):
    """Scale the whole gradient to a norm of at most c: g min(1, c / (||g||_p + 1e-6)).

    Pascanu, Mikolov, Bengio 2013, algorithm 1; torch.nn.utils.clip_grad_norm_.
    """

    formula: ClassVar[str] = r"g \min\left(1, \frac{c}{\lVert g\rVert_p + 10^{-6}}\right)"
    source: ClassVar[str] = "@pascanu2013, algorithm 1; torch's `clip_grad_norm_`"
    search: ClassVar[LogRange | None] = LogRange("max_norm", 0.01, 10)
    name: Literal["global_norm"] = "global_norm"
    max_norm: Positive
    order: Annotated[Literal[1, 2, "inf"], NotBool, Must("1, 2 or 'inf'", (0, 3, "two", True))] = 2

    def coefficients(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        scale = torch.clamp(self.max_norm / (norm(gradient, float(self.order)) + EPSILON), max=1.0)
        return dict.fromkeys(gradient, scale), state

    def norm_bound(self, state: Tensors) -> float | None:
        return None if self.order == "inf" else self.max_norm  # the 2-norm is at most the 1-norm

    @property
    def bounds_norm(self) -> bool:
        return self.order != "inf"
