"""Rounds of federated averaging: each client's steps by the compiled program, then the server's step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor
from torch.func import vmap
from torch.utils import _pytree as pytree

from study.clipping.none import NoClipping
from study.config.variants import Variant
from study.optim.rng import generator, stream_seed
from study.optim.tensors import Tensors
from study.regularization.none import NoRegularization
from study.training.batches import Batches
from study.training.program import Program
from study.training.recorder import Recorder
from study.training.replicates import Replicates, side_by_side
from study.training.server import Server, ServerState
from study.training.stacked import Stacked
from study.training.update import State
from study.workloads.federated import Federated


@dataclass(eq=False)
class Clients(Replicates, trains=Federated):
    """R servers, each with K clients of which m take part in a round.

    `variant` is that of a client's steps, `whole` the one that is trained; dealt [R, K, n]: the training digits of each
    client; server_state: stacked [R, ...]; drawn [R, K]: how often each client was drawn.
    """

    whole: Variant | None = None
    dealt: Tensor = field(default_factory=lambda: torch.empty(0))
    server_state: ServerState = field(default_factory=lambda: ServerState({}, {}, {}))
    draws_of_clients: tuple[Generator, ...] = ()
    draws_of_noise: tuple[Generator, ...] = ()
    drawn: Tensor = field(default_factory=lambda: torch.empty(0))

    @classmethod
    def start(cls, variant: Variant, seeds: Sequence[int], batches: Batches) -> Self:
        """Return servers with fresh models, and clients dealt by the stream `clients` of each seed."""
        made = super().start(of_clients(variant), seeds, batches)
        workload = federated(variant)
        made.whole = variant
        deals = zip(seeds, batches.train_labels, strict=True)
        randoms = [(np.random.default_rng(stream_seed(seed, "clients")), labels) for seed, labels in deals]
        made.dealt = torch.stack([workload.split.deal(labels, workload.clients, random) for random, labels in randoms])
        states = [made.server.initial_state(made.model(r).parameters) for r in range(len(seeds))]
        made.server_state = pytree.tree_map(lambda *t: torch.stack(t), *states)
        made.draws_of_clients = tuple(generator(seed, "rounds") for seed in seeds)
        made.draws_of_noise = tuple(generator(seed, "server-noise") for seed in seeds)
        made.drawn = torch.zeros(len(seeds), workload.clients, dtype=torch.int64)
        return made

    @property
    def server(self) -> Server:
        """Server of each replicate."""
        assert self.whole is not None
        workload = federated(self.whole)
        clip = self.whole.clip if workload.clip_at == "update" else NoClipping()
        return Server(workload, clip, [r for r in self.whole.regularization if r.overrides("evaluated")])

    @torch.no_grad()
    def epoch(self, batches: Batches, recorder: Recorder) -> None:
        """Train one round of every active replicate."""
        if self.way is None:
            with recorder.watch.part("compiling"):
                self.choose_way(batches)
        rows, labels = self.digits_of_round(batches)
        horizon = self.variant.epochs * rows.shape[2]
        factors = [self.variant.schedule.factor(self.taken + i, horizon) for i in range(rows.shape[2])]
        rates = torch.tensor([self.variant.optimizer.lr * factor for factor in factors])
        take = self.each_by_itself if isinstance(self.way, Program) else self.all_at_once
        measured = take(batches, rows, labels, rates, recorder.training)
        self.taken += rows.shape[2]
        if recorder.every_step:
            recorder.log.add(measured)

    def steps_at_once(self, batches: Batches) -> int:
        return federated(self.variant).client_steps(batches.train.shape[1], self.variant.batch_size)

    def digits_of_round(self, batches: Batches) -> tuple[Tensor, Tensor]:
        """Return rows and labels [R, m, S, B] of the clients drawn for a round, in the order of their steps."""
        workload, size = federated(self.variant), self.variant.batch_size
        chosen = [torch.randperm(workload.clients, generator=g)[: workload.sampled] for g in self.draws_of_clients]
        for drawn, clients in zip(self.drawn, chosen, strict=True):
            drawn[clients] += 1
        places = torch.stack([
            torch.stack([in_batches(own, size, workload.local_epochs, order) for own in dealt[clients]])
            for dealt, clients, order in zip(self.dealt, chosen, batches.orders, strict=True)
        ])  # fmt: skip
        flat = places.flatten(1)
        return batches.train.gather(1, flat).view_as(places), batches.train_labels.gather(1, flat).view_as(places)

    def each_by_itself(
        self, batches: Batches, rows: Tensor, labels: Tensor, rates: Tensor, training: NDArray[np.bool_]
    ) -> Tensors:
        """Train a round by the program, one client after the other; return measurements [m S, R, ...]."""
        found: dict[int, Tensors] = {}
        for r in map(int, np.flatnonzero(training)):
            start = self.update.initial_state(self.model(r).parameters)
            clients = [self.stepped(r, start, *own, rates) for own in zip(rows[r], labels[r], strict=True)]
            self.close_round(r, {key: torch.stack([s.parameters[key] for s, _ in clients]) for key in start.parameters})
            found[r] = {name: torch.cat([log[name] for _, log in clients]) for name in clients[0][1]}
        return side_by_side(found, len(rows))

    def all_at_once(
        self, batches: Batches, rows: Tensor, labels: Tensor, rates: Tensor, training: NDArray[np.bool_]
    ) -> Tensors:
        """Train a round of all clients of all replicates together by torch; return measurements [m S, R, ...]."""
        assert isinstance(self.way, Stacked)
        count, m = rows.shape[:2]
        noises = [self.noise.of_replicate(r, len(rates)) for r in range(count) for _ in range(m)]
        noise = pytree.tree_map(lambda *t: torch.stack(t).to(batches.images.device), *noises)
        starts = [self.update.initial_state(self.model(r).parameters) for r in range(count) for _ in range(m)]
        state: State = pytree.tree_map(lambda *t: torch.stack(t), *starts)
        rows, labels = rows.flatten(0, 1), labels.flatten(0, 1)
        logs: list[Mapping[str, Tensor]] = []
        for step, rate in enumerate(rates.to(batches.images.device)):
            x, targets = batches.gather(rows[:, step], labels[:, step])
            now = pytree.tree_map(lambda t, step=step: t[:, step].contiguous(), noise)
            state, measured = self.way.step(state, x, targets, now, rate.expand(len(rows)))
            logs.append({name: value.cpu() for name, value in measured.items()})
        for r in map(int, np.flatnonzero(training)):
            self.close_round(r, {key: p[r * m : (r + 1) * m] for key, p in state.parameters.items()})
        found = {name: torch.stack([log[name] for log in logs]).unflatten(1, (count, m)) for name in logs[0]}
        return {name: value.movedim(2, 0).flatten(0, 1) for name, value in found.items()}

    def close_round(self, r: int, learned: Tensors) -> None:
        """Take the server's step of one replicate, given its clients' learned parameters [m, ...]."""
        old, state = self.model(r).parameters, pytree.tree_map(lambda t: t[r], self.server_state)
        updates = {key: old[key] - p for key, p in learned.items()}
        random = self.draws_of_noise[r]
        noise = {key: torch.zeros(p.shape).to(p) for key, p in old.items()}
        count = torch.zeros(())
        if federated(self.variant).noise_multiplier:
            noise = {key: torch.randn(p.shape, generator=random).to(p) for key, p in old.items()}
            count = torch.randn((), generator=random)
        new, after, noted = self.server.round(old, state, updates, noise, count)
        pytree.tree_map(lambda kept, value: kept.copy_(value), old, new)
        pytree.tree_map(lambda kept, value: kept.copy_(value), state, after)
        noted["most_drawn"] = self.drawn[r].max()
        self.last[r] = [float(noted[name]) for name in federated(self.variant).columns]

    @torch.no_grad()
    def evaluated(self) -> Tensors:
        """Return the parameters [R, ...] that are scored and handed over."""
        return vmap(self.server.evaluated)(dict(self.parameters), self.server_state)


def federated(variant: Variant) -> Federated:
    """Return the settings of a federated variant."""
    assert isinstance(variant.workload, Federated)
    return variant.workload


def of_clients(variant: Variant) -> Variant:
    """Return the variant of a client's steps, without a clip of updates and without averages over rounds."""
    left = tuple(r for r in variant.regularization if not r.overrides("evaluated"))
    clip = NoClipping() if federated(variant).clip_at == "update" else variant.clip
    return variant.model_copy(update={"clip": clip, "regularization": left or (NoRegularization(),)})


def in_batches(own: Tensor, size: int, epochs: int, random: Generator) -> Tensor:
    """Return a client's digits [n] as batches [S, B], in a new order each epoch; incomplete ones are dropped."""
    steps = len(own) // size
    orders = [torch.randperm(len(own), generator=random)[: steps * size] for _ in range(epochs)]
    return own[torch.cat(orders)].view(epochs * steps, size)
