"""One optimizer step of one model, as a visible chain.

data loss (+ penalties) -> gradient -> measure -> clip -> measure -> regularizers of the gradient -> optimizer -> decay,
proximal step, projection. The order is the subject of this study: a penalty in the loss is clipped together with the
data's gradient, what comes after the clip is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value

from study.clipping import Rescaling
from study.gradients import Tensors, step_statistics, tensor_norms
from study.models import Site
from study.variants import Variant

Noise = dict[str, Tensors]  # by regularizer, then by site


@dataclass(frozen=True)
class Chain:
    """The step of a variant for one model; `module` gives the architecture, parameters come in as tensors."""

    variant: Variant
    module: nn.Module

    def gradient_step(
        self, parameters: Tensors, state: Tensors, x: Tensor, targets: Tensor, noise: Noise
    ) -> tuple[Tensors, Tensors, Tensor, Tensor]:
        """What the optimizer gets, the clip's next state, statistics [8] and norms per tensor [2, K].

        x [B, D], targets [B, K] distributions over classes; the noise is the regularizers', uniform on [0, 1).
        """
        gradient, loss = self.gradient(parameters, x, targets, noise)
        before = tensor_norms(gradient)
        clipped, scale, state = self.clip(gradient, parameters, state)
        after = before if clipped is gradient else tensor_norms(clipped)
        statistics = step_statistics(loss, gradient, clipped, before, after, scale)
        return self.after_clip(clipped, parameters), state, statistics, torch.stack([before, after])

    def plain_gradient_step(
        self, parameters: Tensors, state: Tensors, x: Tensor, targets: Tensor, noise: Noise
    ) -> tuple[Tensors, Tensors, Tensor]:
        """The same with the loss as the only statistic."""
        gradient, loss = self.gradient(parameters, x, targets, noise)
        clipped, _, state = self.clip(gradient, parameters, state)
        return self.after_clip(clipped, parameters), state, loss

    def gradient(self, parameters: Tensors, x: Tensor, targets: Tensor, noise: Noise) -> tuple[Tensors, Tensor]:
        """The gradient of data loss plus penalties, and the data loss alone."""
        gradient, loss = grad_and_value(self.data_loss)(parameters, x, targets, noise)
        for regularizer in self.variant.regularization:
            gradient = regularizer.penalized_gradient(gradient, parameters)
        return gradient, loss

    def data_loss(self, parameters: Tensors, x: Tensor, targets: Tensor, noise: Noise) -> Tensor:
        """The loss on one batch, through the regularizers of the model."""
        return self.variant.loss.value(functional_call(self.module, parameters, (x, self.site(noise))), targets)

    def clip(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors | None, Tensors]:
        """The clipped gradient, its coefficients where the method rescales whole tensors, the next state."""
        method = self.variant.clip
        if not isinstance(method, Rescaling):
            clipped, state = method.clip(gradient, parameters, state)
            return clipped, None, state
        scale, state = method.coefficients(gradient, parameters, state)
        return method.rescale(gradient, scale), scale, state

    def after_clip(self, clipped: Tensors, parameters: Tensors) -> Tensors:
        """Regularizers of the gradient, which the clip does not see."""
        for regularizer in self.variant.regularization:
            clipped = regularizer.gradient(clipped, parameters)
        return clipped

    def after_update(self, parameters: Tensors) -> Tensors:
        """Regularizers of the update, decay, proximal step, projection, after the optimizer."""
        for regularizer in self.variant.regularization:
            parameters = regularizer.update(parameters, self.variant.optimizer.lr)
        return parameters

    @property
    def updates(self) -> bool:
        """Whether anything happens after the optimizer."""
        return any(r.overrides("update") for r in self.variant.regularization)

    def site(self, noise: Noise) -> Site:
        """The hook through which regularizers of the model touch its activations."""

        def touch(name: str, h: Tensor) -> Tensor:
            for regularizer in self.variant.regularization:
                h = regularizer.activation(name, h, noise.get(regularizer.name, {}))
            return h

        return touch

    def noise_shapes(self, sites: Mapping[str, tuple[int, ...]]) -> dict[str, dict[str, tuple[int, ...]]]:
        """The uniform random numbers one step of one model needs, by regularizer and name."""
        shapes = {r.name: r.noise(sites) for r in self.variant.regularization}
        return {name: needed for name, needed in shapes.items() if needed}

    def initial_state(self, parameters: Tensors) -> Tensors:
        """What the clip remembers before the first step."""
        state: Tensors = self.variant.clip.initial_state(parameters)
        return state


def one_hot(labels: Tensor, classes: int, out: Tensor | None = None) -> Tensor:
    """Labels [...] as distributions [..., K] of float32."""
    targets = torch.zeros(*labels.shape, classes) if out is None else out.zero_()
    return targets.scatter_(-1, labels.unsqueeze(-1), 1.0)
