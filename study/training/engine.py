"""Many seeds of one variant trained at once: the single-model step, mapped over stacked replicates and traced once."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.func import vmap

from study.config.variants import Variant
from study.data import Digits
from study.models import sites
from study.optim.optimizers import Mover
from study.optim.rng import NoiseStreams, generator
from study.optim.tensors import Tensors
from study.training.batches import Batches
from study.training.checkpoints import Checkpoint
from study.training.graph import traced
from study.training.recorder import Journal
from study.training.records import RunRecord
from study.training.step import Chain, Memory
from study.utils.timer import Stopwatch

Report = Callable[[str], None]


def train(
    variant: Variant,
    seeds: Sequence[int],
    digits: Digits,
    report: Report = lambda line: None,
    checkpoint: Checkpoint | None = None,
    watch: Stopwatch | None = None,
) -> list[RunRecord]:
    """Train one model a seed and return their records, in the order of the seeds.

    A seed's record does not depend on the seeds it shares the call with (wall time aside). A variant with folds trains
    a model a seed and fold. `report`: a line an epoch. `checkpoint`: from where it goes on if an earlier call was
    ended on its way, to the same records to the last bit; their wall time is that of all calls. `watch`: told where the
    time goes.
    """
    started, watch = time.perf_counter(), watch or Stopwatch()
    each = [seed for seed in seeds for _ in range(variant.folds or 1)]
    with watch.part("data"):
        batches = Batches.prepare(digits, variant.data, seeds, variant.device, variant.folds)
    replicates = Replicates.start(variant, each, batches)
    journal = Journal.open(variant, len(each), replicates.parameters)
    journal.watch = watch
    training = Training(replicates, journal, batches.orders)
    if checkpoint and checkpoint.resume(training):
        started -= training.seconds
        report(f"goes on after epoch {journal.scored} of {variant.epochs}")
    else:
        training.score(batches)
    while journal.goes_on:
        with watch.part("training"):
            replicates.epoch(batches, journal)
        report(training.score(batches))
        training.seconds = time.perf_counter() - started
        if checkpoint:
            with watch.part("checkpoints"):
                checkpoint.keep(training)
    wall = (time.perf_counter() - started) / len(each)
    with watch.part("statistics and last scores"):
        return journal.records(each, replicates.module, replicates.evaluated(), batches, wall)


@dataclass(eq=False)
class Training:
    """All that changes while replicates train, and so what a checkpoint holds; orders: the streams of batch orders."""

    replicates: Replicates
    journal: Journal
    orders: tuple[Generator, ...]
    seconds: float = 0.0

    def score(self, batches: Batches) -> str:
        """Score the replicates after another epoch, or before the first; a line about it."""
        with self.journal.watch.part("scoring"):
            parameters = self.replicates.evaluated()
            return self.journal.epoch(self.journal.scored + 1, self.replicates.module, parameters, batches)


@dataclass(eq=False)
class Replicates:
    """R models in training: stacked parameters [R, ...], optimizer, the methods' memory and the random streams."""

    variant: Variant
    module: nn.Module
    chain: Chain
    parameters: Tensors
    optimizer: Mover
    memory: Memory
    noise: NoiseStreams
    gradient_step: Callable[..., tuple[Any, ...]] | None = None
    lr: float = math.nan
    taken: int = 0

    @classmethod
    def start(cls, variant: Variant, seeds: Sequence[int], batches: Batches) -> Replicates:
        """Fresh models, each initialised from the `init` stream of its seed."""
        module = variant.model.build(batches.images.shape[1], batches.classes)
        chain = Chain(variant, module)
        each = [variant.model.initialise(module, generator(seed, "init")) for seed in seeds]
        parameters: Tensors = {
            key: nn.Parameter(torch.stack([one[key] for one in each]).to(variant.device)) for key in each[0]
        }
        draws = chain.draws(sites(module, variant.batch_size, batches.images.shape[1]), each[0])
        return cls(
            variant=variant,
            module=module,
            chain=chain,
            parameters=parameters,
            optimizer=variant.optimizer.start(parameters),
            memory=stacked([chain.initial_memory(one) for one in each], variant.device),
            noise=NoiseStreams.open(draws, seeds),
        )

    @torch.no_grad()
    def epoch(self, batches: Batches, journal: Journal) -> None:
        """One pass over each replicate's training digits; the last, incomplete batch is dropped."""
        size = self.variant.batch_size
        rows, labels = batches.epoch()
        for start in range(0, rows.shape[1] - size + 1, size):
            window = slice(start, start + size)
            self.step(*batches.gather(rows[:, window], labels[:, window]), journal)
        # In memory as after a checkpoint: sums over entries depend on their layout.
        self.memory = {name: {key: s.contiguous() for key, s in state.items()} for name, state in self.memory.items()}

    def step(self, x: Tensor, targets: Tensor, journal: Journal) -> None:
        """gradient, clip (traced) -> optimizer -> what acts after it -> measured."""
        inputs = (dict(self.parameters), self.memory, x, targets, self.noise.draw(x.device))
        if self.gradient_step is None:
            step = self.chain.gradient_step if journal.every_step else self.chain.plain_gradient_step
            self.gradient_step = traced(step, inputs)
        direction, self.memory, measured = self.gradient_step(*inputs)
        previous = journal.before_update(self)
        self.lr = self.variant.optimizer.lr * self.variant.schedule.factor(self.taken, self.variant.steps)
        self.taken += 1
        self.optimizer.step(direction.gradient, direction.scale, self.lr)
        if self.chain.updaters:
            self.after_update()
        journal.step(measured, self, previous)

    def after_update(self) -> None:
        """Decay, proximal steps and projections, in place."""
        new, self.memory = vmap(lambda p, m: self.chain.after_update(p, m, self.lr))(dict(self.parameters), self.memory)
        for key, parameter in self.parameters.items():
            parameter.copy_(new[key])

    @torch.no_grad()
    def evaluated(self) -> Tensors:
        """The parameters [R, ...] that are scored and handed over."""
        return vmap(self.chain.evaluated)(dict(self.parameters), self.memory)


def stacked(memories: Sequence[Memory], device: str) -> Memory:
    """What several models remember, stacked to [R, ...]."""
    return {
        name: {key: torch.stack([memory[name][key] for memory in memories]).to(device) for key in state}
        for name, state in memories[0].items()
    }
