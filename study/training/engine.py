"""Many seeds of one variant trained together: the step of one model, compiled once, for each of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn
from torch.func import vmap
from torch.utils import _pytree as pytree

from study.config.variants import Variant
from study.data import Digits
from study.models import sites
from study.optim.rng import NoiseStreams, generator
from study.optim.tensors import Tensors
from study.training.batches import Batches
from study.training.checkpoints import Checkpoint
from study.training.program import Program
from study.training.recorder import Journal
from study.training.records import RunRecord
from study.training.stacked import Stacked, StackedByTorch
from study.training.step import Chain
from study.training.update import State, Update
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
    said = False
    while journal.goes_on:
        with watch.part("training"):
            replicates.epoch(batches, journal)
        if replicates.reason and not said:
            report(f"The steps are taken by torch, not by a compiled program: {replicates.reason}")
            said = True
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
    """R models in training: what they carry from step to step, stacked [R, ...], and the random streams.

    way: how steps are taken, once it is known; reason: why not by the compiled program, if so; optimizer: of
    torch, where the variant has such a one of a user.
    """

    variant: Variant
    module: nn.Module
    update: Update
    state: State
    noise: NoiseStreams
    way: Program | Stacked | None = None
    reason: str = ""
    optimizer: torch.optim.Optimizer | None = None
    taken: int = 0

    @classmethod
    def start(cls, variant: Variant, seeds: Sequence[int], batches: Batches) -> Replicates:
        """Fresh models, each initialised from the `init` stream of its seed."""
        module = variant.model.build(batches.images.shape[1], batches.classes)
        update = Update(Chain(variant, module), variant.statistics.every_step)
        each = [variant.model.initialise(module, generator(seed, "init")) for seed in seeds]
        draws = update.chain.draws(sites(module, variant.batch_size, batches.images.shape[1]), each[0])
        states = [update.initial_state(one) for one in each]
        state = pytree.tree_map(lambda *t: torch.stack(t).to(variant.device), *states)
        noise = NoiseStreams.open(draws, seeds)
        if not variant.optimizer.by_torch:
            return cls(variant, module, update, state, noise)
        trained: Tensors = {key: nn.Parameter(p) for key, p in state.parameters.items()}
        built = variant.optimizer.build(trained.values())
        return cls(variant, module, update, replace(state, parameters=trained), noise, optimizer=built)

    @property
    def parameters(self) -> Tensors:
        """The parameters of all models, [R, ...]."""
        return self.state.parameters

    def model(self, r: int) -> State:
        """The state of one model, in the memory of all."""
        return pytree.tree_map(lambda t: t[r], self.state)

    @torch.no_grad()
    def epoch(self, batches: Batches, journal: Journal) -> None:
        """One pass over each replicate's training digits; the last, incomplete batch is dropped.

        A replicate whose training has ended stays as it is where each is trained by itself.
        """
        if self.way is None:
            with journal.watch.part("compiling"):
                self.choose_way(batches)
        size = self.variant.batch_size
        rows, labels = batches.epoch()
        steps = rows.shape[1] // size
        factors = [self.variant.schedule.factor(self.taken + i, self.variant.steps) for i in range(steps)]
        rates = torch.tensor([self.variant.optimizer.lr * factor for factor in factors])
        rows, labels = (part[:, : steps * size].unflatten(1, (steps, size)) for part in (rows, labels))
        take = self.each_by_itself if isinstance(self.way, Program) else self.all_at_once
        measured = take(batches, rows, labels, rates, journal.training)
        self.taken += steps
        if journal.every_step:
            journal.log.add(measured)

    def choose_way(self, batches: Batches) -> None:
        """Compile the program; where that cannot be, or on a GPU, say why and leave the steps to torch."""
        if self.optimizer is not None:
            self.way = StackedByTorch(self.update, optimizer=self.optimizer)
            self.reason = f"{self.variant.optimizer.owner()} is an optimizer of torch"
            return
        self.way, self.reason = Stacked(self.update), f"the device is '{self.variant.device}'"
        if self.variant.device != "cpu":
            return
        size, steps = self.variant.batch_size, batches.train.shape[1] // self.variant.batch_size
        everything = replace(self.update, every_step=True)
        given = (everything, self.model(0), self.noise.draws, batches.images, size, batches.classes, steps)
        try:
            self.way, self.reason = Program.of(*given), ""
        except TimeoutError:  # the job's time is up
            raise
        except Exception as error:  # a method's own mistake comes up again where torch takes the steps
            self.reason = f"{type(error).__name__}: {error}".splitlines()[0]

    def each_by_itself(
        self, batches: Batches, rows: Tensor, labels: Tensor, rates: Tensor, training: NDArray[np.bool_]
    ) -> Tensors:
        """Steps on rows, labels [R, S, B] by the program, one replicate after the other; measurements [S, R, ...]."""
        assert isinstance(self.way, Program)
        found: dict[int, Tensors] = {}
        for r in map(int, np.flatnonzero(training)):
            logs: list[Mapping[str, Tensor]] = []
            for some in torch.arange(len(rates)).split(self.way.steps):
                noise = self.noise.of_replicate(r, len(some))
                after, measured = self.way.run(
                    self.model(r), rows[r, some], labels[r, some], noise, rates[some], self.update.every_step
                )
                pytree.tree_map(lambda old, new: old.copy_(new), self.model(r), after)
                logs.append(measured)
            found[r] = {name: torch.cat([log[name] for log in logs]) for name in logs[0]}
        unknown = {name: torch.full_like(log, torch.nan) for name, log in next(iter(found.values())).items()}
        return {name: torch.stack([found.get(r, unknown)[name] for r in range(len(rows))], 1) for name in unknown}

    def all_at_once(
        self, batches: Batches, rows: Tensor, labels: Tensor, rates: Tensor, training: NDArray[np.bool_]
    ) -> Tensors:
        """Steps on rows and labels [R, S, B] of all replicates together by torch; measurements [S, R, ...]."""
        assert isinstance(self.way, Stacked)
        logs: list[Mapping[str, Tensor]] = []
        for step, rate in enumerate(rates.to(batches.images.device)):
            x, targets = batches.gather(rows[:, step], labels[:, step])
            noise = self.noise.draw(x.device)
            self.state, measured = self.way.step(self.state, x, targets, noise, rate.expand(len(rows)))
            logs.append({name: value.cpu() for name, value in measured.items()})
        # In memory as after a checkpoint: sums over entries depend on their layout.
        self.state = pytree.tree_map(lambda t: t.contiguous(), self.state)
        return {name: torch.stack([log[name] for log in logs]) for name in logs[0]}

    @torch.no_grad()
    def evaluated(self) -> Tensors:
        """The parameters [R, ...] that are scored and handed over."""
        return vmap(self.update.chain.evaluated)(dict(self.parameters), self.state.memory)
