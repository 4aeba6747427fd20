"""Pairs of a discriminator and a generator in training: how they start, and how their samples are scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call

from study.config.variants import Variant
from study.models.mlp import MLP
from study.optim.tensors import Tensors
from study.training.batches import Batches, spread
from study.training.digit_features import Read, digit_classifier
from study.training.evaluation import Labelled, Score, replicates_of
from study.training.generated import auc, latent_to_score, scored
from study.training.players import Pair, Players, PlayersUpdate, adversarial, part, prefixed
from study.training.probes import probe
from study.training.recorder import Recorder
from study.training.replicates import Replicates
from study.workloads.adversarial import Adversarial

KEPT = 20  # samples of a run that are kept as pictures


@dataclass(eq=False)
class Adversaries(Replicates, trains=Adversarial):
    """R pairs of players in training."""

    @classmethod
    def start(cls, variant: Variant, seeds: Sequence[int], batches: Batches) -> Self:
        made = super().start(variant, seeds, batches)
        made.note(batches)
        return made

    @classmethod
    def module_of(cls, variant: Variant, batches: Batches) -> Pair:
        pixels = batches.images.shape[1]
        workload = adversarial(variant)
        generator = MLP(hidden=workload.generator).build(workload.latent, pixels)
        low, high = (float(bound) for bound in batches.images.aminmax())
        return Pair(variant.model.build(pixels, 1), generator, low, high)

    @classmethod
    def initialised(cls, variant: Variant, module: nn.Module, random: Generator) -> Tensors:
        assert isinstance(module, Pair)
        generator = MLP(hidden=adversarial(variant).generator).initialise(module.generator, random)
        discriminator = variant.model.initialise(module.discriminator, random)
        return prefixed("discriminator", discriminator) | prefixed("generator", generator)

    @classmethod
    def update_of(cls, variant: Variant, module: nn.Module) -> PlayersUpdate:
        assert isinstance(module, Pair)
        return PlayersUpdate(Players(variant, module), variant.statistics.every_step)

    @torch.no_grad()
    def epoch(self, batches: Batches, recorder: Recorder) -> None:
        super().epoch(batches, recorder)
        self.note(batches)

    @cached_property
    def latent(self) -> Tensor:
        """Latent inputs of the scored samples."""
        workload = adversarial(self.variant)
        return latent_to_score(workload.samples, workload.latent).to(self.variant.device)

    @torch.no_grad()
    def made(self, parameters: Tensors) -> Tensor:
        """Return the samples [M, P] by which one model is scored."""
        return self.pair.generate(part("generator", parameters), self.latent)

    @torch.no_grad()
    def samples(self, parameters: Tensors) -> Tensor:
        """The first of the samples by which one model is scored, grey levels [N, P] of uint8; 0 where not finite."""
        made, images = self.made(parameters)[:KEPT], self.pair
        low, high = (images.low, images.high) if images.low < images.high else (float(x) for x in made.aminmax())
        grey = (made - low) / max(high - low, 1e-12) * 255
        return grey.nan_to_num(0.0, 0.0, 0.0).clamp(0, 255).round().to(torch.uint8)

    @property
    def pair(self) -> Pair:
        """The two players' architectures."""
        assert isinstance(self.module, Pair)
        return self.module

    def score(self, parameters: Tensors, given: Labelled) -> Score:
        """The Frechet distance, as a loss, and the coverage, as an accuracy, of real digits by those of one model."""
        found = scored(self.real(given), digit_classifier().read(self.made(parameters)))
        return Score(found.frechet_distance, found.coverage)

    def real(self, given: Labelled) -> Read:
        """Return the classifier's reading of as many real digits as there are samples."""
        rows = torch.arange(len(given.images)) if given.rows is None else given.rows
        return digit_classifier().read(given.images[rows[spread(len(rows), adversarial(self.variant).samples)]])

    def probe(self, parameters: Tensors, images: Tensor, labels: Tensor, classes: int) -> Tensor:
        """The statistics of the discriminator's loss on real digits [B, P] and as many generated ones."""
        x = torch.cat([images, self.made(parameters)[: len(images)]])
        kinds = torch.cat([torch.ones_like(labels), torch.zeros_like(labels)])[: len(x)]
        loss = adversarial(self.variant).loss
        return probe(self.pair.discriminator, loss, part("discriminator", parameters), x, kinds, 2)

    @torch.no_grad()
    def note(self, batches: Batches) -> None:
        """Score the samples of each model against its validation digits, and how well its discriminator tells them."""
        count = adversarial(self.variant).samples
        for r, parameters in enumerate(replicates_of(self.evaluated())):
            made = self.made(parameters)
            of_made = self._logits(parameters, made)
            validation, train = (rows[spread(len(rows), count)] for rows in (batches.validation[r], batches.train[r]))
            real = digit_classifier().read(batches.images[validation])
            found = scored(real, digit_classifier().read(made))
            told, told_of_train = (
                auc(self._logits(parameters, batches.images[rows]), of_made) for rows in (validation, train)
            )
            self.last[r] = [*found, told, told_of_train - told]

    def _logits(self, parameters: Tensors, x: Tensor) -> Tensor:
        logits: Tensor = functional_call(self.pair.discriminator, part("discriminator", parameters), (x,))
        return logits[:, 0]
