"""The clips of single coordinates against independent implementations, or against slow obvious ones."""

import math

import numpy as np
import optax
import pytest
import torch
from clip_oracles import BOUNDS, FEW, Net, Tensors, assert_equal, clip, nets, with_optax, with_torch
from hypothesis import given
from hypothesis import strategies as st

from study.clipping.sign import Sign
from study.clipping.sign_on_trigger import SignOnTrigger
from study.clipping.value import Value
from study.clipping.value_as_printed import ValueAsPrinted


@FEW
@given(net=nets(), c=BOUNDS)
def test_value_is_torchs_and_optaxs(net: Net, c: float) -> None:
    ours = clip(Value(bound=c), *net)
    assert_equal(ours, with_torch(torch.nn.utils.clip_grad_value_, net[0], c), relative=0)
    assert_equal(ours, with_optax(optax.clip(c), *net), relative=1e-6)


@FEW
@given(net=nets(), high=BOUNDS, low=st.floats(-100.0, -1e-3))
def test_value_with_two_bounds(net: Net, high: float, low: float) -> None:
    """The tutorial's two-sided clip with its signs mended: each coordinate by itself, in plain Python."""
    for key, h in clip(Value(bound=high, low=low), *net).items():
        slow = [high if x > high else low if x < low else x for x in net[0][key].flatten().tolist()]
        torch.testing.assert_close(h.flatten(), torch.tensor(slow), rtol=1e-6, atol=0)


def branch(x: float, e1: float, e2: float) -> float:
    """The tutorial's formula branch by branch."""
    if x > e1:
        return e1
    if abs(x) <= e1 and abs(x) <= e2:
        return x
    if x < -e2:
        return e2
    return x  # no branch of the formula says anything of it


@FEW
@given(net=nets(), e1=BOUNDS, e2=st.none() | BOUNDS)
def test_value_as_printed_is_the_printed_formula(net: Net, e1: float, e2: float | None) -> None:
    for key, h in clip(ValueAsPrinted(bound=e1, lower=e2), *net).items():
        slow = [branch(x, e1, e1 if e2 is None else e2) for x in net[0][key].flatten().tolist()]
        torch.testing.assert_close(h.flatten(), torch.tensor(slow), rtol=1e-6, atol=0)


def test_value_as_printed_turns_large_negatives_round_and_keeps_the_gaps() -> None:
    g = {"w": torch.tensor([-3.0, -1.5, -0.5, 0.5, 1.5, 3.0])}
    for e1, e2, expected in (
        (1.0, 1.0, [1.0, 1.0, -0.5, 0.5, 1.0, 1.0]),
        (1.0, 2.0, [2.0, -1.5, -0.5, 0.5, 1.0, 1.0]),
        (2.0, 1.0, [1.0, 1.0, -0.5, 0.5, 1.5, 2.0]),
    ):
        assert clip(ValueAsPrinted(bound=e1, lower=e2), g, g)["w"].tolist() == expected


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_value_as_printed_keeps_what_is_just_at_a_bound(dtype: torch.dtype) -> None:
    bound = torch.tensor(0.1, dtype=dtype)
    beyond = torch.nextafter(bound, torch.ones_like(bound))
    g = {"w": torch.stack([-beyond, -bound, bound, beyond])}
    assert torch.equal(clip(ValueAsPrinted(bound=0.1), g, g)["w"], torch.stack([bound, -bound, bound, bound]))


@FEW
@given(net=nets(), c=BOUNDS)
def test_value_as_printed_is_value_for_what_is_positive(net: Net, c: float) -> None:
    positive = {key: g.abs() for key, g in net[0].items()}
    ours = clip(ValueAsPrinted(bound=c), positive, net[1])
    assert_equal(ours, with_torch(torch.nn.utils.clip_grad_value_, positive, c), relative=0)


@FEW
@given(net=nets(), m=BOUNDS)
def test_sign_is_sign_sgds_step(net: Net, m: float) -> None:
    step = with_optax(optax.sign_sgd(m), *net)
    assert_equal(clip(Sign(magnitude=m), *net), {key: -g for key, g in step.items()}, relative=1e-6)


@FEW
@given(net=nets())
def test_sign_is_the_limit_of_clipping_to_nothing(net: Net) -> None:
    c = min(float(g.abs().min()) for g in net[0].values())
    clipped = with_torch(torch.nn.utils.clip_grad_value_, net[0], c)
    assert_equal(clip(Sign(), *net), {key: g / c for key, g in clipped.items()})


def test_sign_shows_what_torchs_sign_hides() -> None:
    """torch.sign makes 0 of a NaN, and 1 of an infinity as optax does."""
    g = {"w": torch.tensor([math.nan, math.inf, -math.inf, 0.0, -2.0])}
    assert torch.sign(g["w"]).isfinite().all()
    h = clip(Sign(), g, g)["w"]
    assert h.isnan().tolist() == [True, True, True, False, False]
    assert h[3:].tolist() == [0.0, -1.0]


@pytest.mark.parametrize("tensors", ["first", "all"])
@FEW
@given(net=nets(), c=BOUNDS)
def test_sign_on_trigger_is_the_printed_code(tensors: str, net: Net, c: float) -> None:
    """The tutorial's code with its TypeError mended: tensor by tensor, coordinate by coordinate."""
    slow: Tensors = {}
    for number, (key, g) in enumerate(net[0].items()):
        looked_at = tensors == "all" or number == 0
        fires = looked_at and sum(x * x for x in g.flatten().tolist()) ** 0.5 > c
        slow[key] = torch.tensor([c * np.sign(x) for x in g.flatten().tolist()]).view_as(g).float() if fires else g
    assert_equal(clip(SignOnTrigger(threshold=c, tensors=tensors), *net), slow, relative=1e-6)


@given(rows=st.integers(1, 20), columns=st.integers(2, 20), c=st.floats(0.1, 10.0))
def test_sign_on_trigger_enlarges(rows: int, columns: int, c: float) -> None:
    """A gradient just above the threshold comes out with norm c sqrt(D), where a clip would give c."""
    g = torch.full((rows, columns), 1.01 * c / (rows * columns) ** 0.5)
    h = clip(SignOnTrigger(threshold=c), {"weight": g}, {"weight": g})["weight"]
    assert float(h.norm()) == pytest.approx(c * (rows * columns) ** 0.5, rel=1e-5)
    assert h.norm() > 1.3 * g.norm()


def test_the_tutorials_threshold_enlarges_three_hundredfold() -> None:
    g = torch.full((128, 784), 5.01 / (128 * 784) ** 0.5)
    h = clip(SignOnTrigger(threshold=5), {"weight": g}, {"weight": g})["weight"]
    assert float(h.norm()) == pytest.approx(1584, abs=0.5)
