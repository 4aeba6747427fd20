"""Rounds to a target against a curve drawn out finely."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.published.rounds import rounds_to

CURVE = st.lists(st.one_of(st.just(math.nan), st.integers(0, 50).map(lambda n: n / 50)), min_size=1, max_size=30)


def drawn_out(target: float, curve: list[float]) -> float:
    """The first of many places at which the monotone curve, joined by lines, is at the target."""
    best, last = list[tuple[float, float]](), -math.inf
    for place, value in enumerate(curve):
        if value == value:
            last = max(last, value)
            best.append((place, last))
    if not best or last < target:
        return math.inf
    places = np.linspace(best[0][0], best[-1][0], 20_001)
    return float(places[np.interp(places, *zip(*best, strict=True)) >= target - 1e-12][0])


@given(curve=CURVE, target=st.integers(1, 50).map(lambda n: n / 50))
def test_it_is_where_the_drawn_curve_crosses(curve: list[float], target: float) -> None:
    assert rounds_to(target, range(len(curve)), curve) == pytest.approx(drawn_out(target, curve), abs=2e-3)


def test_a_dip_does_not_undo_what_was_reached() -> None:
    assert rounds_to(0.5, [0, 1, 2, 3], [0.1, 0.4, 0.2, 0.6]) == pytest.approx(2.5)
    assert rounds_to(0.5, [0, 10, 20], [0.3, math.nan, 0.7]) == pytest.approx(10)
    assert rounds_to(0.9, [0, 1], [0.3, 0.7]) == math.inf
