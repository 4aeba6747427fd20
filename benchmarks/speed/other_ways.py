"""The same training by JAX with optax and by scikit-learn; the perceptron 784-128-10."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.speed.clock import Way
from benchmarks.speed.task import CLASSES, LR, MAX_NORM, Task
from study.optim.tensors import Tensors


@dataclass(eq=False)
class Jax:
    """One compiled function takes the steps of a turn (`scan`) for all models (`vmap`), with optax's clip and SGD."""

    task: Task

    def __post_init__(self) -> None:
        import jax.numpy as jnp

        images, rows, labels = self.task.epoch
        self.weights = {key: jnp.asarray(p.numpy()) for key, p in self.task.stacked().items()}
        self.images = jnp.asarray(images.numpy())
        self.rows, self.labels = (jnp.asarray(part.numpy().astype(np.int32)) for part in (rows, labels))
        self.state = self.optimizer.init({key: p[0] for key, p in self.weights.items()})
        self.losses: Any = None

    @cached_property
    def optimizer(self) -> Any:
        import optax

        return optax.chain(optax.clip_by_global_norm(MAX_NORM), optax.sgd(LR))

    @cached_property
    def epoch(self) -> Any:
        """(weights [R, ...], rows [R, S, B], labels [R, S, B]) -> weights, losses [R, S]."""
        import jax
        import optax

        def loss(weights: Any, x: Any, y: Any) -> Any:
            h = jax.nn.relu(x @ weights["layers.0.weight"].T + weights["layers.0.bias"])
            logits = h @ weights["layers.1.weight"].T + weights["layers.1.bias"]
            return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

        def train(weights: Any, images: Any, rows: Any, labels: Any) -> Any:
            def step(weights: Any, batch: Any) -> Any:
                value, gradient = jax.value_and_grad(loss)(weights, images[batch[0]], batch[1])
                return optax.apply_updates(weights, self.optimizer.update(gradient, self.state)[0]), value

            return jax.lax.scan(step, weights, (rows, labels))

        return jax.jit(jax.vmap(train, in_axes=(0, None, 0, 0)), donate_argnums=0)

    def turn(self) -> None:
        self.weights, self.losses = self.epoch(self.weights, self.images, self.rows, self.labels)
        self.losses.block_until_ready()

    def parameters(self) -> Tensors:
        return {key: torch.from_numpy(np.array(p)) for key, p in self.weights.items()}


@dataclass(eq=False)
class ScikitLearn:
    """MLPClassifier's own loop over the batches of a pass, for the first seed. It has no clip.

    A pass begins with checks that take as long as some steps: `passes` turns' digits make it long enough to forget.
    """

    task: Task
    passes: int = 1
    shuffle: bool = False

    def __post_init__(self) -> None:
        from sklearn.neural_network import MLPClassifier

        images, rows, labels = self.task.epoch
        self.x, self.y = (
            images[rows[0].flatten().repeat(self.passes)].numpy(),
            labels[0].flatten().repeat(self.passes).numpy(),
        )
        self.net = MLPClassifier(
            hidden_layer_sizes=(128,),
            solver="sgd",
            alpha=0.0,
            batch_size=self.task.batch,
            learning_rate_init=LR,
            momentum=0.0,
            shuffle=self.shuffle,
            random_state=0,
        )
        # The first call makes the weights, which are then set to those of the seed.
        self.net.partial_fit(self.x[: self.task.batch], self.y[: self.task.batch], classes=np.arange(CLASSES))
        for layer, (weight, bias) in enumerate(zip(self.net.coefs_, self.net.intercepts_, strict=True)):
            weight[:] = self.task.initial(0)[f"layers.{layer}.weight"].numpy().T
            bias[:] = self.task.initial(0)[f"layers.{layer}.bias"].numpy()

    def turn(self) -> None:
        self.net.partial_fit(self.x, self.y)

    def parameters(self) -> Tensors:
        weights = {f"layers.{layer}.weight": w.T for layer, w in enumerate(self.net.coefs_)}
        biases = {f"layers.{layer}.bias": b for layer, b in enumerate(self.net.intercepts_)}
        return {key: as_tensor(p)[None] for key, p in (weights | biases).items()}


def as_tensor(array: Any) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))


def long_passes(task: Task) -> ScikitLearn:
    return ScikitLearn(task, PASSES, shuffle=True)


PASSES = 10
JAX = Way("JAX + optax (vmap, scan, jit)", Jax)
SCIKIT_LEARN = Way("scikit-learn's MLPClassifier (no clip)", long_passes, single=True, epochs=PASSES)
SCIKIT_LEARN_IN_ORDER = Way("scikit-learn's MLPClassifier, in order", ScikitLearn, single=True)
