"""The step in order: what is clipped, what is not, and what is measured in between."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import pytest
import torch
from cases import CLIP_MODES, REGULARIZATION_MODES, Make, variant
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional as F

from study.models import sites
from study.optim.rng import Distribution
from study.optim.tensors import one_hot
from study.regularization import Place, Regularization
from study.training.measurements import EVERY_STEP, norms_after, step_statistics
from study.training.step import Chain

Tensors = dict[str, Tensor]
BATCH, INPUTS, CLASSES = 9, 9, 4  # images of 3 x 3 pixels


class Setting:
    """A chain for a net 9-12-8-4, its parameters and a batch."""

    def __init__(self, **changes: Any) -> None:
        random = torch.Generator().manual_seed(0)
        self.variant = variant(**changes)
        module = self.variant.model.build(INPUTS, CLASSES)
        self.parameters = self.variant.model.initialise(module, random)
        self.chain = Chain(self.variant, module)
        self.x = torch.randn(BATCH, INPUTS, generator=random)
        self.labels = torch.randint(0, CLASSES, (BATCH,), generator=random)
        draws = self.chain.draws(sites(module, BATCH, INPUTS), self.parameters)
        self.noise = {name: {key: drawn(draw, random) for key, draw in each.items()} for name, each in draws.items()}

    def step(self, plain: bool = False) -> tuple[Tensors, Tensors]:
        """What the optimizer makes its step of, and what was measured."""
        take = self.chain.plain_gradient_step if plain else self.chain.gradient_step
        memory = self.chain.initial_memory(self.parameters)
        given = self.parameters, memory, self.x, one_hot(self.labels, CLASSES), self.noise
        direction, _, measured = take(*given)
        return direction.product(), measured

    def statistics(self) -> dict[str, float]:
        """By name, of one step."""
        sizes = torch.tensor([p.numel() for p in self.parameters.values()])
        return dict(zip(EVERY_STEP, step_statistics(self.step()[1], sizes).tolist(), strict=True))

    def gradient_of(self, loss: Any) -> Tensors:
        """By torch.autograd, of a function of the parameters."""
        leaves = {key: p.clone().requires_grad_() for key, p in self.parameters.items()}
        return dict(zip(leaves, torch.autograd.grad(loss(leaves), list(leaves.values())), strict=True))

    def data_loss(self, parameters: Tensors) -> Tensor:
        return F.cross_entropy(functional_call(self.chain.module, parameters, (self.x,)), self.labels)


def drawn(draw: Distribution, random: torch.Generator) -> Tensor:
    numbers = torch.empty(draw.shape)
    draw.fill(numbers, random)
    return numbers


def assert_close(a: Tensors, b: Tensors) -> None:
    assert list(a) == list(b)
    for key in a:
        torch.testing.assert_close(a[key], b[key], rtol=1e-5, atol=1e-7)


def clipped(gradient: Tensors, c: float) -> Tensors:
    size = torch.cat([g.flatten() for g in gradient.values()]).norm()
    return {key: g * min(1.0, c / float(size)) for key, g in gradient.items()}


def test_a_penalty_is_clipped_together_with_the_datas_gradient() -> None:
    s = Setting(regularization={"name": "l2", "strength": 3.0})
    weights = ("layers.0.weight", "layers.1.weight", "layers.2.weight")
    total = s.gradient_of(lambda p: s.data_loss(p) + 1.5 * sum(p[key].square().sum() for key in weights))
    assert_close(s.step()[0], clipped(total, 0.5))


def test_penalties_of_a_combination_add_up() -> None:
    both = [{"name": "l2", "strength": 0.2}, {"name": "l1", "strength": 0.1}]
    s = Setting(clip="none", regularization=both)
    weights = ("layers.0.weight", "layers.1.weight", "layers.2.weight")
    total = s.gradient_of(
        lambda p: s.data_loss(p) + sum(0.1 * p[key].square().sum() + 0.1 * p[key].abs().sum() for key in weights)
    )
    assert_close(s.step()[0], total)


def test_the_measured_loss_leaves_penalties_out_and_the_norm_counts_them() -> None:
    plain, penalized = Setting(), Setting(regularization={"name": "l2", "strength": 3.0})
    assert penalized.statistics()["loss"] == plain.statistics()["loss"]
    assert plain.statistics()["loss"] == pytest.approx(float(plain.data_loss(plain.parameters)), rel=1e-6)
    assert penalized.statistics()["norm_before"] > 1.5 * plain.statistics()["norm_before"]


WEIGHT_DECAY = {"name": "weight_decay", "strength": 3.0, "biases": True}


def test_a_regularizer_of_the_gradient_acts_after_the_clip() -> None:
    s = Setting(regularization=WEIGHT_DECAY)
    h = clipped(s.gradient_of(s.data_loss), 0.5)
    assert_close(s.step()[0], {key: h[key] + 3.0 * p for key, p in s.parameters.items()})
    assert s.statistics()["norm_after"] <= 0.5, "the norm after the clip is measured before the decay is added"


def test_without_measuring_it_acts_too() -> None:
    s = Setting(regularization=WEIGHT_DECAY)
    measured, plain = s.step()[0], s.step(plain=True)[0]
    assert all(torch.equal(measured[key], plain[key]) for key in plain)


@pytest.mark.parametrize("biases", [False, True])
def test_l2_is_weight_decay_but_for_the_clip(biases: bool) -> None:
    """Under SGD the two are one method without a clip, and two methods with it."""
    both = [{"name": name, "strength": 0.3, "biases": biases} for name in ("l2", "weight_decay")]
    for clip, same in (("none", True), ({"name": "global_norm", "max_norm": 0.5}, False)):
        a, b = (Setting(clip=clip, regularization=r).step()[0] for r in both)
        assert all(torch.allclose(a[key], b[key], rtol=1e-5, atol=1e-7) for key in a) == same


def every_method() -> Mapping[str, dict[str, Any]]:
    clips = {f"clip {label}": {"clip": make(0.05)} for label, make in CLIP_MODES.items()}
    return clips | {f"with {label}": {"regularization": make(0.3)} for label, make in REGULARIZATION_MODES.items()}


@pytest.mark.parametrize("changes", every_method().values(), ids=every_method())
def test_measuring_changes_no_bit_of_the_gradient(changes: dict[str, Any]) -> None:
    s = Setting(**changes)
    gradient, measured = s.step()
    plain, loss = s.step(plain=True)
    assert all(torch.equal(gradient[key], plain[key]) for key in plain)
    assert loss == {"loss": measured["loss"]}
    assert measured["before"].shape == (len(s.parameters),)


def test_what_the_optimizer_gets_is_measured_where_it_is_not_what_was_clipped() -> None:
    assert "given" not in Setting().step()[1]
    gradient, measured = Setting(regularization=WEIGHT_DECAY).step()
    assert float(measured["given"]) == pytest.approx(float(torch.cat([g.flatten() for g in gradient.values()]).norm()))


@pytest.mark.parametrize("make", CLIP_MODES.values(), ids=CLIP_MODES)
def test_norms_before_and_after_bear_the_right_names(make: Make) -> None:
    s = Setting(clip=make(0.05))
    gradient, measured = s.step()
    raw, found = s.gradient_of(s.data_loss), s.statistics()
    before, after = measured["before"], norms_after(measured)
    for norms, tensors, name in ((before, raw, "norm_before"), (after, gradient, "norm_after")):
        expected = torch.stack([g.norm() for g in tensors.values()])
        torch.testing.assert_close(norms, expected, rtol=1e-5, atol=1e-8)
        assert found[name] == pytest.approx(float(expected.norm()), rel=1e-5)


def test_dropout_acts_on_the_hidden_layers_with_the_given_noise() -> None:
    s = Setting(clip="none", regularization={"name": "dropout", "p": 0.5})
    assert {site: tuple(u.shape) for site, u in s.noise["dropout"].items()} == {"hidden0": (9, 12), "hidden1": (9, 8)}

    def by_hand(p: Tensors) -> Tensor:
        h = s.x
        for layer in (0, 1):
            h = torch.relu(F.linear(h, p[f"layers.{layer}.weight"], p[f"layers.{layer}.bias"]))
            h = torch.where(s.noise["dropout"][f"hidden{layer}"] < 0.5, 0.0, 2 * h)
        return F.cross_entropy(F.linear(h, p["layers.2.weight"], p["layers.2.bias"]), s.labels)

    assert_close(s.step()[0], s.gradient_of(by_hand))


def test_noise_is_asked_for_only_by_those_who_use_it() -> None:
    both = [{"name": "l2", "strength": 0.2}, {"name": "dropout", "p": 0.5}]
    assert set(Setting(regularization=both).noise) == {"dropout"}
    assert Setting().noise == {}


def test_each_regularizer_gets_the_noise_of_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Regularization, "members", dict(Regularization.members))

    class Shift(Regularization):
        name: Literal["shift_for_a_test"] = "shift_for_a_test"
        place: ClassVar[Place] = "model"

        def noise(self, sites: Mapping[str, tuple[int, ...]], parameters: Tensors) -> Mapping[str, Distribution]:
            return {"hidden1": Distribution(sites["hidden1"])}

        def activation(self, site: str, h: Tensor, noise: Tensors) -> Tensor:
            return h + noise[site] if site in noise else h

    s = Setting(regularization=[{"name": "dropout", "p": 0.5}, Shift()])
    h = torch.ones(BATCH, 8)
    dropped = torch.where(s.noise["dropout"]["hidden1"] < 0.5, 0.0, 2 * h)
    expected = dropped + s.noise["shift_for_a_test"]["hidden1"]
    assert torch.equal(s.chain.site(s.noise)("hidden1", h), expected)


def test_only_an_update_makes_the_chain_update() -> None:
    s = Setting(regularization=[WEIGHT_DECAY, {"name": "l1", "strength": 1.0}])
    assert not s.chain.updaters
    assert s.chain.after_update(s.parameters, {}, 0.1) == (s.parameters, {})


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30))
def test_one_hot(labels: list[int]) -> None:
    given_ = torch.tensor(labels)
    expected = F.one_hot(given_, 10).float()
    assert torch.equal(one_hot(given_, 10), expected)
    assert torch.equal(one_hot(given_, 10, out=torch.full((len(labels), 10), 7.0)), expected)
    assert torch.equal(one_hot(given_[None].repeat(3, 1), 10), expected.repeat(3, 1, 1))
