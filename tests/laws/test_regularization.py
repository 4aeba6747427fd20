"""Laws of every registered regularization; study.laws has them in words.

A new method comes under them by its line in `cases.REGULARIZATIONS`, one that acts on the parameters by its line in
`minima.MINIMA` too. Where it does not obey a law, its class says so in `waives`, with the reason; a waiver of a law
that holds after all fails too.
"""

import math
from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest
import torch
from cases import REGULARIZATION_MODES, REGULARIZATIONS, Make, shipped, variant
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from minima import MINIMA, nearby
from one_step import SHAPES, Step
from pydantic import ValidationError
from statements import marks_of
from torch import Tensor
from torch.func import grad, vmap
from torch.utils import _pytree as pytree

from study.config.variants import Variant
from study.data import Digits
from study.methods.laws import REGULARIZATION_LAWS
from study.regularization import Place, Regularization
from study.training import engine
from study.training.records import RunRecord

pytestmark = pytest.mark.slow

Tensors = dict[str, Tensor]
HOOKS: dict[str, set[str]] = {
    "none": set(),
    "data": {"batch"},
    "model": {"activation"},
    "loss": {"penalty", "penalized_gradient", "data_penalty"},
    "gradient": {"ascent", "before_clip", "after_clip"},
    "update": {"update"},
    "projection": {"update"},
    "stopping": {"stops"},
    "evaluation": {"update", "evaluated"},
}
STATED: dict[str, Callable[[Regularization], bool]] = {}  # the laws that a test below bears, and what they are about
# A waiver's counterexample needs no shrinking.
FEW = settings(max_examples=15, phases=(Phase.explicit, Phase.generate), derandomize=True)
SEEDS = st.integers(0, 1000)


def everywhere(method: Regularization) -> bool:
    return True


def in_the_loss(method: Regularization) -> bool:
    return method.overrides("penalty")


def pulls(method: Regularization) -> bool:
    """Whether it draws the parameters somewhere, whatever the data."""
    return "biases" in type(method).model_fields or in_the_loss(method) or method.place in ("update", "projection")


def law(name: str, about: Callable[[Regularization], bool] = everywhere) -> pytest.MarkDecorator:
    """Parametrises the test of a law by every regularizer it is about; those that waive it must break it."""
    STATED[name] = about

    def row(label: str, make: Make) -> Any:
        together = pytest.mark.xdist_group(f"laws of {label}")  # one worker: a training of one law serves another
        return pytest.param(make, id=label, marks=[*marks_of(name, make(0.5).waives.get(name)), together])

    made = [row(label, make) for label, make in REGULARIZATION_MODES.items() if about(make(0.5))]
    return pytest.mark.parametrize("make", made)


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
    assert set(REGULARIZATIONS) == shipped(Regularization), "give each method a line in cases.REGULARIZATIONS"
    moving = {name for name in REGULARIZATIONS if Regularization.members[name].place in ("update", "projection")}
    assert set(MINIMA) == moving, "say in minima.MINIMA what the proximal step or projection minimises"


def test_every_law_is_stated_and_waived_only_where_it_applies_with_a_reason() -> None:
    assert set(REGULARIZATION_LAWS) == set(STATED)
    for method in (make(0.5) for make in REGULARIZATION_MODES.values()):
        assert all(STATED[law](method) and reason for law, reason in method.waives.items())


def test_labels_are_unique_and_read_back() -> None:
    methods = [make(s) for make in REGULARIZATION_MODES.values() for s in (0.5, 0.1, 1e-5)]
    distinct = {m.model_dump_json() for m in methods}
    assert len({m.label for m in methods}) == len(distinct)
    assert len({variant(regularization=m).slug for m in methods}) == len(distinct)
    assert [Regularization.parse(m.model_dump(mode="json")) for m in methods] == methods


