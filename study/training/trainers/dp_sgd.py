"""DP-SGD: training on digits drawn at random, with noise between the clip and what follows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from study.config.variants import Variant
from study.optim.rng import Distribution, Noise, Normal
from study.optim.tensors import Tensors
from study.training.batches import Batches
from study.training.recorder import Recorder
from study.training.replicates import Replicates
from study.training.step import Chain, Direction, MethodState
from study.workloads.dp_sgd import DPSGD
from study.workloads.privacy import epsilon

STREAM = "privacy-noise"


@dataclass(frozen=True)
class PrivateChain(Chain):
    """Chain whose sums over samples are divided by the mean batch size, and get noise after the clip."""

    def weight(self, rows: int) -> float:
        return rows / self.variant.batch_size

    def released(self, direction: Direction, memory: MethodState, noise: Noise) -> Direction:
        std = noise_std(self.variant)
        if not std:
            return direction
        return Direction({key: g + std * noise[STREAM][key] for key, g in direction.product().items()}, {})

    def draws(self, sites: Mapping[str, tuple[int, ...]], parameters: Tensors) -> dict[str, Mapping[str, Distribution]]:
        own = {STREAM: {key: Normal(tuple(p.shape)) for key, p in parameters.items()}}
        return super().draws(sites, parameters) | (own if noise_std(self.variant) else {})


@dataclass(eq=False)
class PrivateReplicates(Replicates, trains=DPSGD):
    """R models in private training."""

    @classmethod
    def chain_of(cls, variant: Variant, module: nn.Module) -> Chain:
        return PrivateChain(variant, module)

    @classmethod
    def rows_of_step(cls, variant: Variant, batches: Batches) -> int:
        return private(variant).rows(batches.train.shape[1], variant.batch_size)

    def rows_of_epoch(self, batches: Batches) -> tuple[Tensor, Tensor]:
        steps, rows = self.steps_at_once(batches), self.rows_of_step(self.variant, batches)
        share = self.variant.batch_size / batches.train.shape[1]
        each = [drawn(batches.train.shape[1], share, steps, rows, g) for g in batches.orders]
        places = torch.stack(each)
        flat = places.clamp(min=0).flatten(1)
        labels = batches.train_labels.gather(1, flat).view_as(places)
        self.last[:, 0] = (places >= 0).sum((1, 2)) / steps
        return batches.train.gather(1, flat).view_as(places), torch.where(places < 0, -1, labels)

    @torch.no_grad()
    def epoch(self, batches: Batches, recorder: Recorder) -> None:
        super().epoch(batches, recorder)
        std, workload = noise_std(self.variant), private(self.variant)
        share = self.variant.batch_size / batches.train.shape[1]
        spent = epsilon(workload.noise_multiplier if std else 0.0, self.taken, workload.delta, share)
        self.last[:, 1:] = [std, spent]


def private(variant: Variant) -> DPSGD:
    """Return the settings of a private variant."""
    assert isinstance(variant.workload, DPSGD)
    return variant.workload


def noise_std(variant: Variant) -> float:
    """Return the standard deviation of the noise on each entry of the mean gradient, z C / B; 0 without a clip."""
    bound = variant.clip.norm_bound({})
    return private(variant).noise_multiplier * float(bound) / variant.batch_size if bound is not None else 0.0


def drawn(digits: int, share: float, steps: int, rows: int, random: Generator) -> Tensor:
    """Return the digits of each step [S, rows], each drawn with probability `share`; -1 in unused rows.

    Digits drawn beyond the rows are dropped: by the normal law once in a billion steps.
    """
    places = torch.full((steps, rows), -1)
    for step in range(steps):
        (chosen,) = torch.nonzero(torch.rand(digits, generator=random) < share, as_tuple=True)
        places[step, : len(chosen[:rows])] = chosen[:rows]
    return places
