"""Laws of every registered clipping, over gradients of random shapes and scales.

A new method comes under them by its line in `cases.CLIPPINGS` and its size in `SIZES`; one of a user's own file, given
by `--methods`, by itself. Where it does not obey a law, it says so in its `waives`, with the reason; a waiver of a law
that holds after all fails too.
"""

import math
from typing import get_args

import pytest
import torch
from cases import CLIP_MODES, CLIPPINGS, Make, shipped
from clips import (
    STATED,
    Net,
    assert_close,
    clip,
    clips,
    cosine_is_one,
    each,
    finite,
    one_net,
    pieces,
    same,
    spoiled,
    states,
    tensors_of_a_net,
)
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from sizes import SIZES, scaled, size
from torch.func import vmap

from study.clipping import Clipping, Rescaling
from study.clipping.base import Part
from study.methods.laws import CLIPPING_LAWS

FEW = settings(max_examples=20, derandomize=True)  # a method is told the same each time
WAIVABLE = settings(FEW, phases=(Phase.explicit, Phase.generate))  # a waiver's counterexample needs no shrinking
NETS = tensors_of_a_net()
BOUNDS = st.floats(0.01, 10.0)
LARGE = st.floats(1.2, 1000.0)


def test_every_clipping_is_under_the_laws() -> None:
    names = shipped(Clipping)
    assert set(CLIPPINGS) == names, "give each method a line in cases.CLIPPINGS"
    assert set(SIZES) == names, "say in SIZES how large a gradient is beside the method's bound"
    assert {make(0.5).name for make in CLIP_MODES.values()} >= names


@pytest.mark.parametrize("method", Clipping.members.values(), ids=Clipping.members)
def test_it_says_what_it_acts_on_and_waives_laws_that_there_are(method: type[Clipping]) -> None:
    assert method.acts_per in get_args(Part)
    assert set(method.waives) <= set(CLIPPING_LAWS)
    assert all(method.waives.values()), "give the reason"


def test_every_law_is_stated_by_a_test() -> None:
    assert STATED - {""} == set(CLIPPING_LAWS)


@each("unchanged_below")
@WAIVABLE
@given(net=NETS, c=BOUNDS, to=st.floats(0.01, 0.99))
def test_unchanged_below_the_bound(make: Make, net: Net, c: float, to: float) -> None:
    g = scaled(make, c, *net, to)
    assert same(clip(make, c, g, net[1]), g)


@each("bound_met")
@WAIVABLE
@given(net=NETS, c=BOUNDS, to=LARGE)
def test_bound_met_above_it(make: Make, net: Net, c: float, to: float) -> None:
    g = scaled(make, c, *net, to)
    assert size(make, c, clip(make, c, g, net[1]), net[1]) == pytest.approx(1, rel=5e-4)


@each("idempotent")
@WAIVABLE
@given(net=NETS, c=BOUNDS, to=LARGE)
def test_clipping_twice_is_clipping_once(make: Make, net: Net, c: float, to: float) -> None:
    """In the same state: a method that remembers sees the first clip of the step again."""
    once = clip(make, c, scaled(make, c, *net, to), net[1])
    assert_close(clip(make, c, once, net[1]), once)


@each("direction_kept")
@WAIVABLE
@given(net=NETS, c=BOUNDS, to=LARGE)
def test_direction_kept(make: Make, net: Net, c: float, to: float) -> None:
    g = scaled(make, c, *net, to)
    h = clip(make, c, g, net[1])
    part = make(c).acts_per
    if part == "coordinate":
        assert all(torch.equal(torch.sign(g[key]), torch.sign(h[key])) for key in g)
    else:
        assert all(cosine_is_one(*both) for both in zip(pieces(g, part), pieces(h, part), strict=True))


@each("homogeneous")
@WAIVABLE
@given(net=NETS, c=BOUNDS, to=st.floats(0.1, 1000.0))
def test_homogeneous(make: Make, net: Net, c: float, to: float) -> None:
    """clip_c(g) = c clip_1(g / c)."""
    assume(abs(to - 1) > 1e-3)
    g, w = scaled(make, c, *net, to), net[1]
    unit = clip(make, 1.0, {key: t / c for key, t in g.items()}, w)
    assert_close(clip(make, c, g, w), {key: c * t for key, t in unit.items()})


@each("zero_kept")
@WAIVABLE
@given(net=NETS, c=BOUNDS)
def test_zero_stays_zero(make: Make, net: Net, c: float) -> None:
    zero = {key: torch.zeros_like(t) for key, t in net[0].items()}
    assert all(same(h, zero) for h in clips(make, c, zero, net[1]))


