"""What a clipping method is: a pure map of one model's gradient."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from study.methods import Method

Tensors = dict[str, Tensor]


class Clipping(Method):
    """A map from the gradient of one model to another of the same shapes.

    A subclass defines `clip`; where the method only scales whole tensors, it subclasses `Rescaling` and defines
    `coefficients` instead. Written for one model: the engine maps it over replicates, so no Python `if` on a
    tensor's value (`torch.where`, `clamp`), no in-place change of what comes in, no random numbers.
    """

    family: ClassVar[str] = "clipping"

    def initial_state(self, parameters: Tensors) -> Tensors:
        """What the method remembers from step to step, before the first step (tensors of fixed shape)."""
        return {}

    def clip(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        """The clipped gradient and the next state."""
        raise NotImplementedError


class Rescaling(Clipping):
    """A clipping that multiplies each tensor of the gradient by a number: its direction within a tensor is kept."""

    def coefficients(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        """One scalar per tensor, and the next state."""
        raise NotImplementedError

    def clip(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        scale, state = self.coefficients(gradient, parameters, state)
        return self.rescale(gradient, scale), state

    def rescale(self, gradient: Tensors, scale: Tensors) -> Tensors:
        """Each tensor times its coefficient."""
        return {key: g * scale[key] for key, g in gradient.items()}


def norm(gradient: Tensors, order: float = 2.0) -> Tensor:
    """The norm over all tensors together, (sum |g|^p)^(1/p), a scalar."""
    return torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g, order) for g in gradient.values()]), order)
