"""What a regularizer is: something done to one model's training at one named place of the step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import torch
from torch import Tensor
from torch.func import grad

from study.methods.base import Method
from study.optim.rng import Draw
from study.optim.tensors import Tensors

Place = Literal["none", "data", "model", "loss", "gradient", "update", "projection", "stopping", "evaluation"]


@dataclass(frozen=True)
class Objective:
    """What a penalty that looks at the data sees of one step: the batch and two functions of the parameters.

    x [B, ...]; `loss`: parameters -> the data loss, a scalar; `network`: (parameters, x) -> logits [B, K].
    """

    x: Tensor
    loss: Callable[[Tensors], Tensor]
    network: Callable[[Tensors, Tensor], Tensor]


class Regularization(Method):
    """A regularizer of one model; a subclass says where it acts and overrides a method of that place.

    Every method below does nothing unless overridden. All are written for one model and mapped over replicates by
    the engine: no Python `if` on a tensor's value, no in-place change. Random numbers come in as `noise`, drawn
    from a stream of the seed that is the same for every variant; what is remembered from step to step is `state`.
    """

    family: ClassVar[str] = "regularization"
    place: ClassVar[Place] = "none"

    @classmethod
    def declared(cls) -> Mapping[str, tuple[object, tuple[str, ...]]]:
        return {"place": (cls.place, get_args(Place))}

    def initial_state(self, parameters: Tensors) -> Tensors:
        """What the method remembers from step to step, before the first step (tensors of fixed shape)."""
        return {}

    def noise(self, sites: Mapping[str, tuple[int, ...]], parameters: Tensors) -> Mapping[str, Draw]:
        """The random numbers one step needs, by name; `sites`: shapes [B, ...] of the activations, "input" first."""
        return {}

    def batch(self, x: Tensor, targets: Tensor, noise: Tensors) -> tuple[Tensor, Tensor]:
        """Data: the batch that is learned from; x [B, P] pixels, normalised; targets [B, K] distributions."""
        return x, targets

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

    def data_penalty(self, parameters: Tensors, objective: Objective, noise: Tensors) -> Tensor:
        """Loss: a scalar to be added to the data loss that depends on the batch too."""
        raise NotImplementedError

    def ascent(self, gradient: Tensors, parameters: Tensors) -> Tensors:
        """Gradient: the parameters at which the gradient is taken, given that at the present ones."""
        return parameters

    def before_clip(
        self, gradient: Tensors, parameters: Tensors, noise: Tensors, state: Tensors
    ) -> tuple[Tensors, Tensors]:
        """Gradient: what the clip gets, and the next state."""
        return gradient, state

    def after_clip(
        self, gradient: Tensors, parameters: Tensors, noise: Tensors, state: Tensors
    ) -> tuple[Tensors, Tensors]:
        """Gradient: what the optimizer gets, given the clipped gradient, and the next state."""
        return gradient, state

    def update(self, parameters: Tensors, lr: float, state: Tensors) -> tuple[Tensors, Tensors]:
        """Update or projection: the parameters after the optimizer's step of learning rate `lr`, and the next state."""
        return parameters, state

    def evaluated(self, parameters: Tensors, state: Tensors) -> Tensors:
        """Evaluation: the parameters that are scored and handed over."""
        return parameters

    def stops(self, validation_losses: Sequence[float]) -> bool:
        """Stopping: whether training ends, given the validation loss after each epoch so far."""
        return False

    @property
    def hands_over_best(self) -> bool:
        """Whether a training that it stopped hands over the parameters of its best validation epoch, or the last."""
        return False

    @property
    def acts_before_clip(self) -> bool:
        """Whether it changes the gradient of the batch before the clip sees it."""
        return self.overrides("before_clip")

    @property
    def clips_ascent(self) -> bool:
        """Whether, of the two gradients of a method with an ascent, the first is clipped instead of the second."""
        return False

    @classmethod
    def overrides(cls, method: str) -> bool:
        """Whether this regularizer acts through the named method."""
        return getattr(cls, method) is not getattr(Regularization, method)


def penalized(parameters: Tensors, biases: bool) -> Tensors:
    """The tensors a penalty counts: weights (two dimensions or more), biases only if asked."""
    return {key: p for key, p in parameters.items() if biases or p.ndim > 1}


def added(gradient: Tensors, terms: Tensors, factor: float) -> Tensors:
    """gradient + factor * terms, for the tensors that have a term."""
    return {key: torch.add(g, terms[key], alpha=factor) if key in terms else g for key, g in gradient.items()}


def signs(parameters: Tensors) -> Tensors:
    """The sign of each entry, 0 at 0: the subgradient of the 1-norm."""
    return {key: torch.sign(p) for key, p in parameters.items()}
