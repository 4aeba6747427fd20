"""Laws of every registered clipping, over gradients of random shapes and scales.

A new method comes under them by its line in `cases.CLIPPINGS` and its size in `SIZES`. Where it does not obey a
law, it says so in `WAIVED`, with the reason; a waiver of a law that holds after all fails too.
"""

import math
from itertools import pairwise
from typing import Any

import pytest
import torch
from cases import CLIP_MODES, CLIPPINGS, Make
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from sizes import SIZES, units
from torch import Tensor
from torch.func import vmap

from study.clipping import Clipping, Rescaling

Tensors = dict[str, Tensor]
Net = tuple[Tensors, Tensors]  # gradient and parameters
FEW = settings(max_examples=25)
WAIVABLE = settings(FEW, phases=(Phase.explicit, Phase.generate))  # a waiver's counterexample needs no shrinking

WAIVED: dict[str, dict[str, str]] = {
    "bound_met": {
        "none": "it has no bound",
        "sign_on_trigger": "the code it follows enlarges: c sign(g) has norm c sqrt(D)",
    },
    "infinity_visible": {
        "value": "an infinite coordinate is a large one, as in torch's clip_grad_value_; `finite` still shows it"
    },
}


# The part of the gradient within which a method keeps the direction.
KEEPS_DIRECTION_OF = {
    "none": "model",
    "global_norm": "model",
    "adaptive_unit": "unit",
    "value": "coordinate",
    "sign_on_trigger": "coordinate",
}


@st.composite
def tensors_of_a_net(draw: st.DrawFn, dtype: torch.dtype = torch.float32) -> tuple[Tensors, Tensors]:
    """The gradient and the parameters of a net of two or three layers."""
    widths = draw(st.lists(st.integers(1, 6), min_size=3, max_size=4))
    shapes = {}
    for i, (inputs, outputs) in enumerate(pairwise(widths)):
        shapes |= {f"layers.{i}.weight": (outputs, inputs), f"layers.{i}.bias": (outputs,)}
    random = torch.Generator().manual_seed(draw(st.integers(0, 2**32 - 1)))
    scales = [10.0 ** draw(st.integers(-3, 3)) for _ in shapes]
    gradient = {
        key: scale * torch.randn(shape, generator=random, dtype=dtype)
        for scale, (key, shape) in zip(scales, shapes.items(), strict=True)
    }
    weights = draw(st.sampled_from([0.0, 0.1, 3.0]))
    return gradient, {k: weights * torch.randn(s, generator=random, dtype=dtype) for k, s in shapes.items()}


NETS = tensors_of_a_net()
BOUNDS = st.floats(0.01, 10.0)
LARGE = st.floats(1.2, 1000.0)


def each(law: str = "") -> pytest.MarkDecorator:
    """Parametrises a test by every clipping in every mode; those that waive the law must break it."""

    def row(label: str, make: Make) -> Any:
        reason = WAIVED.get(law, {}).get(make(0.5).name)
        marks = [pytest.mark.xfail(reason=reason, strict=True, raises=AssertionError)] if reason else []
        return pytest.param(make, id=label, marks=marks)

    return pytest.mark.parametrize("make", [row(*item) for item in CLIP_MODES.items()])


def clip(method: Clipping, g: Tensors, w: Tensors) -> Tensors:
    return method.clip(g, w, method.initial_state(w))[0]


def size(method: Clipping, g: Tensors, w: Tensors) -> float:
    return SIZES[method.name](method, g, w)


def scaled(method: Clipping, g: Tensors, w: Tensors, to: float) -> Tensors:
    """The gradient at `to` times the bound of the method; as it is for a method without one."""
    if method.name == "none":
        return g
    now = size(method, g, w)
    assume(now > 0)
    return {key: t * (to / now) for key, t in g.items()}


def same(a: Tensors, b: Tensors) -> bool:
    return list(a) == list(b) and all(torch.equal(a[key], b[key]) for key in a)


