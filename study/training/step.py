"""Chain from a batch of one model to what its optimizer is given, and what follows the optimizer.

batch -> data loss (+ penalties) -> gradient -> regularizers before the clip -> measure -> clip -> measure ->
regularizers after the clip -> optimizer -> decay, proximal step, projection. The order is the subject of this study: a
penalty in the loss is clipped together with the data's gradient, what comes after the clip is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import NamedTuple

from torch import Tensor, nn
from torch.func import functional_call, grad_and_value

from study.clipping import PerSample, Rescaling
from study.config.variants import Variant
from study.models import Site
from study.models.networks.batch_norm import fresh_statistics, in_training, running_after
from study.optim.rng import Distribution, Noise
from study.optim.tensors import Tensors, global_norm, rescaled, tensor_norms
from study.regularization import Objective, Regularization
from study.training.measurements import measure
from study.training.per_sample import sample_gradients

MethodState = dict[str, Tensors]  # what the clip ("clip") and each regularizer (by name) remember
BATCH_NORM = "batch norm"  # beside them, where the model has it: running statistics


class Direction(NamedTuple):
    """Input of the optimizer: a gradient, each of whose tensors is still to be multiplied by its coefficient.

    A clip that rescales whole tensors leaves the product to the optimizer, which has to read the gradient anyway.
    """

    gradient: Tensors
    scale: Tensors  # empty: nothing is left to be done

    def product(self) -> Tensors:
        """Return the gradient multiplied by its coefficients."""
        return rescaled(self.gradient, self.scale) if self.scale else self.gradient


@dataclass(frozen=True)
class Clipped:
    """Gradient before and after the clip, each tensor's coefficient if whole tensors are rescaled, and the loss."""

    before: Tensors
    after: Tensors
    scale: Tensors | None
    loss: Tensor

    @property
    def direction(self) -> Direction:
        """The clipped gradient as the optimizer may take it."""
        return Direction(self.after, {}) if self.scale is None else Direction(self.before, self.scale)


