"""Base class of the regularizers: each acts on the training of one model at one named place of the step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias, get_args

from study.methods.base import Method
from study.optim.rng import Distribution
from study.optim.tensors import Tensors
from study.utils.lazy import torch

Rate: TypeAlias = "float | torch.Tensor"  # a learning rate, of a step that is traced a tensor []
Place = Literal["none", "data", "model", "loss", "gradient", "update", "projection", "stopping", "evaluation"]


@dataclass(frozen=True)
class Objective:
    """The batch of one step and two functions of the parameters, for penalties that look at the data.

    x: [B, ...]; loss: parameters -> the data loss, a scalar; network: (parameters, x) -> logits [B, K].
    """

    x: torch.Tensor
    loss: Callable[[Tensors], torch.Tensor]
    network: Callable[[Tensors, torch.Tensor], torch.Tensor]


class Regularization(Method):
    """A regularizer of one model; a subclass names the place where it acts and overrides a method of that place.

    Every method below does nothing unless overridden. A method is written for one model, and the engine maps it over
    replicates. It must not use a Python `if` on the value of a tensor or change its arguments in place. Random numbers
    come in as `noise`, drawn from a stream of the seed that all variants share; `state` is what is kept between steps.
    """

    family: ClassVar[str] = "regularization"
    of_squares: ClassVar[bool] = False  # whether it needs square images
    place: ClassVar[Place] = "none"

    @classmethod
    def declared(cls) -> Mapping[str, tuple[object, tuple[str, ...]]]:
        return {"place": (cls.place, get_args(Place))}

    def initial_state(self, parameters: Tensors) -> Tensors:
        """Return the state before the first step: tensors by name, whose shapes stay fixed."""
        return {}

    def noise(self, sites: Mapping[str, tuple[int, ...]], parameters: Tensors) -> Mapping[str, Distribution]:
        """Return the random numbers that one step needs, by name.

        sites: shapes [B, ...] of the activations, "input" first.
        """
        return {}

    def batch(self, x: torch.Tensor, targets: torch.Tensor, noise: Tensors) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the batch to learn from (place "data").

        x: normalised pixels [B, P]; targets: distributions [B, K].
        """
        return x, targets

    def activation(self, site: str, h: torch.Tensor, noise: Tensors) -> torch.Tensor:
        """Return the activations [B, ...] that the next layer sees at a site while training (place "model")."""
        return h

    def penalty(self, parameters: Tensors) -> torch.Tensor | None:
        """Return a scalar to add to the data loss (place "loss")."""
        return None

    def penalized_gradient(self, gradient: Tensors, parameters: Tensors) -> Tensors:
        """Return the gradient of the data loss plus that of the penalty; override it where a closed form is faster."""
        if not self.overrides("penalty"):
            return gradient
        return {key: gradient[key] + slope for key, slope in torch.func.grad(self.penalty)(parameters).items()}

    def data_penalty(self, parameters: Tensors, objective: Objective, noise: Tensors) -> torch.Tensor:
        """Return a scalar to add to the data loss that depends on the batch too (place "loss")."""
        raise NotImplementedError

    def ascent(self, gradient: Tensors, parameters: Tensors) -> Tensors:
        """Return the parameters at which to take the gradient, given that at the current ones (place "gradient")."""
        return parameters

    def before_clip(
        self, gradient: Tensors, parameters: Tensors, noise: Tensors, state: Tensors
    ) -> tuple[Tensors, Tensors]:
        """Return the gradient that the clip gets, and the next state (place "gradient")."""
        return gradient, state

    def after_clip(
        self, gradient: Tensors, parameters: Tensors, noise: Tensors, state: Tensors
    ) -> tuple[Tensors, Tensors]:
        """Return the gradient that the optimizer gets, given the clipped one, and the next state (place "gradient")."""
        return gradient, state

    def update(self, parameters: Tensors, lr: Rate, state: Tensors) -> tuple[Tensors, Tensors]:
        """Return the parameters after the optimizer's step, and the next state (place "update" or "projection").

        lr: the learning rate of the step, with its schedule applied. One that overrides `evaluated` also gets the
        running statistics of batch normalization, to average them; what it makes of them here is left aside.
        """
        return parameters, state

    def evaluated(self, parameters: Tensors, state: Tensors) -> Tensors:
        """Return the parameters to score and to hand over (place "evaluation")."""
        return parameters

    def stops(self, validation_losses: Sequence[float]) -> bool:
        """Return whether training stops, given the validation loss after each epoch so far (place "stopping")."""
        return False

    @property
    def hands_over_best(self) -> bool:
        """True if a stopped training hands over the parameters of its best validation epoch instead of the last."""
        return False

    @property
    def acts_before_clip(self) -> bool:
        """True if it changes the gradient of the batch before the clip."""
        return self.overrides("before_clip")

    @property
    def clips_ascent(self) -> bool:
        """True if the clip applies to the gradient of the ascent instead of that of the descent."""
        return False

    @classmethod
    def overrides(cls, method: str) -> bool:
        """Return whether this regularizer overrides the named method."""
        return getattr(cls, method) is not getattr(Regularization, method)


def penalized(parameters: Tensors, biases: bool) -> Tensors:
    """Return the tensors that a penalty counts: weights (two dimensions or more), and biases if asked for."""
    return {key: p for key, p in parameters.items() if biases or p.ndim > 1}


def add_scaled(gradient: Tensors, terms: Tensors, factor: float) -> Tensors:
    """Return gradient + factor * terms, for the tensors that have a term."""
    return {key: torch.add(g, terms[key], alpha=factor) if key in terms else g for key, g in gradient.items()}


def soft_threshold(w: torch.Tensor, threshold: Rate) -> torch.Tensor:
    """sign(w) max(|w| - threshold, 0), the proximal step of threshold ||w||_1."""
    return torch.sign(w) * torch.clamp(w.abs() - threshold, min=0)


def signs(parameters: Tensors) -> Tensors:
    """Return the sign of each entry, 0 at 0: the subgradient of the 1-norm."""
    return {key: torch.sign(p) for key, p in parameters.items()}
