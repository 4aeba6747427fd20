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

from study import replicates
from study.data import Digits
from study.records import RunRecord
from study.regularization import Place, Regularization
from study.variants import Variant

Tensors = dict[str, Tensor]
SHAPES = {"layers.0.weight": (4, 3), "layers.0.bias": (4,), "layers.1.weight": (2, 4), "layers.1.bias": (2,)}
SITES = {"input": (5, 3), "hidden0": (5, 4)}
EACH = pytest.mark.parametrize("make", REGULARIZATION_MODES.values(), ids=REGULARIZATION_MODES.keys())
IN_THE_LOSS = {key: m for key, m in REGULARIZATION_MODES.items() if m(0.5).place == "loss"}
EACH_PENALTY = pytest.mark.parametrize("make", IN_THE_LOSS.values(), ids=IN_THE_LOSS.keys())
ACTS_THROUGH = {"none": set(), "model": {"activation"}, "loss": {"penalty"}, "gradient": {"gradient"}}
ACTS_THROUGH |= {"update": {"update"}, "projection": {"update"}}


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
    acts = {name for name in ("activation", "penalty", "gradient", "update") if method.overrides(name)}
    assert acts == ACTS_THROUGH[method.place]


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


@EACH
@given(count=st.integers(1, 4), seed=st.integers(0, 1000))
@settings(max_examples=10)
def test_mapped_over_replicates_is_one_at_a_time(make: Make, count: int, seed: int) -> None:
    method, random = make(0.5), torch.Generator().manual_seed(seed)
    w = {key: torch.randn(count, *shape, generator=random) for key, shape in SHAPES.items()}
    h = torch.randn(count, *SITES["hidden0"], generator=random)
    noise = {k: torch.rand(count, *shape, generator=random) for k, shape in method.noise(SITES).items()}

    def everything(w: Tensors, h: Tensor, noise: Tensors) -> Tensors:
        penalty = method.penalty(w)
        made = {"activation": method.activation("hidden0", h, noise), **method.gradient(w, w)}
        made |= {f"penalized {key}": t for key, t in method.penalized_gradient(w, w).items()}
        made |= {f"new {key}": t for key, t in method.update(w, 0.1).items()}
        return made if penalty is None else {**made, "penalty": penalty}

    stacked = vmap(everything)(w, h, noise)
    for r in range(count):
        alone = everything({k: t[r] for k, t in w.items()}, h[r], {k: t[r] for k, t in noise.items()})
        for key, t in alone.items():
            torch.testing.assert_close(stacked[key][r], t)


@pytest.mark.usefixtures("global_randomness_untouched")
@EACH
def test_noise_comes_from_the_given_stream_alone_and_nothing_is_changed_in_place(make: Make) -> None:
    method, random = make(0.5), torch.Generator().manual_seed(0)
    w = {key: torch.randn(shape, generator=random) for key, shape in SHAPES.items()}
    h = {site: torch.randn(shape, generator=random) for site, shape in SITES.items()}
    noise = {site: torch.rand(shape, generator=random) for site, shape in method.noise(SITES).items()}
    given_ = [*w.values(), *h.values(), *noise.values()]
    copies = [t.clone() for t in given_]

    def once() -> list[Tensor]:
        activations = [method.activation(site, h[site], noise) for site in SITES]
        made = method.gradient(w, w), method.penalized_gradient(w, w), method.update(w, 0.1)
        return [*activations, *(t for tensors in made for t in tensors.values())]

    assert all(torch.equal(a, b) for a, b in zip(once(), once(), strict=True))
    method.penalty(w)
    assert all(torch.equal(a, b) for a, b in zip(given_, copies, strict=True))


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