def assert_close(a: Tensors, b: Tensors, relative: float = 2e-4) -> None:
    """Close beside each tensor's largest entry (the epsilon of a norm is 1e-6, of bounds from 0.01)."""
    assert list(a) == list(b)
    for key in a:
        largest = max(float(b[key].abs().max()), 1e-30)
        torch.testing.assert_close(a[key] / largest, b[key] / largest, rtol=0, atol=relative)


def test_every_clipping_is_under_the_laws() -> None:
    names = set(Clipping.members)
    assert set(CLIPPINGS) == names, "give each method a line in cases.CLIPPINGS"
    assert set(SIZES) == names, "say in SIZES how large a gradient is beside the method's bound"
    assert set(KEEPS_DIRECTION_OF) == names, "say in KEEPS_DIRECTION_OF what keeps its direction"


@each()
@FEW
@given(net=NETS, c=BOUNDS, to=st.floats(0.01, 0.99))
def test_unchanged_below_the_bound(make: Make, net: Net, c: float, to: float) -> None:
    g = scaled(make(c), *net, to)
    assert same(clip(make(c), g, net[1]), g)


@each("bound_met")
@WAIVABLE
@given(net=NETS, c=BOUNDS, to=LARGE)
def test_bound_met_above_it(make: Make, net: Net, c: float, to: float) -> None:
    g = scaled(make(c), *net, to)
    assert size(make(c), clip(make(c), g, net[1]), net[1]) == pytest.approx(1, rel=2e-4)


@each()
@FEW
@given(net=NETS, c=BOUNDS, to=LARGE)
def test_clipping_twice_is_clipping_once(make: Make, net: Net, c: float, to: float) -> None:
    once = clip(make(c), scaled(make(c), *net, to), net[1])
    assert_close(clip(make(c), once, net[1]), once)


@each()
@FEW
@given(net=NETS, c=BOUNDS, to=LARGE)
def test_direction_kept(make: Make, net: Net, c: float, to: float) -> None:
    g = scaled(make(c), *net, to)
    h = clip(make(c), g, net[1])
    part = KEEPS_DIRECTION_OF[make(c).name]
    if part == "coordinate":
        assert all(torch.equal(torch.sign(g[key]), torch.sign(h[key])) for key in g)
        return
    for before, after in zip(pieces(g, part), pieces(h, part), strict=True):
        inner = math.fsum(a * b for a, b in zip(before, after, strict=True))
        assert inner == pytest.approx(math.hypot(*before) * math.hypot(*after), rel=1e-4)


def pieces(g: Tensors, part: str) -> list[list[float]]:
    """The coordinates of each unit, or of the model as one."""
    by_unit = [unit for t in g.values() for unit in units(t)]
    return by_unit if part == "unit" else [[x for unit in by_unit for x in unit]]


@each()
@FEW
@given(net=NETS, c=BOUNDS, to=st.floats(0.1, 1000.0))
def test_homogeneous(make: Make, net: Net, c: float, to: float) -> None:
    """clip_c(g) = c clip_1(g / c)."""
    assume(abs(to - 1) > 1e-3)
    g, w = scaled(make(c), *net, to), net[1]
    unit = clip(make(1.0), {key: t / c for key, t in g.items()}, w)
    assert_close(clip(make(c), g, w), {key: c * t for key, t in unit.items()})


@each()
@FEW
@given(net=NETS, c=BOUNDS)
def test_zero_stays_zero(make: Make, net: Net, c: float) -> None:
    zero = {key: torch.zeros_like(t) for key, t in net[0].items()}
    assert same(clip(make(c), zero, net[1]), zero)


@each()
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(data=st.data())
@settings(max_examples=5)
def test_shape_and_dtype_kept(make: Make, dtype: torch.dtype, data: st.DataObject) -> None:
    g, w = data.draw(tensors_of_a_net(dtype))
    for bound in (1e-3, 1e6):
        h = clip(make(bound), g, w)
        assert [(k, t.shape, t.dtype) for k, t in h.items()] == [(k, t.shape, t.dtype) for k, t in g.items()]


