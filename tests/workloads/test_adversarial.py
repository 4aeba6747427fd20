"""Adversarial training: against a plain loop of torch, by its laws, and as a whole training."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from cases import CLIP_MODES, REGULARIZATION_MODES, REGULARIZATIONS, variant
from torch import Tensor, nn
from torch.func import vmap
from torch.nn import functional as F
from torch.utils import _pytree as pytree

from study.config.variants import Variant
from study.data import Digits
from study.optim.rng import generator
from study.regularization import Regularization
from study.results import code_digest
from study.results.columns import TRAININGS
from study.results.workload_columns import WORKLOADS
from study.training import engine
from study.training.adversarial import Adversaries
from study.training.batches import Batches
from study.training.checkpoints import Checkpoint
from study.training.engine import trainer_of
from study.training.lowering import UnknownOperatorError, lowered
from study.training.program import example
from study.training.recorder import Recorder
from study.training.records import tidy
from study.training.stacked import Stacked
from study.workloads.adversarial import collapsed

LEAN = {"statistics": {"every_step": True, "windows": 50, "probes": 0}}
SIZES = {"latent": 6, "generator": [9, 7], "samples": 60}


def adversarial(workload: dict[str, Any] | None = None, **changes: Any) -> Variant:
    settings = {"name": "adversarial", **SIZES, **(workload or {})}
    adam = {"name": "adam", "lr": 0.01, "beta1": 0.5, "epsilon": 1e-4}  # rounding is not made steps of
    return variant(**{"workload": settings, "optimizer": adam, "clip": "none", **LEAN, **changes})


def trained(v: Variant, seeds: list[int], digits: Digits, compiled: bool = True) -> tuple[Adversaries, Recorder]:
    """The players after the last epoch, by the compiled program or by the step as it stands."""
    batches = Batches.prepare(digits, v.data, seeds, "cpu")
    players = trainer_of(v.workload).start(v, seeds, batches)
    assert isinstance(players, Adversaries)
    if not compiled:
        players.way = Stacked(players.update, vmap(players.update))
    recorder = Recorder.open(v, len(seeds), players.parameters)
    for _ in range(v.epochs):
        players.epoch(batches, recorder)
    return players, recorder


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
    batches = Batches.prepare(digits, v.data, [3, 1], "cpu")
    by_torch = trainer_of(v.workload).start(v, [3, 1], batches)
    assert isinstance(by_torch, Adversaries)
    by_torch.way = Stacked(by_torch.update)
    second = Recorder.open(v, 2, by_torch.parameters)
    for _ in range(v.epochs):
        by_torch.epoch(batches, second)
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


def test_weights_of_the_generator_are_averaged(digits: Digits) -> None:
    averaged, _ = trained(
        adversarial(regularization={"name": "weight_averaging", "decay": 0.5}), [0], digits, compiled=False
    )
    after, before = averaged.evaluated(), averaged.parameters
    for key, p in after.items():
        assert torch.equal(p, before[key]) == key.startswith("discriminator"), key


def test_a_seed_does_not_depend_on_its_company(digits: Digits) -> None:
    v = adversarial(clip=CLIP, regularization={"name": "dragan", "strength": 1.0})
    alone = tidy("s", engine.train(v, [1], digits))
    together = tidy("s", engine.train(v, [3, 1], digits))
    for name, table in alone.items():
        own = together[name][together[name]["seed"] == 1].reset_index(drop=True)
        same = [column for column in table if column != "wall_seconds"]
        assert table[same].equals(own[same]), name
    for name, columns in WORKLOADS["adversarial"].items():
        names = [column.name for column in columns]
        assert list(together[name].columns) == [*TRAININGS[name].names, *names], (
            "mend study/results/workload_columns.py"
        )
    runs, epochs = together["runs"], together["epochs"]
    assert (runs["validation_loss"] == runs["frechet_distance"]).all()
    assert (runs["validation_accuracy"] == runs["coverage"]).all()
    assert epochs.groupby("seed").size().tolist() == [v.epochs + 1] * 2
    assert set(together["tensors"]["tensor"].str.partition(".")[0]) == {"discriminator"}


def test_a_training_that_was_ended_goes_on_to_the_same_records(digits: Digits, tmp_path: Path) -> None:
    v = adversarial(
        {"clip_at": "both"},
        clip={"name": "zscore", "warm_up_steps": 2},
        regularization=[{"name": "dropout", "p": 0.2}, {"name": "weight_averaging", "decay": 0.5}],
    )
    whole = tidy("s", engine.train(v, [3, 1], digits))

    def end(line: str) -> None:
        if line.startswith("epoch 2 "):
            raise EndedError

    file = tmp_path / "checkpoint"
    with pytest.raises(EndedError):
        engine.train(v, [3, 1], digits, end, Checkpoint(file, {"spec": v.digest}, seconds=0.0))
    lines: list[str] = []
    resumed = tidy(
        "s", engine.train(v, [3, 1], digits, lines.append, Checkpoint(file, {"spec": v.digest}, seconds=0.0))
    )
    assert lines[0] == "goes on after epoch 1 of 2"
    for name, table in whole.items():
        same = [column for column in table if column != "wall_seconds"]
        assert table[same].equals(resumed[name][same]), name


class EndedError(Exception):
    """Stands for the end of the process."""


def test_a_run_that_is_not_finite_has_diverged_and_collapsed(digits: Digits) -> None:
    v = adversarial(optimizer={"name": "sgd", "lr": 1e9})
    runs = tidy("s", engine.train(v, [0], digits))["runs"]
    assert runs["status"].tolist() == ["diverged"]
    assert runs["collapsed"].tolist() == [1.0]
    assert runs["test_accuracy"].isna().all()


@pytest.mark.parametrize(
    ("coverage", "distance", "outcome"),
    [
        ([0.0, 0.4, 0.3], [0.9, 0.2, 0.1], False),
        ([0.0, 0.4, 0.2], [0.9, 0.2, 0.1], True),  # half of its best
        ([0.0, 0.4, 0.4], [0.9, 0.2, 0.5], True),  # on few digits
        ([0.0, 0.4, np.nan], [0.9, 0.2, np.nan], True),
    ],
)
def test_collapse_is_as_defined(coverage: list[float], distance: list[float], outcome: bool) -> None:
    assert collapsed(np.array(coverage), np.array(distance)) == outcome


def test_an_edit_of_the_players_trains_no_other_workload_again() -> None:
    files = {file.name for file in code_digest.files_of(adversarial())}
    own = {"players.py", "generated.py", "digit_features.py", "adversarial_losses.py"}
    assert own | {"replicates.py"} <= files
    assert not own & {file.name for file in code_digest.files_of(variant())}
