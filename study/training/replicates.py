"""Replicates in supervised training: their state from step to step, and one pass over their digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn
from torch.func import vmap
from torch.utils import _pytree as pytree

from study.config.variants import Variant
from study.models import sites
from study.optim.rng import NoiseStreams, generator
from study.optim.tensors import Tensors
from study.training.batches import Batches
from study.training.evaluation import Labelled, Score, score
from study.training.probes import probe
from study.training.program import Program
from study.training.recorder import Recorder
from study.training.stacked import Stacked, StackedByTorch
from study.training.step import Chain
from study.training.update import State, Update
from study.workloads import Workload


@dataclass(eq=False)
class Replicates:
    """R models in training: what they carry from step to step, stacked [R, ...], and the random streams.

    way: how steps are taken, once it is known; reason: why not by the compiled program, if so; optimizer: of
    torch, where the variant has such a one of a user; last [R, C]: what trainers keep as `noted`.
    A subclass trains another workload, which its head names: `class Clients(Replicates, trains=Federated)`.
    """

    trainers: ClassVar[dict[type[Workload], type[Replicates]]] = {}
    variant: Variant
    module: nn.Module
    update: Update
    state: State
    noise: NoiseStreams
    way: Program | Stacked | None = None
    reason: str = ""
    optimizer: torch.optim.Optimizer | None = None
    taken: int = 0
    last: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))

    def __init_subclass__(cls, trains: type[Workload] | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if trains is not None:
            Replicates.trainers[trains] = cls

    @classmethod
    def start(cls, variant: Variant, seeds: Sequence[int], batches: Batches) -> Self:
        """Return fresh models, each initialised from the `init` stream of its seed."""
        module = cls.module_of(variant, batches)
        update = cls.update_of(variant, module)
        each = [cls.initialised(variant, module, generator(seed, "init")) for seed in seeds]
        draws = update.chain.draws(sites(module, cls.rows_of_step(variant, batches), batches.images.shape[1]), each[0])
        states = [update.initial_state(one) for one in each]
        state = pytree.tree_map(lambda *t: torch.stack(t).to(variant.device), *states)
        noise = NoiseStreams.open(draws, seeds)
        last = np.full((len(seeds), len(variant.workload.columns)), np.nan)
        if not variant.optimizer.by_torch:
            return cls(variant, module, update, state, noise, last=last)
        trained: Tensors = {key: nn.Parameter(p) for key, p in state.parameters.items()}
        built = variant.optimizer.build(trained.values())
        return cls(variant, module, update, replace(state, parameters=trained), noise, optimizer=built, last=last)

    @classmethod
    def module_of(cls, variant: Variant, batches: Batches) -> nn.Module:
        """The architecture of one model."""
        return variant.model.build(batches.images.shape[1], batches.classes)

    @classmethod
    def initialised(cls, variant: Variant, module: nn.Module, random: Generator) -> Tensors:
        """Fresh parameters of one model."""
        return variant.model.initialise(module, random)

    @classmethod
    def update_of(cls, variant: Variant, module: nn.Module) -> Update:
        """The whole step of a variant."""
        return Update(cls.chain_of(variant, module), variant.statistics.every_step)

    @classmethod
    def chain_of(cls, variant: Variant, module: nn.Module) -> Chain:
        """Return the step of a variant up to the optimizer."""
        return Chain(variant, module)

    @classmethod
    def rows_of_step(cls, variant: Variant, batches: Batches) -> int:
        """Return the number of rows of a batch."""
        return variant.batch_size

    @property
    def parameters(self) -> Tensors:
        """The parameters of all models, [R, ...]."""
        return self.state.parameters

    def model(self, r: int) -> State:
        """The state of one model, in the memory of all."""
        return pytree.tree_map(lambda t: t[r], self.state)

    @torch.no_grad()
    def epoch(self, batches: Batches, recorder: Recorder) -> None:
        """Make one pass over each replicate's training digits; the last, incomplete batch is dropped.

        A replicate whose training has ended stays unchanged if each is trained by itself.
        """
        if self.way is None:
            with recorder.watch.part("compiling"):
                self.choose_way(batches)
        rows, labels = self.rows_of_epoch(batches)
        steps = rows.shape[1]
        factors = [self.variant.schedule.factor(self.taken + i, self.variant.steps) for i in range(steps)]
        rates = torch.tensor([self.variant.optimizer.lr * factor for factor in factors])
        take = self.each_by_itself if isinstance(self.way, Program) else self.all_at_once
        measured = take(batches, rows, labels, rates, recorder.training)
        self.taken += steps
        if recorder.every_step:
            recorder.log.add(measured)

    def choose_way(self, batches: Batches) -> None:
        """Compile the program; if that fails, or on a GPU, say why and leave the steps to torch."""
        if self.optimizer is not None:
            self.way = StackedByTorch(self.update, optimizer=self.optimizer)
            self.reason = f"{self.variant.optimizer.owner()} is an optimizer of torch"
            return
        self.way, self.reason = Stacked(self.update), f"the device is '{self.variant.device}'"
        if self.variant.device != "cpu":
            return
        size, steps = self.rows_of_step(self.variant, batches), self.steps_at_once(batches)
        everything = replace(self.update, every_step=True)
        given = (everything, self.model(0), self.noise.draws, batches.images, size, batches.classes, steps)
        try:
            self.way, self.reason = Program.of(*given), ""
        except TimeoutError:  # the job's time is up
            raise
        except Exception as error:  # a method's own mistake comes up again where torch takes the steps
            self.reason = f"{type(error).__name__}: {error}".splitlines()[0]

    def rows_of_epoch(self, batches: Batches) -> tuple[Tensor, Tensor]:
        """Rows and labels [R, S, B] of the steps of the next epoch; a label of -1 stands for no digit."""
        (rows, labels), size = batches.epoch(), self.variant.batch_size
        steps = rows.shape[1] // size
        rows, labels = (part[:, : steps * size].unflatten(1, (steps, size)) for part in (rows, labels))
        return rows, labels

    def steps_at_once(self, batches: Batches) -> int:
        """The most steps that one model takes on end."""
        return batches.train.shape[1] // self.variant.batch_size

    def each_by_itself(
        self, batches: Batches, rows: Tensor, labels: Tensor, rates: Tensor, training: NDArray[np.bool_]
    ) -> Tensors:
        """Steps on rows, labels [R, S, B] by the program, one replicate after the other; measurements [S, R, ...]."""
        found: dict[int, Tensors] = {}
        for r in map(int, np.flatnonzero(training)):
            after, found[r] = self.stepped(r, self.model(r), rows[r], labels[r], rates)
            pytree.tree_map(lambda old, new: old.copy_(new), self.model(r), after)
        return side_by_side(found, len(rows))

    def stepped(self, r: int, state: State, rows: Tensor, labels: Tensor, rates: Tensor) -> tuple[State, Tensors]:
        """Return one model's state after steps on rows, labels [S, B] by the program, and measurements [S, ...]."""
        assert isinstance(self.way, Program)
        logs: list[Mapping[str, Tensor]] = []
        for some in torch.arange(len(rates)).split(self.way.steps):
            noise = self.noise.of_replicate(r, len(some))
            state, measured = self.way.run(state, rows[some], labels[some], noise, rates[some], self.update.every_step)
            logs.append(measured)
        return state, {name: torch.cat([log[name] for log in logs]) for name in logs[0]}

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

    def score(self, parameters: Tensors, given: Labelled) -> Score:
        """The score of one model on a set."""
        return score(self.module, parameters, given)

    def probe(self, parameters: Tensors, images: Tensor, labels: Tensor, classes: int) -> Tensor:
        """The statistics named in `study.training.probes.PROBES` of one model on images [B, P] and labels [B]."""
        return probe(self.module, self.variant.loss, parameters, images, labels, classes)

    def samples(self, parameters: Tensors) -> Tensor | None:
        """Digits that one model makes, grey levels [N, P] of uint8, of a workload that has a table of them."""
        return None

    @property
    def noted(self) -> NDArray[np.float64]:
        """The workload's own columns of the epoch just taken, [R, C]."""
        return self.last


def side_by_side(found: Mapping[int, Tensors], count: int) -> Tensors:
    """Measurements [S, ...] of some of R = `count` replicates as [S, R, ...], NaN for the others."""
    unknown = {name: torch.full_like(log, torch.nan) for name, log in next(iter(found.values())).items()}
    return {name: torch.stack([found.get(r, unknown)[name] for r in range(count)], 1) for name in unknown}
