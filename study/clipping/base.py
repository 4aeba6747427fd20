"""Base classes of the clipping methods: pure maps of one model's gradient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, get_args

from study.methods.base import Method, MethodCombination
from study.optim.tensors import Tensors, rescaled
from study.utils.lazy import torch

Part = Literal["coordinate", "unit", "tensor", "model", "sample"]


class Clipping(Method):
    """A map from the gradient of one model to another gradient of the same shapes.

    A subclass defines `clip`. A method that only scales whole tensors subclasses `Rescaling` and defines
    `coefficients` instead; a method that weights the gradients of single samples subclasses `PerSample` and defines
    `weights`.

    A method is written for one model, and the engine maps it over replicates. It must not use a Python `if` on the
    value of a tensor (use `torch.where` or `clamp`), change its arguments in place or draw random numbers.
    """

    family: ClassVar[str] = "clipping"
    acts_per: ClassVar[Part] = "model"  # the part of the gradient whose direction is kept

    @classmethod
    def declared(cls) -> Mapping[str, tuple[object, tuple[str, ...]]]:
        return {"acts_per": (cls.acts_per, get_args(Part))}

    def initial_state(self, parameters: Tensors) -> Tensors:
        """Return the state before the first step: tensors by name, whose shapes stay fixed."""
        return {}

    def clip(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        """Return the clipped gradient and the next state."""
        raise NotImplementedError

    def norm_bound(self, state: Tensors) -> torch.Tensor | float | None:
        """Return the 2-norm that no clipped gradient exceeds, of a sample where samples are clipped; None if any may.

        state: the state before the clip.
        """
        return None

    @property
    def bounds_norm(self) -> bool:
        """True if it has a `norm_bound`, by which noise for privacy can be measured."""
        return type(self).norm_bound is not Clipping.norm_bound


class Rescaling(Clipping):
    """A clipping that multiplies each tensor of the gradient by one number, so the tensor keeps its direction."""

    def coefficients(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        """Return one scalar per tensor of the gradient, and the next state."""
        raise NotImplementedError

    def clip(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        scale, state = self.coefficients(gradient, parameters, state)
        return rescaled(gradient, scale), state


class PerSample(Clipping):
    """A clipping of the gradient of each sample of the batch, before their mean is taken.

    Penalties of the loss belong to no sample: their gradient is added to the mean, unclipped. The method is refused
    together with regularizers that change the gradient of the batch before the clip, and with batch normalization.
    """

    acts_per: ClassVar[Part] = "sample"

    def weights(self, norms: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        """Return the weights [B] of the samples in the mean of each tensor, and the next state.

        norms: the norm [B] of each sample's gradient, by tensor.
        """
        raise NotImplementedError

    def clip(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        """Clip a gradient as the gradient of a batch of one sample."""
        norms = {key: torch.linalg.vector_norm(g)[None] for key, g in gradient.items()}
        weights, state = self.weights(norms, state)
        return {key: g * weights[key][0] for key, g in gradient.items()}, state

    def conflict_with(self, combination: MethodCombination) -> str | None:
        if combination.model.normalizes_batches:
            return f"clipping '{self.name}' needs gradients of single samples, which batch normalization mixes"
        for other in combination.regularization:
            if other.acts_before_clip:
                return f"clipping '{self.name}' has no gradient of the batch that '{other.name}' could change before it"
            if other.overrides("data_penalty"):
                return f"clipping '{self.name}' cannot take the penalty of '{other.name}' apart by sample"
        return None
