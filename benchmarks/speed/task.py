"""What every way of training is given: the same model, digits, batches, initial weights and number of steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from study.config.variants import Variant
from study.data import Digits, load
from study.methods.base import Method
from study.optim.rng import generator
from study.optim.tensors import Tensors
from study.training.batches import Batches, normalised

FOLDER = Path("data/mnist")
LR, MAX_NORM, INPUTS, CLASSES = 0.01, 1.0, 784, 10
MLP: Mapping[str, Any] = {"name": "mlp", "hidden": [128]}
TRANSFORMER: Mapping[str, Any] = {"name": "patch_transformer", "width": 32}
CLIP: Mapping[str, Any] = {"name": "global_norm", "max_norm": MAX_NORM}
PER_SAMPLE: Mapping[str, Any] = {"name": "per_sample", "max_norm": MAX_NORM}


@dataclass(frozen=True)
class Task:
    """Train R = `seeds` models by SGD, `steps` steps an epoch of batches of `batch` digits; a turn is an epoch."""

    seeds: int = 10
    batch: int = 64
    steps: int = 30
    model: Mapping[str, Any] = field(default_factory=lambda: MLP)
    clip: Mapping[str, Any] | str | Method = field(default_factory=lambda: CLIP)
    regularization: str | Method = "none"
    epochs: int = 1000  # at most

    def variant(self, **statistics: Any) -> Variant:
        """The task as this engine has it, with these settings of `statistics`."""
        return Variant.model_validate(
            {
                "regime": "bench",
                "data": {"name": "mnist", "train_size": self.steps * self.batch, "validation_size": 1000},
                "model": self.model,
                "loss": "cross_entropy",
                "optimizer": {"name": "sgd", "lr": LR},
                "epochs": self.epochs,
                "batch_size": self.batch,
                "clip": self.clip,
                "regularization": self.regularization,
                "statistics": statistics,
            }
        )

    def prepare(self) -> Batches:
        """Each seed's digits, before the first order is drawn."""
        return replace(Batches.prepare(digits(), self.variant().data, range(self.seeds), "cpu"), images=images())

    @cached_property
    def epoch(self) -> tuple[Tensor, Tensor, Tensor]:
        """All images [N, P]; rows [R, S, B] and labels [R, S, B] of the batches of the first turn."""
        rows, labels = (part.view(self.seeds, self.steps, self.batch) for part in self.prepare().epoch())
        return images(), rows, labels

    def module(self) -> nn.Module:
        """The engine's module of one model."""
        return self.variant().model.build(INPUTS, CLASSES)

    def initial(self, seed: int) -> Tensors:
        """The weights with which a seed starts."""
        return self.variant().model.initialise(self.module(), generator(seed, "init"))

    def stacked(self) -> Tensors:
        """The weights of all seeds at the start, [R, ...]."""
        each = [self.initial(seed) for seed in range(self.seeds)]
        return {key: torch.stack([one[key] for one in each]) for key in each[0]}


@cache
def digits() -> Digits:
    """MNIST, read once."""
    return load("mnist", FOLDER)


@cache
def images() -> Tensor:
    """The training images as the engine has them, [N, P]: one copy for all ways."""
    return normalised(digits().train_images, digits())
