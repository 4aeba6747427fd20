"""What a regularizer is: something done to one model's training at one named place of the step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.func import grad

from study.methods import Method

Tensors = dict[str, Tensor]
Place = Literal["none", "data", "model", "loss", "gradient", "update", "projection", "stopping"]


class Regularization(Method):
    """A regularizer of one model; a subclass says where it acts and overrides the method of that place.

    Every method below does nothing unless overridden. All are written for one model and mapped over replicates by
    the engine: no Python `if` on a tensor's value, no in-place change. Random numbers come in as `noise`, uniform
    on [0, 1), drawn from a stream of the seed that is the same for every variant.
    """

    family: ClassVar[str] = "regularization"
    place: ClassVar[Place] = "none"

    def noise(self, sites: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        """Shapes of the uniform random numbers one step needs, by name; `sites`: shapes of the activations."""
        return {}

    def activation(self, site: str, h: Tensor, noise: Tensors) -> Tensor:
        """Model: what the next layer sees of the activations `h` [B, ...] at a site, while training."""
        return h

    def penalty(self, parameters: Tensors) -> Tensor | None:
        """Loss: a scalar to be added to the data loss."""
        return None

    def penalized_gradient(self, gradient: Tensors, parameters: Tensors) -> Tensors:
        """The gradient of the data loss plus that of the penalty; override where a closed form spares passes."""
        if not self.overrides("penalty"):
            return gradient
        return {key: gradient[key] + slope for key, slope in grad(self.penalty)(parameters).items()}

    def gradient(self, gradient: Tensors, parameters: Tensors) -> Tensors:
        """Gradient: what the optimizer gets, given the clipped gradient."""
        return gradient

    def update(self, parameters: Tensors, lr: float) -> Tensors:
        """Update or projection: the parameters after the optimizer's step of learning rate `lr`."""
        return parameters

    def overrides(self, method: str) -> bool:
        """Whether this regularizer acts through the named method."""
        return getattr(type(self), method) is not getattr(Regularization, method)


def penalized(parameters: Tensors, biases: bool) -> Tensors:
    """The tensors a penalty counts: weights (two dimensions or more), biases only if asked."""
    return {key: p for key, p in parameters.items() if biases or p.ndim > 1}


def added(gradient: Tensors, terms: Tensors, factor: float) -> Tensors:
    """gradient + factor * terms, for the tensors that have a term."""
    return {key: torch.add(g, terms[key], alpha=factor) if key in terms else g for key, g in gradient.items()}


def signs(parameters: Tensors) -> Tensors:
    """The sign of each entry, 0 at 0: the subgradient of the 1-norm."""
    return {key: torch.sign(p) for key, p in parameters.items()}