@law("acts_where_it_says")
def test_it_acts_where_it_says(make: Make) -> None:
    """Elsewhere it may look at the gradient, to remember something, but hands back the one it got."""
    method, hooks = make(0.5), set[str]().union(*HOOKS.values())
    assert method.place in get_args(Place)
    step = Step(method, seed=0)
    w, g, _, _, noise, state = step.alone(0)
    looks = {name for name in ("before_clip", "after_clip") if getattr(method, name)(g, w, noise, state)[0] is g}
    acts = {name for name in hooks - looks if method.overrides(name)}
    assert acts <= HOOKS[method.place]
    assert bool(acts) == (method.place != "none")


@law("slope", in_the_loss)
@given(w=parameters(), zero=st.sampled_from([None, *SHAPES]))
@FEW
def test_penalty_gradient_is_the_finite_difference_and_autograds(make: Make, w: Tensors, zero: str | None) -> None:
    method, direction = make(0.7), {key: torch.cos(7 * t) for key, t in w.items()}  # any direction will do
    step = 1e-4
    up, down = ({key: t + s * direction[key] for key, t in w.items()} for s in (step, -step))
    measured = float(method.penalty(up) - method.penalty(down)) / (2 * step)
    g = {key: torch.cos(3 * t) for key, t in w.items()}
    assert float((flat(method.penalized_gradient(g, w)) - flat(g)) @ flat(direction)) == pytest.approx(
        measured, rel=1e-5, abs=1e-5
    )
    w = w if zero is None else {**w, zero: torch.zeros_like(w[zero])}
    added, slope = method.penalized_gradient(g, w), grad(method.penalty)(w)
    assert list(added) == list(g)
    for key in g:
        torch.testing.assert_close(added[key], g[key] + slope[key])


@law("penalty_form", in_the_loss)
@given(w=parameters())
@FEW
def test_penalty_is_even_nonnegative_and_linear_in_its_strength(make: Make, w: Tensors) -> None:
    penalty = make(0.7).penalty(w)
    assert penalty.shape == ()
    assert penalty > 0
    torch.testing.assert_close(make(0.7).penalty({key: -t for key, t in w.items()}), penalty)
    torch.testing.assert_close(2 * penalty, make(1.4).penalty(w))


@law("slope_at_zero", in_the_loss)
def test_penalty_gradient_is_finite_at_zero(make: Make) -> None:
    zero = {key: torch.zeros(shape) for key, shape in SHAPES.items()}
    assert flat(grad(make(0.7).penalty)(zero)).isfinite().all()
    assert flat(make(0.7).penalized_gradient(zero, zero)).isfinite().all()


@law("biases_exempt", pulls)
@given(seed=SEEDS)
@FEW
def test_biases_are_exempt_unless_asked(make: Make, seed: int) -> None:
    step = Step(make(0.7), seed)
    w, g, _, _, _, _ = step.alone(0)
    made = step.everything(*step.alone(0))
    changes = [(made["penalized"], g), (made["before"][0], g), (made["after"][0], g), (made["update"][0], w)]
    changed = {key for key in w if any(not torch.equal(new[key], old[key]) for new, old in changes)}
    biases = {key for key in w if w[key].ndim == 1}
    assert changed & biases == (biases if getattr(step.method, "biases", False) else set())


@law("minimises", lambda method: method.name in MINIMA)
@given(seed=SEEDS, scale=st.sampled_from([0.1, 0.3, 1.0]), lr=st.sampled_from([0.1, 0.5]))
@FEW
def test_no_point_nearby_does_better_than_its_step(make: Make, seed: int, scale: float, lr: float) -> None:
    method, random = make(0.5), np.random.default_rng(seed)
    w = {key: scale * torch.from_numpy(random.standard_normal(shape)) for key, shape in SHAPES.items()}
    state = method.initial_state(w)
    for _ in range(300):  # as long as what it remembers needs to settle on these parameters
        found, state = method.update(w, lr, state)
    x, start = ({key: t.numpy() for key, t in tensors.items()} for tensors in (found, w))
    least = MINIMA[method.name](method, x, start, lr)
    assert math.isfinite(least)
    for other in nearby(x, start, random):
        assert MINIMA[method.name](method, other, start, lr) >= least - 1e-5 * scale**2