@each()
def test_device_kept(make: Make) -> None:
    g = {"weight": torch.ones(3, 2, device="meta"), "bias": torch.ones(3, device="meta")}
    method = make(0.5)
    assert {t.device.type for t in clip(method, g, g).values()} == {"meta"}
    if isinstance(method, Rescaling):
        assert {t.device.type for t in method.coefficients(g, g, {})[0].values()} == {"meta"}


@pytest.mark.usefixtures("global_randomness_untouched")
@each()
def test_no_random_number_drawn(make: Make) -> None:
    g, w = one_net()
    assert same(clip(make(0.1), g, w), clip(make(0.1), g, w))


@each()
@FEW
@given(nets=st.integers(1, 4), c=BOUNDS, seed=st.integers(0, 1000))
def test_mapped_over_replicates_is_one_at_a_time(make: Make, nets: int, c: float, seed: int) -> None:
    each_net = [one_net(seed + r) for r in range(nets)]
    g, w = ({key: torch.stack([net[i][key] for net in each_net]) for key in each_net[0][i]} for i in (0, 1))
    state = [make(c).initial_state(net[1]) for net in each_net]
    stacked, _ = vmap(make(c).clip)(g, w, {key: torch.stack([s[key] for s in state]) for key in state[0]})
    for r, net in enumerate(each_net):
        assert_close({key: t[r] for key, t in stacked.items()}, clip(make(c), *net), relative=1e-6)


@each()
@FEW
@given(net=NETS, c=BOUNDS, at=st.integers(0, 10**6))
def test_nan_stays_visible(make: Make, net: Net, c: float, at: int) -> None:
    assert not finite(clip(make(c), spoiled(net[0], at, math.nan), net[1]))


@each("infinity_visible")
@WAIVABLE
@given(net=NETS, c=BOUNDS, at=st.integers(0, 10**6), value=st.sampled_from([math.inf, -math.inf]))
def test_infinity_stays_visible(make: Make, net: Net, c: float, at: int, value: float) -> None:
    assert not finite(clip(make(c), spoiled(net[0], at, value), net[1]))


@each()
@FEW
@given(net=NETS, c=BOUNDS, at=st.integers(0, 10**6), value=st.sampled_from([math.inf, -math.inf, math.nan]))
def test_a_spoiled_gradient_never_becomes_all_zero(make: Make, net: Net, c: float, at: int, value: float) -> None:
    clipped = clip(make(c), spoiled(net[0], at, value), net[1])
    assert any(bool((t != 0).any()) for t in clipped.values())


@each()
@FEW
@given(net=NETS, c=BOUNDS, to=LARGE)
def test_inputs_are_not_changed(make: Make, net: Net, c: float, to: float) -> None:
    g, w = scaled(make(c), *net, to), net[1]
    copies = [{key: t.clone() for key, t in tensors.items()} for tensors in (g, w)]
    clip(make(c), g, w)
    assert same(g, copies[0])
    assert same(w, copies[1])


@pytest.mark.parametrize("make", [m for m in CLIP_MODES.values() if isinstance(m(0.5), Rescaling)])
@FEW
@given(net=NETS, c=BOUNDS)
def test_coefficients_say_what_the_clip_does(make: Make, net: Net, c: float) -> None:
    g, w = net
    scale, _ = make(c).coefficients(g, w, {})
    assert all(0 <= float(s) <= 1 for s in scale.values())
    assert_close(clip(make(c), g, w), {key: t * float(scale[key]) for key, t in g.items()}, relative=1e-6)


def one_net(seed: int = 0) -> Net:
    random = torch.Generator().manual_seed(seed)
    shapes = {
        "layers.0.weight": (4, 3),
        "layers.0.bias": (4,),
        "layers.1.weight": (2, 4),
        "layers.1.bias": (2,),
    }
    g, w = ({key: torch.randn(shape, generator=random) for key, shape in shapes.items()} for _ in range(2))
    return g, w


def spoiled(g: Tensors, at: int, value: float) -> Tensors:
    """The gradient with one coordinate set to `value`."""
    key = list(g)[at % len(g)]
    t = g[key].clone()
    t.view(-1)[at % t.numel()] = value
    return {**g, key: t}


def finite(g: Tensors) -> bool:
    return all(bool(t.isfinite().all()) for t in g.values())
