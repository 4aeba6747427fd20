"""The step of adversarial training: against a plain loop of torch, and by its laws."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from cases import CLIP_MODES, REGULARIZATION_MODES, REGULARIZATIONS
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils import _pytree as pytree

from study.config.variants import Variant
from study.data import Digits
from study.optim.rng import generator
from study.regularization import Regularization
from study.training.batches import Batches
from study.training.lowering import UnknownOperatorError, lowered
from study.training.program import example
from study.training.stacked import Stacked
from study.training.trainers import trainer_of
from tests.workloads import trainings
from tests.workloads.adversaries import adversarial, trained

pytestmark = pytest.mark.slow


def perceptron(widths: list[int]) -> nn.Sequential:
    layers = [layer for a, b in pairwise(widths) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


class Loop:
    """What anyone would write: two modules, two optimizers, a loss for each."""

    def __init__(self, v: Variant, seed: int, digits: Digits) -> None:
        self.v, self.workload = v, v.workload
        self.batches = Batches.prepare(digits, v.data, [seed], "cpu")
        self.low, self.high = float(self.batches.images.min()), float(self.batches.images.max())
        self.generator = perceptron([6, 9, 7, 784])
        self.discriminator = perceptron([784, *v.model.hidden, 1])
        started = trainer_of(v.workload).start(v, [seed], self.batches).parameters
        for name in ("generator", "discriminator"):
            module = getattr(self, name)
            own = [p[0] for key, p in started.items() if key.startswith(name)]
            module.load_state_dict(dict(zip(module.state_dict(), own, strict=True)))
        lr, betas, epsilon = v.optimizer.lr, (0.5, 0.999), v.optimizer.epsilon
        self.of_discriminator = torch.optim.Adam(self.discriminator.parameters(), lr, betas, epsilon)
        rate = lr * self.workload.generator_rate
        self.of_generator = torch.optim.Adam(self.generator.parameters(), rate, betas, epsilon)
        self.latent, self.noise = generator(seed, "latent"), generator(seed, v.regularization[0].name)

    def make(self, latent: Tensor) -> Tensor:
        return self.low + (self.high - self.low) * torch.sigmoid(self.generator(latent))

    def train(self) -> list[Tensor]:
        for _ in range(self.v.epochs):
            rows, _ = self.batches.epoch()
            for some in rows[0].split(self.v.batch_size):
                self.step(self.batches.images[some])
        return [*self.discriminator.parameters(), *self.generator.parameters()]

    def step(self, real: Tensor) -> None:
        first, second = (torch.randn(len(real), 6, generator=self.latent) for _ in range(2))
        on_discriminator = self.of_both(real, self.make(first).detach())
        gradients = torch.autograd.grad(on_discriminator, list(self.discriminator.parameters()))
        if self.workload.updates == "alternating":
            self.move("discriminator", gradients)
        logits = self.discriminator(self.make(second))
        ones = torch.ones_like(logits)
        on_generator = (
            -logits.mean()
            if self.workload.loss.name == "wasserstein"
            else F.binary_cross_entropy_with_logits(logits, ones)
        )
        of_generator = torch.autograd.grad(on_generator, list(self.generator.parameters()))
        if self.workload.updates == "simultaneous":
            self.move("discriminator", gradients)
        self.move("generator", of_generator)

    def move(self, player: str, gradients: tuple[Tensor, ...]) -> None:
        module = getattr(self, player)
        for p, g in zip(module.parameters(), gradients, strict=True):
            p.grad = g
        if self.v.clip.name == "global_norm" and self.workload.clip_at in (player, "both"):
            nn.utils.clip_grad_norm_(module.parameters(), self.v.clip.max_norm)
        getattr(self, f"of_{player}").step()
        if player == "discriminator" and (r := self.v.regularization[0]).name == "weight_clipping":
            for p in module.parameters():
                p.data.clamp_(-r.bound, r.bound)

    def of_both(self, real: Tensor, made: Tensor) -> Tensor:
        r = self.v.regularization[0]
        if r.name == "input_noise":
            drawn = torch.randn(2 * len(real), 784, generator=self.noise)
            real, made = real + r.std * drawn[: len(real)], made + r.std * drawn[len(real) :]
        right = 1 - r.smoothing if r.name == "one_sided_smoothing" else 1.0
        on_real, on_made = self.discriminator(real), self.discriminator(made)
        if self.workload.loss.name == "wasserstein":
            loss = on_made.mean() - on_real.mean()
        else:
            targets = torch.full_like(on_real, right), torch.zeros_like(on_made)
            both = zip((on_real, on_made), targets, strict=True)
            loss = sum(F.binary_cross_entropy_with_logits(logits, y) for logits, y in both)
        return loss + self.penalty(r, real, made)

    def penalty(self, r: Any, real: Tensor, made: Tensor) -> Tensor | float:
        """By autograd's double backward."""
        if r.name == "r1":
            return r.strength / 2 * self.slopes(real).square().sum(1).mean()
        if r.name == "r2":
            return r.strength / 2 * self.slopes(made).square().sum(1).mean()
        if r.name == "wgan_gp":
            share = torch.rand(len(real), 1, generator=self.noise)
            return r.strength * (self.slopes(share * real + (1 - share) * made).norm(dim=1) - 1).square().mean()
        if r.name == "dragan":
            around = torch.randn(real.shape, generator=self.noise)
            return r.strength * (self.slopes(real + r.std * around).norm(dim=1) - 1).square().mean()
        return 0.0

    def slopes(self, x: Tensor) -> Tensor:
        x = x.detach().requires_grad_()
        (slopes,) = torch.autograd.grad(self.discriminator(x).sum(), x, create_graph=True)
        return slopes


