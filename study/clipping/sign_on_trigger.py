from typing import Annotated, Literal

import torch
from torch import Tensor

from study.clipping.base import Clipping, Tensors
from study.parameters import Must, Positive


class SignOnTrigger(Clipping):
    """What the tutorial's clipping code does: a tensor whose norm exceeds c becomes c sign(g).

    Meant as a clip, it enlarges: c sign(g) has norm c sqrt(D), which for D > 1 coordinates is more than c. The code
    as printed looks at the first weight matrix only (`tensors="first"`).
    """

    name: Literal["sign_on_trigger"] = "sign_on_trigger"
    threshold: Positive
    tensors: Annotated[Literal["first", "all"], Must("'first' or 'all'", ("last", 1))] = "first"

    def clip(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        chosen = set(gradient) if self.tensors == "all" else {next(iter(gradient))}
        return {key: self._replace(g) if key in chosen else g for key, g in gradient.items()}, state

    def _replace(self, g: Tensor) -> Tensor:
        return torch.where(torch.linalg.vector_norm(g) > self.threshold, self.threshold * torch.sign(g), g)
