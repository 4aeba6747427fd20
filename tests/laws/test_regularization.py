"""Laws of every registered regularization.

A new method comes under them by its line in `cases.REGULARIZATIONS`.
"""

from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch
from cases import REGULARIZATION_MODES, REGULARIZATIONS, Make, variant
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.func import grad, vmap
from torch.utils import _pytree as pytree

from study import replicates
from study.data import Digits
from study.records import RunRecord
from study.regularization import Objective, Place, Regularization
from study.variants import Variant

Tensors = dict[str, Tensor]
SHAPES = {"layers.0.weight": (4, 3), "layers.0.bias": (4,), "layers.1.weight": (2, 4), "layers.1.bias": (2,)}
SITES = {"input": (5, 3), "hidden0": (5, 4)}
EACH = pytest.mark.parametrize("make", REGULARIZATION_MODES.values(), ids=REGULARIZATION_MODES.keys())
IN_THE_LOSS = {key: m for key, m in REGULARIZATION_MODES.items() if m(0.5).overrides("penalty")}
EACH_PENALTY = pytest.mark.parametrize("make", IN_THE_LOSS.values(), ids=IN_THE_LOSS.keys())
HOOKS: dict[str, set[str]] = {
    "none": set(),
    "data": {"batch"},
    "model": {"activation"},
    "loss": {"penalty", "data_penalty"},
    "gradient": {"ascent", "before_clip", "after_clip"},
    "update": {"update"},
    "projection": {"update"},
    "stopping": {"stops"},
    "evaluation": {"update", "evaluated"},
}


@st.composite
def parameters(draw: st.DrawFn) -> Tensors:
    """Parameters of a small net in float64, none of them within 0.01 of a kink of |w|."""
    random = torch.Generator().manual_seed(draw(st.integers(0, 2**32 - 1)))
    scale = 10.0 ** draw(st.integers(0, 2))
    raw = {key: torch.randn(shape, generator=random, dtype=torch.float64) for key, shape in SHAPES.items()}
    return {key: scale * (w + 0.01 * torch.sign(w)) for key, w in raw.items()}


def flat(tensors: Tensors) -> Tensor:
    return torch.cat([t.flatten() for t in tensors.values()])


def test_every_regularization_is_under_the_laws() -> None:
    names = set(Regularization.members)
    assert set(REGULARIZATIONS) == names, "give each method a line in cases.REGULARIZATIONS"


def test_labels_are_unique_and_read_back() -> None:
    methods = [make(s) for make in REGULARIZATION_MODES.values() for s in (0.5, 0.1, 1e-5)]
    distinct = {m.model_dump_json() for m in methods}
    assert len({m.label for m in methods}) == len(distinct)
    assert len({variant(regularization=m).slug for m in methods}) == len(distinct)
    assert [Regularization.parse(m.model_dump(mode="json")) for m in methods] == methods


@EACH
def test_it_acts_where_it_says(make: Make) -> None:
    method = make(0.5)
    assert method.place in get_args(Place)
    acts = {name for hooks in HOOKS.values() for name in hooks if method.overrides(name)}
    assert acts <= HOOKS[method.place]
    assert bool(acts) == (method.place != "none")


@EACH_PENALTY
@given(w=parameters())
@settings(max_examples=25)
def test_penalty_gradient_is_the_finite_difference(make: Make, w: Tensors) -> None:
    method, direction = make(0.7), {key: torch.cos(7 * t) for key, t in w.items()}  # any direction will do
    step = 1e-4
    up, down = ({key: t + s * direction[key] for key, t in w.items()} for s in (step, -step))
    measured = float(method.penalty(up) - method.penalty(down)) / (2 * step)
    slope = flat(grad(method.penalty)(w)) @ flat(direction)
    assert float(slope) == pytest.approx(measured, rel=1e-5, abs=1e-5)


@EACH
@given(w=parameters(), zero=st.sampled_from([None, *SHAPES]))
@settings(max_examples=15)
def test_penalized_gradient_adds_the_slope_of_the_penalty(make: Make, w: Tensors, zero: str | None) -> None:
    """Closed forms agree with autograd, where a whole tensor is zero too; without a penalty nothing is added."""
    method = make(0.7)
    w = w if zero is None else {**w, zero: torch.zeros_like(w[zero])}
    g = {key: torch.cos(3 * t) for key, t in w.items()}
    slope = grad(method.penalty)(w) if method.overrides("penalty") else {key: 0 * t for key, t in w.items()}
    added = method.penalized_gradient(g, w)
    assert list(added) == list(g)
    for key in g:
        torch.testing.assert_close(added[key], g[key] + slope[key])


@EACH_PENALTY
@given(w=parameters())
@settings(max_examples=25)
def test_penalty_is_even_nonnegative_and_linear_in_its_strength(make: Make, w: Tensors) -> None:
    penalty = make(0.7).penalty(w)
    assert penalty.shape == ()
    assert penalty > 0
    torch.testing.assert_close(make(0.7).penalty({key: -t for key, t in w.items()}), penalty)
    torch.testing.assert_close(2 * penalty, make(1.4).penalty(w))


@EACH_PENALTY
def test_penalty_gradient_is_finite_at_zero(make: Make) -> None:
    zero = {key: torch.zeros(shape) for key, shape in SHAPES.items()}
    assert flat(grad(make(0.7).penalty)(zero)).isfinite().all()


