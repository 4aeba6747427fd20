"""The size of a gradient beside the bound of a method that no table names is found by trying."""

import math
from typing import Any, ClassVar, Literal

import pytest
from clips import Net, one_net
from sizes import size_by_bisection

from study.clipping import Part, Rescaling
from study.clipping.global_norm import GlobalNorm
from study.parameters import Positive

pytestmark = pytest.mark.usefixtures("registries_as_before")


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_a_smooth_clip_acts_always_whatever_float32_rounds(scale: float) -> None:
    class Smooth(Rescaling):
        acts_per: ClassVar[Part] = "model"
        name: Literal["smooth"] = "smooth"
        max_norm: Positive

        def coefficients(self, gradient: Any, parameters: Any, state: Any) -> Any:
            norm = sum(g.square().sum() for g in gradient.values()).sqrt()
            return dict.fromkeys(gradient, 1 / (1 + norm / self.max_norm)), state

    assert size_by_bisection(lambda c: Smooth(max_norm=c), 0.5, *scaled(scale)) == math.inf


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_a_threshold_is_found(scale: float) -> None:
    g, w = scaled(scale)
    norm = math.hypot(*(x for t in g.values() for x in t.flatten().tolist()))
    assert size_by_bisection(lambda c: GlobalNorm(max_norm=c), 0.5, g, w) == pytest.approx(norm / 0.5, rel=1e-4)


def scaled(by: float) -> Net:
    g, w = one_net()
    return {key: by * t for key, t in g.items()}, w