@each("form_kept")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(data=st.data())
@settings(max_examples=5)
def test_shape_and_dtype_kept(make: Make, dtype: torch.dtype, data: st.DataObject) -> None:
    """Of the gradient, and of what is remembered."""
    g, w = data.draw(tensors_of_a_net(dtype))
    for bound in (1e-3, 1e6):
        for state in states(make(bound), bound, w):
            for given_, made in zip((g, state), make(bound).clip(g, w, state), strict=True):
                assert [*made] == [*given_]
                assert [(t.shape, t.dtype) for t in made.values()] == [(t.shape, t.dtype) for t in given_.values()]


@each("form_kept")
def test_device_kept(make: Make) -> None:
    g = {"weight": torch.ones(3, 2, device="meta"), "bias": torch.ones(3, device="meta")}
    method = make(0.5)
    state = method.initial_state(g)
    for made in ({**g, **state}, *method.clip(g, g, state)):
        assert {t.device.type for t in made.values()} <= {"meta"}
    if isinstance(method, Rescaling):
        assert {t.device.type for t in method.coefficients(g, g, state)[0].values()} == {"meta"}


@pytest.mark.usefixtures("global_randomness_untouched")
@each("no_randomness")
def test_no_random_number_drawn(make: Make) -> None:
    g, w = one_net()
    for state in states(make(0.1), 0.1, w):
        once, again = (make(0.1).clip(g, w, state) for _ in range(2))
        assert same(once[0], again[0])
        assert same(once[1], again[1])


@each("mapped")
@WAIVABLE
@given(nets=st.integers(1, 4), c=BOUNDS, seed=st.integers(0, 1000))
def test_mapped_over_replicates_is_one_at_a_time(make: Make, nets: int, c: float, seed: int) -> None:
    each_net = [one_net(seed + r) for r in range(nets)]
    g, w = ({key: torch.stack([net[i][key] for net in each_net]) for key in each_net[0][i]} for i in (0, 1))
    for each_state in zip(*(states(make(c), c, net[1]) for net in each_net), strict=True):
        state = {key: torch.stack([s[key] for s in each_state]) for key in each_state[0]}
        stacked = vmap(make(c).clip)(g, w, state)
        for r, net in enumerate(each_net):
            for ours, alone in zip(stacked, make(c).clip(*net, each_state[r]), strict=True):
                torch.testing.assert_close({key: t[r] for key, t in ours.items()}, alone, rtol=1e-6, atol=1e-7)


@each("nan_visible")
@WAIVABLE
@given(net=NETS, c=BOUNDS, at=st.integers(0, 10**6))
def test_nan_stays_visible(make: Make, net: Net, c: float, at: int) -> None:
    assert not any(finite(h) for h in clips(make, c, spoiled(net[0], at, math.nan), net[1]))


@each("infinity_visible")
@WAIVABLE
@given(net=NETS, c=BOUNDS, at=st.integers(0, 10**6), value=st.sampled_from([math.inf, -math.inf]))
def test_infinity_stays_visible(make: Make, net: Net, c: float, at: int, value: float) -> None:
    assert not any(finite(h) for h in clips(make, c, spoiled(net[0], at, value), net[1]))


@each("never_all_zero")
@WAIVABLE
@given(net=NETS, c=BOUNDS, at=st.integers(0, 10**6), value=st.sampled_from([math.inf, -math.inf, math.nan]))
def test_a_spoiled_gradient_never_becomes_all_zero(make: Make, net: Net, c: float, at: int, value: float) -> None:
    for clipped in clips(make, c, spoiled(net[0], at, value), net[1]):
        assert any(bool((t != 0).any()) for t in clipped.values())


@each("inputs_kept")
@WAIVABLE
@given(net=NETS, c=BOUNDS, to=LARGE)
def test_inputs_are_not_changed(make: Make, net: Net, c: float, to: float) -> None:
    g, w = scaled(make, c, *net, to), net[1]
    for state in states(make(c), c, w):
        copies = [{key: t.clone() for key, t in tensors.items()} for tensors in (g, w, state)]
        make(c).clip(g, w, state)
        assert all(same(*both) for both in zip((g, w, state), copies, strict=True))


@pytest.mark.parametrize("make", [m for m in CLIP_MODES.values() if isinstance(m(0.5), Rescaling)])
@FEW
@given(net=NETS, c=BOUNDS)
def test_coefficients_say_what_the_clip_does(make: Make, net: Net, c: float) -> None:
    method, (g, w) = make(c), net
    stretches = "unchanged_below" in method.waives
    for state in states(method, c, w):
        scale, following = method.coefficients(g, w, state)
        clipped, after = method.clip(g, w, state)
        assert all(float(s) >= 0 and (stretches or float(s) <= 1) for s in scale.values())
        assert_close(clipped, {key: t * float(scale[key]) for key, t in g.items()}, relative=1e-6)
        assert same(following, after)
