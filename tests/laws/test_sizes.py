"""How methods that are in no table come under the laws: a default mode, and their bound found by trying."""

import math
from typing import Any, ClassVar, Literal

import pytest
import torch
from cases import CLIP_MODES, CLIPPINGS, Make, default_mode, modes
from clips import Net, Tensors, one_net, tensors_of_a_net
from hypothesis import given, settings
from hypothesis import strategies as st
from sizes import size, size_by_bisection

from study.clipping import Clipping, Part, Rescaling
from study.parameters import Flag, Positive, PositiveInt, Text

BOUNDED = {label: make for label, make in CLIP_MODES.items() if "unchanged_below" not in make(0.5).waives}


@pytest.mark.parametrize("make", BOUNDED.values(), ids=BOUNDED)
@settings(max_examples=10)
@given(net=tensors_of_a_net(), c=st.floats(0.01, 10.0))
def test_the_bound_found_by_trying_is_the_one_in_the_table(make: Make, net: Net, c: float) -> None:
    assert size_by_bisection(make, c, *net) == pytest.approx(size(make, c, *net), rel=1e-3)


@pytest.mark.parametrize(("name", "found"), [("sign", math.inf), ("normalized", math.inf), ("none", 0.0)])
def test_a_method_that_always_or_never_acts_has_no_bound(name: str, found: float) -> None:
    make = {m(0.5).name: m for m in CLIP_MODES.values()}[name]
    assert size_by_bisection(make, 0.5, *one_net()) == found


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_a_smooth_clip_acts_always_whatever_float32_rounds(monkeypatch: pytest.MonkeyPatch, scale: float) -> None:
    monkeypatch.setattr(Clipping, "members", dict(Clipping.members))

    class Smooth(Rescaling):
        acts_per: ClassVar[Part] = "model"
        name: Literal["smooth"] = "smooth"
        max_norm: Positive

        def coefficients(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
            norm = torch.stack([g.square().sum() for g in gradient.values()]).sum().sqrt()
            return dict.fromkeys(gradient, 1 / (1 + norm / self.max_norm)), state

    g, w = one_net()
    assert size_by_bisection(lambda c: Smooth(max_norm=c), 0.5, {key: scale * t for key, t in g.items()}, w) == math.inf


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_a_threshold_is_found_for_a_gradient_of_any_scale(scale: float) -> None:
    make, (g, w) = CLIP_MODES["global_norm(0.5)"], one_net()
    scaled = {key: scale * t for key, t in g.items()}
    assert size_by_bisection(make, 0.5, scaled, w) == pytest.approx(size(make, 0.5, scaled, w), rel=1e-4)


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> type[Clipping]:
    """A method as a user may write it."""
    monkeypatch.setattr(Clipping, "members", dict(Clipping.members))

    class Box(Clipping):
        name: Literal["box"] = "box"
        even: Flag = False
        rounds: PositiveInt = 1
        bound: Positive
        also: Positive = 3.0

        def clip(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
            return {key: torch.clamp(g, -self.bound, self.bound) for key, g in gradient.items()}, state

    return Box


def test_a_method_in_no_table_is_a_function_of_its_first_required_number(box: type[Clipping]) -> None:
    added = {label: make for label, make in modes(Clipping, CLIPPINGS).items() if label not in CLIP_MODES}
    assert list(added) == ["box(bound=0.5)"]
    (make,) = added.values()
    assert make(0.25) == box.model_validate({"bound": 0.25})
    g, w = one_net()
    assert size(make, 0.25, g, w) == pytest.approx(4 * max(float(t.abs().max()) for t in g.values()), rel=1e-5)


@pytest.mark.parametrize(
    ("fields", "given_"),
    [
        ({}, {}),
        ({"share": Positive}, {"share": 0.5}),
        ({"words": Text, "many": PositiveInt, "share": Positive, "other": Positive}, {"share": 0.5}),
    ],
)
def test_default_mode(monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], given_: dict[str, float]) -> None:
    monkeypatch.setattr(Clipping, "members", dict(Clipping.members))
    made = type("Made", (Clipping,), {"__annotations__": {"name": str, **fields}, "name": "made", "__module__": "mine"})
    assert default_mode(made)(0.5) == given_