@dataclass(frozen=True)
class Chain:
    """Step of a variant for one model; `module` gives the architecture, parameters come in as tensors."""

    variant: Variant
    module: nn.Module

    def gradient_step(
        self, parameters: Tensors, memory: MethodState, x: Tensor, targets: Tensor, noise: Noise
    ) -> tuple[Direction, MethodState, Tensors]:
        """Return the optimizer's direction, the next memory, and what `measure` finds.

        x [B, P], targets [B, K] distributions over classes; noise: the numbers that regularizers asked for. If the
        optimizer gets something other than the clipped gradient, its norm is measured too, as `given` [].
        """
        direction, clipped, memory = self.step(parameters, memory, x, targets, noise)
        measured = measure(clipped.loss, clipped.before, clipped.after, clipped.scale)
        if direction.gradient is not clipped.direction.gradient:
            measured["given"] = global_norm(tensor_norms(direction.gradient))
        return direction, memory, measured

    def plain_gradient_step(
        self, parameters: Tensors, memory: MethodState, x: Tensor, targets: Tensor, noise: Noise
    ) -> tuple[Direction, MethodState, Tensors]:
        """Return the same, with only the loss measured."""
        direction, clipped, memory = self.step(parameters, memory, x, targets, noise)
        return direction, memory, {"loss": clipped.loss}

    def step(
        self, parameters: Tensors, memory: MethodState, x: Tensor, targets: Tensor, noise: Noise
    ) -> tuple[Direction, Clipped, MethodState]:
        """Return the optimizer's direction, the clipped gradient and the next memory."""
        batch = Batch(self, *self.batch(x, targets, noise), noise)
        memory = batch.remembered(parameters, memory)
        climbers = [r for r in self.variant.regularization if r.overrides("ascent")]
        if not climbers:
            clipped, memory = batch.clipped(parameters, memory)
            direction = clipped.direction
        elif climbers[0].clips_ascent:
            clipped, memory = batch.clipped(parameters, memory)
            gradient, _ = batch.gradient(climbers[0].ascent(clipped.after, parameters))
            direction = Direction(gradient, {})
        else:
            first, loss = batch.gradient(parameters)
            there = climbers[0].ascent(first, parameters)
            clipped, memory = batch.clipped(there, memory)
            # Without an ascent there is one gradient: what the first alone would give is then left out of the graph.
            clipped = clipped if there is parameters else replace(clipped, loss=loss)
            direction = clipped.direction
        direction = self.released(direction, memory, noise)
        if any(r.overrides("after_clip") for r in self.variant.regularization):
            gradient, memory = self.pass_through("after_clip", direction.product(), parameters, noise, memory)
            direction = Direction(gradient, {})
        return direction, clipped, memory

    def weight(self, rows: int) -> float:
        """The weight of the mean over so many rows: of another workload, their number over what sums are divided by."""
        return 1.0

    def released(self, direction: Direction, memory: MethodState, noise: Noise) -> Direction:
        """Return the clipped gradient as a workload releases it, before anything else sees it."""
        return direction

    def batch(self, x: Tensor, targets: Tensor, noise: Noise) -> tuple[Tensor, Tensor]:
        """Return the batch after the regularizers of the data."""
        for regularizer in self.variant.regularization:
            x, targets = regularizer.batch(x, targets, noise.get(regularizer.name, {}))
        return x, targets

    def pass_through(
        self, hook: str, gradient: Tensors, parameters: Tensors, noise: Noise, memory: MethodState
    ) -> tuple[Tensors, MethodState]:
        """Return the gradient after the regularizers before the clip, or after those after it."""
        for r in self.variant.regularization:
            if r.overrides(hook):
                act = getattr(r, hook)
                gradient, state = act(gradient, parameters, noise.get(r.name, {}), memory[r.name])
                memory = {**memory, r.name: state}
        return gradient, memory

    def after_update(self, parameters: Tensors, memory: MethodState, lr: float | Tensor) -> tuple[Tensors, MethodState]:
        """Apply what follows the optimizer: regularizers of the update, decay, proximal step, projection."""
        running = memory.get(BATCH_NORM, {})
        for r in self.updaters:
            seen = {**parameters, **running} if r.overrides("evaluated") else parameters  # an average is of both
            after, state = r.update(seen, lr, memory[r.name])
            parameters, memory = {key: after[key] for key in parameters}, {**memory, r.name: state}
        return parameters, memory

    @property
    def updaters(self) -> list[Regularization]:
        """Regularizers that act after the optimizer."""
        return [r for r in self.variant.regularization if r.overrides("update")]

    def evaluated(self, parameters: Tensors, memory: MethodState) -> Tensors:
        """Return the parameters that are scored and handed over, with the running statistics that go with them."""
        averagers = [r for r in self.variant.regularization if r.overrides("evaluated")]
        last = {**parameters, **memory.get(BATCH_NORM, {})}
        averaged: Tensors = reduce(lambda p, r: r.evaluated(p, memory[r.name]), averagers, last)
        return {**last, **averaged}

    def site(self, noise: Noise) -> Site:
        """The hook through which regularizers of the model touch its activations."""

        def touch(name: str, h: Tensor) -> Tensor:
            for regularizer in self.variant.regularization:
                h = regularizer.activation(name, h, noise.get(regularizer.name, {}))
            return h

        return touch

    def draws(self, sites: Mapping[str, tuple[int, ...]], parameters: Tensors) -> dict[str, Mapping[str, Distribution]]:
        """The random numbers one step of one model needs, by regularizer and name."""
        needed = {r.name: r.noise(sites, parameters) for r in self.variant.regularization}
        return {name: draws for name, draws in needed.items() if draws}

    def initial_memory(self, parameters: Tensors) -> MethodState:
        """Return the memory of the clip and the regularizers before the first step."""
        running = fresh_statistics(self.module)
        remembered = {
            r.name: r.initial_state({**parameters, **running} if r.overrides("evaluated") else parameters)
            for r in self.variant.regularization
        }
        own = {BATCH_NORM: running} if running else {}
        return {"clip": self.variant.clip.initial_state(parameters), **remembered, **own}


