"""Many seeds of one variant trained at once: the single-model step, mapped over stacked replicates and traced once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.func import vmap
from torch.fx.experimental.proxy_tensor import make_fx

from study.batches import Batches
from study.data import Digits
from study.gradients import Tensors
from study.journal import Journal
from study.models import sites
from study.records import RunRecord
from study.seeds import generator
from study.training import Chain, Noise
from study.variants import Variant

Report = Callable[[str], None]


def train(
    variant: Variant, seeds: Sequence[int], digits: Digits, report: Report = lambda line: None
) -> list[RunRecord]:
    """Train one model a seed and return their records, in the order of the seeds.

    A seed's record does not depend on the seeds it shares the call with (wall time aside). `report`: a line an epoch.
    """
    started = time.perf_counter()
    batches = Batches.prepare(digits, variant.data, seeds, variant.device)
    replicates = Replicates.start(variant, seeds, batches)
    journal = Journal.open(variant, len(seeds), replicates.parameters)
    journal.epoch(0, replicates.module, replicates.parameters, batches)
    for epoch in range(1, variant.epochs + 1):
        replicates.epoch(batches, journal)
        report(journal.epoch(epoch, replicates.module, replicates.parameters, batches))
        if not journal.alive.any():
            break
    wall = (time.perf_counter() - started) / len(seeds)
    return journal.records(seeds, replicates.module, replicates.parameters, batches, wall)


@dataclass(eq=False)
class Replicates:
    """R models in training: stacked parameters [R, ...], optimizer, the clip's memory and the random streams."""

    variant: Variant
    module: nn.Module
    chain: Chain
    parameters: Tensors
    optimizer: torch.optim.Optimizer
    state: Tensors
    noise: NoiseStreams
    traced: Callable[..., tuple[Any, ...]] | None = None

    @classmethod
    def start(cls, variant: Variant, seeds: Sequence[int], batches: Batches) -> Replicates:
        """Fresh models, each initialised from the `init` stream of its seed."""
        module = variant.model.build(batches.images.shape[1], batches.classes)
        chain = Chain(variant, module)
        each = [variant.model.initialise(module, generator(seed, "init")) for seed in seeds]
        parameters: Tensors = {
            key: nn.Parameter(torch.stack([one[key] for one in each]).to(variant.device)) for key in each[0]
        }
        shapes = chain.noise_shapes(sites(module, variant.batch_size, batches.images.shape[1]))
        states = [chain.initial_state(one) for one in each]
        return cls(
            variant=variant,
            module=module,
            chain=chain,
            parameters=parameters,
            optimizer=variant.optimizer.build(parameters.values()),
            state={key: torch.stack([s[key] for s in states]).to(variant.device) for key in states[0]},
            noise=NoiseStreams.open(shapes, seeds),
        )

    @torch.no_grad()
    def epoch(self, batches: Batches, journal: Journal) -> None:
        """One pass over each replicate's training digits; the last, incomplete batch is dropped."""
        size = self.variant.batch_size
        rows, labels = batches.epoch()
        for start in range(0, rows.shape[1] - size + 1, size):
            window = slice(start, start + size)
            self.step(*batches.gather(rows[:, window], labels[:, window]), journal)

    def step(self, x: Tensor, targets: Tensor, journal: Journal) -> None:
        """gradient, clip (traced) -> optimizer -> what acts after it -> measured."""
        inputs = (dict(self.parameters), self.state, x, targets, self.noise.draw(x.device))
        step = self.chain.gradient_step if journal.every_step else self.chain.plain_gradient_step
        if self.traced is None:
            self.traced = make_fx(vmap(lambda *arguments: step(*arguments)))(*inputs)
        gradient, self.state, *measured = self.traced(*inputs)
        for key, parameter in self.parameters.items():
            parameter.grad = gradient[key]
        previous = journal.before_update(self)
        self.optimizer.step()
        if self.chain.updates:
            self.after_update()
        journal.step(measured, self, previous)

    def after_update(self) -> None:
        """Decay, proximal steps and projections, in place."""
        new = vmap(self.chain.after_update)(dict(self.parameters))
        for key, parameter in self.parameters.items():
            parameter.copy_(new[key])


@dataclass(frozen=True, eq=False)
class NoiseStreams:
    """Uniform random numbers for the regularizers: each from the stream of its seed that bears the method's name."""

    buffers: Noise
    generators: dict[str, tuple[Generator, ...]]

    @classmethod
    def open(cls, shapes: dict[str, dict[str, tuple[int, ...]]], seeds: Sequence[int]) -> NoiseStreams:
        """Streams of each seed for the shapes that one step of one model needs."""
        buffers = {
            name: {site: torch.empty(len(seeds), *shape) for site, shape in needed.items()}
            for name, needed in shapes.items()
        }
        return cls(buffers, {name: tuple(generator(seed, name) for seed in seeds) for name in shapes})

    def draw(self, device: torch.device) -> Noise:
        """The next step's numbers [R, ...], on the CPU in buffers that the following draw overwrites."""
        for name, generators in self.generators.items():
            for buffer in self.buffers[name].values():
                for row, random in zip(buffer, generators, strict=True):
                    row.uniform_(generator=random)
        return {name: {site: b.to(device) for site, b in sites.items()} for name, sites in self.buffers.items()}
