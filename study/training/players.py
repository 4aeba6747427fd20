"""Steps of two players, a discriminator and a generator, as parts of one model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.func import functional_call

from study.clipping.none import NoClipping
from study.config.variants import Variant
from study.models import Site, untouched
from study.models.base import sigmoid
from study.optim.rng import Distribution, Noise, Normal
from study.optim.tensors import Tensors, global_norm, tensor_norms
from study.regularization.none import NoRegularization
from study.training.measurements import measure
from study.training.step import Batch, Chain, Clipped, Direction, MethodState
from study.training.update import State, Update, moved_by
from study.workloads.adversarial import Adversarial, Player

LATENT = "latent"  # stream of what the generator makes digits of
OF_GENERATOR = "in the generator's step: "  # before the names of streams of the discriminator's regularizers
Part = TypeVar("Part")
PLAYERS: tuple[Player, ...] = ("discriminator", "generator")


class Pair(nn.Module):
    """A discriminator of pixels [B, P] -> [B, 1] and a generator of latent [B, L] -> [B, P], whose output is squashed.

    low, high: the range of the pixels; equal, for a generator whose output stays as it is.
    """

    def __init__(self, discriminator: nn.Module, generator: nn.Module, low: float = 0.0, high: float = 0.0) -> None:
        super().__init__()
        self.discriminator, self.generator = discriminator, generator
        self.low, self.high = low, high

    def forward(self, x: Tensor, site: Site = untouched) -> Tensor:
        """Return the discriminator's logits."""
        logits: Tensor = self.discriminator(x, site)
        return logits

    def generate(self, parameters: Tensors, latent: Tensor) -> Tensor:
        """Return the samples [B, P] of a generator of these parameters."""
        made: Tensor = functional_call(self.generator, parameters, (latent,))
        return made if self.low == self.high else self.low + (self.high - self.low) * sigmoid(made)


@dataclass(frozen=True)
class GeneratorBatch(Batch):
    """The generator's batch: x is latent [B, L], its network that of both players, of whom one learns."""

    players: Players
    opponent: Tensors

    def _network(self, parameters: Tensors, x: Tensor) -> Tensor:
        made = self.players.module.generate(parameters, x)
        for regularizer in self.players.discriminator.variant.regularization:
            if regularizer.overrides("batch"):
                made, _ = regularizer.batch(made, self.targets, self.noise.get(regularizer.name, {}))
        site = self.players.discriminator.site(self.noise)
        logits: Tensor = functional_call(self.players.module.discriminator, self.opponent, (made, site))
        return logits

    def _loss_of(self, logits: Tensor) -> Tensor:
        return adversarial(self.players.variant).loss.of_generator(logits)


@dataclass(frozen=True)
class Players(Chain):
    """The steps of both players of a variant, each a chain of its own; `module` is their pair.

    What a model carries has the player's name before each of its parts, as in `discriminator.layers.0.weight`.
    """

    module: Pair

    @cached_property
    def discriminator(self) -> Chain:
        """The step of the discriminator: of a net of one logit that learns from twice as many rows."""
        return Chain(of_player(self.variant, "discriminator"), self.module.discriminator)

    @cached_property
    def generator(self) -> Chain:
        """The step of the generator, but for its batch."""
        return Chain(of_player(self.variant, "generator"), self.module.generator)

    def chain(self, player: Player) -> Chain:
        """The chain of a player."""
        return self.discriminator if player == "discriminator" else self.generator

    def discriminator_step(
        self, state: State, real: Tensor, generated: Tensor, noise: Noise
    ) -> tuple[Direction, Clipped, MethodState]:
        """Return the discriminator's direction, clipped gradient and next memory; rows [B, P] of both kinds."""
        targets = torch.cat([rows_of_class(real, 1), rows_of_class(generated, 0)])
        x = torch.cat([real, generated])
        return self.discriminator.step(state.parameters, state.memory, x, targets, noise)

    def generator_step(
        self, state: State, opponent: Tensors, latent: Tensor, noise: Noise
    ) -> tuple[Direction, Clipped, MethodState]:
        """Return the same for the generator, given the discriminator's parameters and latent [B, L]."""
        own = {name.removeprefix(OF_GENERATOR): one for name, one in noise.items() if name.startswith(OF_GENERATOR)}
        batch = GeneratorBatch(self.generator, latent, rows_of_class(latent, 0), own, self, opponent)
        clipped, memory = batch.clipped(state.parameters, state.memory)
        return clipped.direction, clipped, memory

    def evaluated(self, parameters: Tensors, memory: MethodState) -> Tensors:
        each = [prefixed(one, self.chain(one).evaluated(part(one, parameters), part(one, memory))) for one in PLAYERS]
        return each[0] | each[1]

    def draws(self, sites: Mapping[str, tuple[int, ...]], parameters: Tensors) -> dict[str, Mapping[str, Distribution]]:
        """The random numbers of a step; sites: of the discriminator at the rows of a batch, of which it sees two."""
        own = part("discriminator", parameters)
        doubled = {name: (2 * shape[0], *shape[1:]) for name, shape in sites.items()}
        seen = [
            r for r in self.discriminator.variant.regularization if r.overrides("batch") or r.overrides("activation")
        ]
        passing = {OF_GENERATOR + r.name: draws for r in seen if (draws := r.noise(sites, own))}
        latent = Normal((next(iter(sites.values()))[0], adversarial(self.variant).latent))
        return {**self.discriminator.draws(doubled, own), **passing, LATENT: dict.fromkeys(PLAYERS, latent)}

    def initial_memory(self, parameters: Tensors) -> MethodState:
        each = [prefixed(one, self.chain(one).initial_memory(part(one, parameters))) for one in PLAYERS]
        return each[0] | each[1]