@dataclass(frozen=True)
class Batch:
    """Batch of a chain, and what depends on it: x [B, P], targets [B, K]."""

    chain: Chain
    x: Tensor
    targets: Tensor
    noise: Noise

    def remembered(self, parameters: Tensors, memory: MethodState) -> MethodState:
        """Return the memory with the running statistics after this batch, at the parameters before any ascent.

        Its forward pass is that of the gradient, of which a graph keeps one.
        """
        if BATCH_NORM not in memory:
            return memory
        forward = partial(self._network, parameters, self.x)
        return {**memory, BATCH_NORM: running_after(self.chain.module, memory[BATCH_NORM], forward)}

    def clipped(self, parameters: Tensors, memory: MethodState) -> tuple[Clipped, MethodState]:
        """Return the gradient at these parameters before and after the clip."""
        method = self.chain.variant.clip
        if isinstance(method, PerSample):
            return self._clipped_by_sample(method, parameters, memory)
        gradient, loss = self.gradient(parameters)
        gradient, memory = self.chain.pass_through("before_clip", gradient, parameters, self.noise, memory)
        scale: Tensors | None = None
        if isinstance(method, Rescaling):
            scale, state = method.coefficients(gradient, parameters, memory["clip"])
            after = rescaled(gradient, scale)
        else:
            after, state = method.clip(gradient, parameters, memory["clip"])
        return Clipped(gradient, after, scale, loss), {**memory, "clip": state}

    def _clipped_by_sample(
        self, method: PerSample, parameters: Tensors, memory: MethodState
    ) -> tuple[Clipped, MethodState]:
        samples, loss = sample_gradients(self._network, self.chain.module, self._loss_of, parameters, self.x)
        weights, state = method.weights(samples.norms(), memory["clip"])
        means = (self._weighted(samples.mean(w)) for w in (None, weights))
        before, after = (self._penalized(mean, parameters) for mean in means)
        return Clipped(before, after, None, self._weighted_loss(loss)), {**memory, "clip": state}

    def _weighted(self, mean: Tensors) -> Tensors:
        weight = self.chain.weight(len(self.x))
        return mean if weight == 1 else {key: weight * g for key, g in mean.items()}

    def gradient(self, parameters: Tensors) -> tuple[Tensors, Tensor]:
        """Return the gradient of data loss plus penalties, and the data loss alone."""
        gradient, (_, loss) = grad_and_value(self._objective, has_aux=True)(parameters)
        return self._penalized(gradient, parameters), loss

    def _penalized(self, gradient: Tensors, parameters: Tensors) -> Tensors:
        for regularizer in self.chain.variant.regularization:
            gradient = regularizer.penalized_gradient(gradient, parameters)
        return gradient

    def _objective(self, parameters: Tensors) -> tuple[Tensor, Tensor]:
        """Return the data loss with the penalties that depend on the batch, and without them."""
        loss = self._loss(parameters)
        seen = Objective(self.x, self._loss, self._network)
        penalties = [
            r.data_penalty(parameters, seen, self.noise.get(r.name, {}))
            for r in self.chain.variant.regularization
            if r.overrides("data_penalty")
        ]
        return sum(penalties, start=loss), loss

    def _loss(self, parameters: Tensors) -> Tensor:
        return self._weighted_loss(self._loss_of(self._network(parameters, self.x)))

    def _weighted_loss(self, loss: Tensor) -> Tensor:
        weight = self.chain.weight(len(self.x))
        return loss if weight == 1 else weight * loss

    def _loss_of(self, logits: Tensor) -> Tensor:
        loss: Tensor = self.chain.variant.loss.value(logits, self.targets)
        return loss

    def _network(self, parameters: Tensors, x: Tensor) -> Tensor:
        site = self.chain.site(first_rows(self.noise, len(x), len(self.x)))
        with in_training(self.chain.module):
            logits: Tensor = functional_call(self.chain.module, parameters, (x, site))
        return logits


def first_rows(noise: Noise, rows: int, of: int) -> Noise:
    """The random numbers of the first rows of a batch, for a penalty that shows the network so many."""
    if rows == of:
        return noise
    return {
        name: {key: t[:rows] if t.shape[:1] == (of,) else t for key, t in each.items()} for name, each in noise.items()
    }