CLIP = {"name": "global_norm", "max_norm": 0.3}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "non-saturating": ({}, {}),
    "Wasserstein, simultaneous": ({"loss": "wasserstein", "updates": "simultaneous"}, {}),
    "two rates": ({"generator_rate": 0.25}, {}),
    "clip of the discriminator": ({}, {"clip": CLIP}),
    "clip of the generator": ({"clip_at": "generator"}, {"clip": CLIP}),
    "clip of both": ({"clip_at": "both", "updates": "simultaneous"}, {"clip": CLIP}),
    **{
        f"{name}, clipped": (work, {"clip": CLIP, "regularization": {"name": name, **given}})
        for name, given, work in (
            ("r1", {"strength": 2.0}, {}),
            ("r2", {"strength": 2.0}, {}),
            ("wgan_gp", {"strength": 10.0}, {"loss": "wasserstein"}),
            ("dragan", {"strength": 10.0, "std": 0.3}, {}),
            ("one_sided_smoothing", {"smoothing": 0.1}, {}),
        )
    },
    "weight clipping": ({"loss": "wasserstein"}, {"regularization": {"name": "weight_clipping", "bound": 0.05}}),
}

COMPILED = ("non-saturating", "clip of both", "wgan_gp, clipped")  # the others are lowered below, and the step is one


@pytest.mark.parametrize("case", CASES)
def test_it_is_the_plain_loop(case: str, digits: Digits) -> None:
    workload, changes = CASES[case]
    v = adversarial(workload, **changes)
    players, _ = trained(v, [3, 1], digits, compiled=case in COMPILED)
    assert players.reason == "", "by the compiled program"
    for r, seed in enumerate([3, 1]):
        wanted = Loop(v, seed, digits).train()
        for ours, theirs in zip(players.model(r).parameters.values(), wanted, strict=True):
            torch.testing.assert_close(ours, theirs.detach(), rtol=2e-3, atol=2e-5)


def test_torch_comes_to_what_the_program_does(digits: Digits) -> None:
    """With dropout and noise on what is seen, which both draw alike, in the steps of both players."""
    noise = {"name": "input_noise", "std": 0.2}
    v = adversarial({"clip_at": "generator"}, clip=CLIP, regularization=[{"name": "dropout", "p": 0.3}, noise])
    compiled, first = trained(v, [3, 1], digits)
    assert compiled.reason == ""
    by_torch, second = trainings.trained(v, [3, 1], digits, way=Stacked)
    for key, p in compiled.parameters.items():
        torch.testing.assert_close(by_torch.parameters[key], p, rtol=1e-2, atol=1e-4)
    np.testing.assert_allclose(first.log.columns(), second.log.columns(), rtol=2e-2, atol=1e-3, equal_nan=True)


@pytest.mark.parametrize("label", CLIP_MODES)
def test_every_clip_acts_on_both_players(label: str, digits: Digits) -> None:
    clip = CLIP_MODES[label](0.05).model_dump(mode="json")
    players, recorder = trained(adversarial({"clip_at": "both"}, clip=clip, epochs=1), [0], digits, compiled=False)
    assert all(bool(p.isfinite().all()) for p in players.parameters.values())
    names = {key.partition(".")[0] for key in players.parameters}
    assert names == {"discriminator", "generator"}
    assert recorder.log.norms().shape[-1] == len(players.parameters)


@pytest.mark.parametrize("label", REGULARIZATION_MODES)
def test_every_regularizer_acts(label: str, digits: Digits) -> None:
    one = REGULARIZATION_MODES[label](0.1).model_dump(mode="json")
    v = adversarial(regularization=one, epochs=1)
    players, _ = trained(v, [0], digits, compiled=False)
    plain, _ = trained(adversarial(epochs=1), [0], digits, compiled=False)
    assert all(bool(p.isfinite().all()) for p in players.parameters.values())
    apart = [float((p - plain.parameters[key]).abs().max()) for key, p in players.parameters.items()]
    acts = one["name"] not in ("none", "early_stopping", "weight_averaging")
    assert (max(apart) > 0) == acts


SEEN_BY_THE_GENERATOR = ("data_penalty", "batch", "activation")  # hooks within its gradient or that of a gradient
SHOWN = [name for name in REGULARIZATIONS if any(map(Regularization.members[name].overrides, SEEN_BY_THE_GENERATOR))]


@pytest.mark.parametrize("name", SHOWN)
def test_the_step_can_be_compiled(name: str, digits: Digits) -> None:
    """Every operator has a counterpart, those of gradients of gradients among them, but one: torch then takes over."""
    one = Regularization.parse({"name": name, **REGULARIZATIONS[name][0](0.1)}).model_dump(mode="json")
    v = adversarial(regularization=one)
    batches = Batches.prepare(digits, v.data, [0], "cpu")
    players = trainer_of(v.workload).start(v, [0], batches)
    flat, form = pytree.tree_flatten(example(players.model(0), players.noise.draws, v.batch_size, 784, 10))

    def step(*given: Tensor) -> list[Tensor]:
        return pytree.tree_leaves(players.update(*pytree.tree_unflatten(list(given), form)))

    if name == "augmentation":
        with pytest.raises(UnknownOperatorError, match="grid_sampler_2d_backward"):
            lowered(step, flat)
    else:
        assert len(lowered(step, flat).results) > len(players.parameters)


def test_a_penalty_with_dropout_draws_for_its_rows(digits: Digits) -> None:
    """A penalty at half of the rows sees the masks of the first of them."""
    both = [{"name": "dropout", "p": 0.3}, {"name": "wgan_gp", "strength": 1.0}]
    players, _ = trained(adversarial(regularization=both), [0], digits, compiled=False)
    assert all(bool(p.isfinite().all()) for p in players.parameters.values())