@EACH_PENALTY
@given(w=parameters())
@settings(max_examples=10)
def test_biases_are_exempt_unless_asked(make: Make, w: Tensors) -> None:
    method = make(0.7)
    pull = grad(method.penalty)(w)
    assert all((pull[key] != 0).all() for key in w if w[key].ndim > 1)
    assert {bool((pull[key] != 0).any()) for key in w if w[key].ndim == 1} == {method.biases}


class Step:
    """All that a regularizer may be asked in one step of a net 3-4-2, with random tensors in."""

    def __init__(self, method: Regularization, seed: int, count: int = 1) -> None:
        random = torch.Generator().manual_seed(seed)
        self.method = method
        self.w = {key: torch.randn(count, *shape, generator=random) for key, shape in SHAPES.items()}
        self.g = {key: torch.randn(count, *shape, generator=random) for key, shape in SHAPES.items()}
        self.h = {site: torch.randn(count, *shape, generator=random) for site, shape in SITES.items()}
        self.targets = torch.randn(count, 5, 2, generator=random).softmax(-1)
        draws = method.noise(SITES, {key: w[0] for key, w in self.w.items()})
        self.noise = {key: torch.empty(count, *draw.shape) for key, draw in draws.items()}
        for key, draw in draws.items():
            for row in self.noise[key]:
                draw.fill(row, random)
        states = [method.initial_state({key: w[r] for key, w in self.w.items()}) for r in range(count)]
        self.state = {key: torch.stack([state[key] for state in states]) for key in states[0]}

    @property
    def given(self) -> tuple[Any, ...]:
        return self.w, self.g, self.h, self.targets, self.noise, self.state

    def alone(self, r: int) -> tuple[Any, ...]:
        return pytree.tree_map(lambda t: t[r], self.given)

    def everything(
        self, w: Tensors, g: Tensors, h: Tensors, targets: Tensor, noise: Tensors, state: Tensors
    ) -> dict[str, Any]:
        """What every hook answers."""
        method, x = self.method, h["input"]
        made: dict[str, Any] = {"batch": method.batch(x, targets, noise)}
        made |= {site: method.activation(site, each, noise) for site, each in h.items()}
        made |= {"penalized": method.penalized_gradient(g, w), "ascent": method.ascent(g, w)}
        made |= {"before": method.before_clip(g, w, noise, state), "after": method.after_clip(g, w, noise, state)}
        made |= {"update": method.update(w, 0.1, state), "evaluated": method.evaluated(w, state)}
        if method.overrides("penalty"):
            made["penalty"] = method.penalty(w)
        if method.overrides("data_penalty"):
            seen = Objective(x, lambda p: -(targets * network(p, x).log_softmax(-1)).sum(-1).mean(), network)
            made["data_penalty"] = method.data_penalty(w, seen, noise)
        return made


def network(p: Tensors, x: Tensor) -> Tensor:
    first, first_bias, last, last_bias = p.values()
    return torch.nn.functional.linear(torch.nn.functional.linear(x, first, first_bias).tanh(), last, last_bias)


@EACH
@given(count=st.integers(1, 4), seed=st.integers(0, 1000))
@settings(max_examples=10)
def test_mapped_over_replicates_is_one_at_a_time(make: Make, count: int, seed: int) -> None:
    step = Step(make(0.5), seed, count)
    stacked = vmap(step.everything)(*step.given)
    for r in range(count):
        alone = step.everything(*step.alone(r))
        torch.testing.assert_close(pytree.tree_map(lambda t, r=r: t[r], stacked), alone)


@pytest.mark.usefixtures("global_randomness_untouched")
@EACH
def test_noise_comes_from_the_given_stream_alone_and_nothing_is_changed_in_place(make: Make) -> None:
    step = Step(make(0.5), seed=0)
    copies = pytree.tree_map(torch.clone, step.given)
    once, again = (step.everything(*step.alone(0)) for _ in range(2))
    torch.testing.assert_close(once, again, rtol=0, atol=0)
    torch.testing.assert_close(step.given, copies, rtol=0, atol=0)


@pytest.fixture(scope="module")
def unregularized(digits: Digits) -> Callable[..., RunRecord]:
    """The record of a run without regularization, or of another."""

    def train(**changes: Any) -> RunRecord:
        return replicates.train(variant(**changes), [3], digits)[0]

    plain = train()
    return lambda **changes: train(**changes) if changes else plain


@EACH
def test_zero_strength_is_none_bit_for_bit(make: Make, unregularized: Callable[..., RunRecord]) -> None:
    none, zero = unregularized(), unregularized(regularization=make(0.0))
    assert trace(zero) == trace(none)


@EACH
def test_some_strength_is_not_none(make: Make, unregularized: Callable[..., RunRecord]) -> None:
    none, some = unregularized(), unregularized(regularization=make(0.1))
    assert (trace(some) == trace(none)) == (make(0.1).name == "none")


def trace(record: RunRecord) -> tuple[Any, ...]:
    """What a training did, exactly: the losses, norms and updates of every step, and the final scores."""
    steps = tuple(record.steps[name].tobytes() for name in ("loss", "norm_before", "norm_after", "update_ratio"))
    return *steps, tuple(sorted((k, s.loss, s.accuracy) for k, s in record.final.items()))


def test_slugs_of_a_grid_are_unique() -> None:
    grid: list[Variant] = [
        variant(regularization=make(s), regime=regime)
        for make in REGULARIZATION_MODES.values()
        for s in (0.1, 0.10000001, 0.2)
        for regime in ("one", "two")
        if make(0.5).name != "none"
    ]
    assert len({v.slug for v in grid}) == len({v.digest for v in grid}) == len(grid)
    assert all(len(v.slug) <= 100 and "/" not in v.slug and " " not in v.slug for v in grid)
