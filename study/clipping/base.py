"""What a clipping method is: a pure map of one model's gradient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, get_args

import torch

from study.methods.base import Company, Method
from study.optim.tensors import Tensors, rescaled

Part = Literal["coordinate", "unit", "tensor", "model", "sample"]


class Clipping(Method):
    """A map from the gradient of one model to another of the same shapes.

    A subclass defines `clip`; where the method only scales whole tensors, it subclasses `Rescaling` and defines
    `coefficients` instead; where it weighs the gradients of the batch's samples, `PerSample` and `weights`. Written
    for one model: the engine maps it over replicates, so no Python `if` on a tensor's value (`torch.where`, `clamp`),
    no in-place change of what comes in, no random numbers.
    """

    family: ClassVar[str] = "clipping"
    acts_per: ClassVar[Part] = "model"  # the part of the gradient whose direction is kept

    @classmethod
    def declared(cls) -> Mapping[str, tuple[object, tuple[str, ...]]]:
        return {"acts_per": (cls.acts_per, get_args(Part))}

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
        return rescaled(gradient, scale), state


class PerSample(Clipping):
    """A clipping of the gradient of each sample of the batch, before their mean is taken.

    Penalties of the loss belong to no sample: their gradient is added to the mean, unclipped. Regularizers that change
    the gradient of a batch before the clip have nothing to change here and are refused.
    """

    acts_per: ClassVar[Part] = "sample"

    def weights(self, norms: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        """The weight of each sample in each tensor's mean, and the next state.

        norms: by tensor, the norm [B] of each sample's gradient; weights: by tensor, [B].
        """
        raise NotImplementedError

    def clip(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        """The clip of a batch of one sample, whose gradient this is."""
        norms = {key: torch.linalg.vector_norm(g)[None] for key, g in gradient.items()}
        weights, state = self.weights(norms, state)
        return {key: g * weights[key][0] for key, g in gradient.items()}, state

    def refuses(self, company: Company) -> str | None:
        for other in company.regularization:
            if other.acts_before_clip:
                return f"clipping '{self.name}' has no gradient of the batch that '{other.name}' could change before it"
            if other.overrides("data_penalty"):
                return f"clipping '{self.name}' cannot take the penalty of '{other.name}' apart by sample"
        return None