@law("mapped")
@given(count=st.integers(1, 4), seed=SEEDS)
@FEW
def test_mapped_over_replicates_is_one_at_a_time(make: Make, count: int, seed: int) -> None:
    step = Step(make(0.5), seed, count)
    stacked = vmap(step.everything)(*step.given)
    alone = [step.everything(*step.alone(r)) for r in range(count)]
    torch.testing.assert_close(stacked, pytree.tree_map(lambda *each: torch.stack(each), *alone))


@pytest.mark.usefixtures("global_randomness_untouched")
@law("given_noise")
def test_noise_comes_from_the_given_stream_alone_and_nothing_is_changed_in_place(make: Make) -> None:
    step = Step(make(0.5), seed=0)
    copies = pytree.tree_map(torch.clone, step.given)
    once, again = (step.everything(*step.alone(0)) for _ in range(2))
    torch.testing.assert_close(once, again, rtol=0, atol=0)
    torch.testing.assert_close(step.given, copies, rtol=0, atol=0)


Train = Callable[..., RunRecord]
CLIP = {"name": "global_norm", "max_norm": 0.5}


@pytest.fixture(scope="module")
def train(digits: Digits) -> Train:
    """The record of a run without regularization or with one, remembered; under a clip unless told otherwise."""

    made: dict[str, RunRecord] = {}

    def of(epochs: int, method: Regularization | None = None, clip: Any = CLIP) -> RunRecord:
        v = variant(regularization=method or "none", epochs=epochs, clip=clip)
        if v.digest not in made:
            (made[v.digest],) = engine.train(v, [3], digits)
        return made[v.digest]

    return of


def epochs(method: Regularization) -> int:
    """As many as it takes to act."""
    return 4 if method.place == "stopping" else 2


@law("zero_is_none")
def test_zero_strength_is_none_bit_for_bit(make: Make, train: Train) -> None:
    """Beside a clip too, but for what acts between it and the optimizer."""
    zero = switched_off(make)
    clip = "none" if zero.overrides("after_clip") else CLIP
    assert trace(train(epochs(zero), zero, clip)) == trace(train(epochs(zero), clip=clip))


@law("zero_is_none")
def test_zero_strength_beside_a_clip_is_none_but_for_rounding(make: Make, train: Train) -> None:
    """What acts after the clip needs its coefficients in the gradient, which else the optimizer puts in."""
    zero = switched_off(make)
    found, plain = train(epochs(zero), zero), train(epochs(zero))
    for name in ("loss", "norm_before", "norm_after"):
        assert found.steps[name] == pytest.approx(plain.steps[name], rel=1e-4)
    assert found.final["test"].loss == pytest.approx(plain.final["test"].loss, rel=1e-4)


@law("some_is_not_none")
def test_some_strength_is_not_none(make: Make, train: Train) -> None:
    some = make(0.1)
    assert trace(train(epochs(some), some)) != trace(train(epochs(some)))


def switched_off(make: Make) -> Regularization:
    """The method at strength zero; a user's own may have no such number."""
    if make(0.5).name in REGULARIZATIONS:
        return make(0.0)
    try:
        zero = make(0.0)
    except ValidationError:
        zero = make(0.5)
    if zero == make(0.5):
        pytest.skip("no number switches it off")
    return zero


def trace(record: RunRecord) -> tuple[Any, ...]:
    """What a training did, exactly: losses and norms of every step, the final weights and scores.

    Not the size of the updates, which is measured, so rounded, in another way where something follows the optimizer.
    """
    steps = tuple(record.steps[name].tobytes() for name in ("loss", "norm_before", "norm_after"))
    weights = tuple((h.norm, h.largest, h.shares.tobytes()) for h in record.weights.values())
    return *steps, weights, tuple(sorted((k, s.loss, s.accuracy) for k, s in record.final.items()))


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