@dataclass(frozen=True)
class PlayersUpdate(Update):
    """A step of the discriminator, and one of the generator against what it was or, alternating, against what it is."""

    chain: Players

    def initial_state(self, parameters: Tensors) -> State:
        optimizer = self.chain.variant.optimizer
        each = [prefixed(one, optimizer.initial_state(part(one, parameters))) for one in PLAYERS]
        return State(parameters, each[0] | each[1], self.chain.initial_memory(parameters))

    def __call__(
        self, state: State, x: Tensor, targets: Tensor, noise: Noise, lr: Tensor
    ) -> tuple[State, dict[str, Tensor]]:
        """The state after a step of both on real digits x [B, P], and what was measured of whom the clips act on.

        targets: their labels, of which nothing is made. The loss is the discriminator's.
        """
        workload = adversarial(self.chain.variant)
        old = {player: of_state(player, state) for player in PLAYERS}
        generated = self.chain.module.generate(old["generator"].parameters, noise[LATENT]["discriminator"])
        first = self.chain.discriminator_step(old["discriminator"], x, generated, noise)
        new: dict[Player, State] = {
            "discriminator": self.moved("discriminator", old["discriminator"], first[0], first[2], lr)
        }
        opponent = (new if workload.updates == "alternating" else old)["discriminator"].parameters
        second = self.chain.generator_step(old["generator"], opponent, noise[LATENT]["generator"], noise)
        rate = workload.generator_rate * lr
        new["generator"] = self.moved("generator", old["generator"], second[0], second[2], rate)
        after = joined(new)
        measured = {"loss": first[1].loss}
        if self.every_step:
            taken = {"discriminator": first[:2], "generator": second[:2]}
            measured |= self.statistics({one: taken[one] for one in workload.clipped}, state, after)
            measured["loss"], measured["rate"] = first[1].loss, lr
        return after, measured

    def moved(self, player: Player, old: State, direction: Direction, memory: MethodState, lr: Tensor) -> State:
        """A player's state after its optimizer's step and what follows it."""
        return moved_by(self.chain.chain(player), old, direction.product(), memory, lr)[0]

    def statistics(
        self, taken: Mapping[Player, tuple[Direction, Clipped]], before: State, after: State
    ) -> dict[str, Tensor]:
        """Return what `measure` finds for some players' clipped gradients as one, and the sizes of their moves."""
        each = [clipped for _, clipped in taken.values()]
        gradient = merged(taken, [one.before for one in each])
        untouched_ = all(one.after is one.before for one in each)
        clipped = gradient if untouched_ else merged(taken, [one.after for one in each])
        scales = [one.scale for one in each if one.scale is not None]
        measured = measure(each[0].loss, gradient, clipped, merged(taken, scales) if scales else None)
        new = {key: p for key, p in after.parameters.items() if key.startswith(tuple(taken))}
        steps = {key: p - before.parameters[key] for key, p in new.items()}
        return measured | {"weights": global_norm(tensor_norms(new)), "moved": global_norm(tensor_norms(steps))}


def adversarial(variant: Variant) -> Adversarial:
    """The settings of an adversarial variant."""
    assert isinstance(variant.workload, Adversarial)
    return variant.workload


def of_player(variant: Variant, player: Player) -> Variant:
    """The variant of one player's step: its clip if it is clipped, and the regularizers that act on it."""
    workload, for_generator = adversarial(variant), player == "generator"
    left = tuple(r for r in variant.regularization if r.overrides("evaluated") == for_generator)
    changes = {"regularization": left or (NoRegularization(),), "loss": workload.loss}
    return variant.model_copy(update=changes | ({} if player in workload.clipped else {"clip": NoClipping()}))


def rows_of_class(x: Tensor, number: int) -> Tensor:
    """Targets [B, 2] of rows x [B, ...] that all are generated (0) or real (1)."""
    each = (x.new_full((len(x),), float(number == one)) for one in (0, 1))
    return torch.stack(tuple(each), -1)


def prefixed(player: Player, parts: Mapping[str, Part]) -> dict[str, Part]:
    """The parts of a player, named as such."""
    return {f"{player}.{name}": one for name, one in parts.items()}


def part(player: Player, parts: Mapping[str, Part]) -> dict[str, Part]:
    """Return a player's parts, by their own names."""
    start = f"{player}."
    return {name.removeprefix(start): one for name, one in parts.items() if name.startswith(start)}


def of_state(player: Player, state: State) -> State:
    """Return the state of a player."""
    return State(part(player, state.parameters), part(player, state.optimizer), part(player, state.memory))


def joined(each: Mapping[Player, State]) -> State:
    """Return the state of both players."""
    parameters, optimizer, memory = (
        {name: one for player in PLAYERS for name, one in prefixed(player, getattr(each[player], field)).items()}
        for field in ("parameters", "optimizer", "memory")
    )
    return State(parameters, optimizer, memory)


def merged(players: Iterable[Player], each: Iterable[Tensors]) -> Tensors:
    """Tensors of several players as those of one."""
    return {
        name: one
        for player, tensors in zip(players, each, strict=True)
        for name, one in prefixed(player, tensors).items()
    }
