"""A clip that is in no paper we know of: a soft knee at a multiple of the running median of the gradient's norm."""

from typing import ClassVar, Literal

import torch

from study.clipping import Rescaling
from study.methods.ranges import LogRange
from study.optim.tensors import Tensors, norm
from study.parameters import Positive


class SoftMedian(Rescaling):
    """Bend the norm n of the gradient softly to at most c = ratio m, where m is the running median of past norms.

    A norm up to c / 2 passes unchanged, a greater one becomes c (1 - c / 4n): continuous with its slope at c / 2, and
    below c however large n is. m moves by a factor of exp(rate) up or down after each step, so that half of the norms
    come to lie above it.
    """

    search: ClassVar[LogRange | None] = LogRange("ratio", 0.01, 10)
    name: Literal["soft_median"] = "soft_median"
    ratio: Positive
    initial_norm: Positive = 1.0
    rate: Positive = 0.05
    waives: ClassVar = {
        "bound_met": "it comes near to its bound, and never to it",
        "idempotent": "what lies on the knee is bent again",
    }

    def initial_state(self, parameters: Tensors) -> Tensors:
        return {"median": next(iter(parameters.values())).new_full((), self.initial_norm)}

    def coefficients(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        size, median = norm(gradient), state["median"]
        share = self.ratio * median / size.clamp(min=1e-30)  # c / n
        scale = torch.where(share >= 2, 1.0, share * (1 - share / 4))
        following = median * torch.exp(self.rate * torch.sign(size - median))
        return dict.fromkeys(gradient, scale), {"median": following}
