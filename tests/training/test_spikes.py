"""The spike score against a slow version that reads as its definition, and what it must and must not count."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.training.spikes import BLOCK, FEWEST, WINDOW, spike_score

LOSSES = st.lists(st.sampled_from([0.1, 0.11, 0.12, 0.2, 3.0, math.nan, math.inf]), max_size=80)


def slowly(losses: list[float], window: int, deviations: float) -> float:
    judged = spikes = 0
    for t in range(FEWEST, len(losses)):
        judged += 1
        seen = [loss for loss in losses[max(0, t - window) : t] if math.isfinite(loss)]
        if not math.isfinite(losses[t]):
            spikes += 1
        elif len(seen) >= FEWEST:
            mean = statistics.fmean(seen)
            spikes += losses[t] - mean > deviations * statistics.pstdev(seen) + 1e-9 * mean
    return spikes / judged if judged else math.nan


@given(losses=LOSSES, window=st.integers(FEWEST, 40), deviations=st.sampled_from([1.5, 3.3, 6.1]))
def test_it_is_what_the_definition_says(losses: list[float], window: int, deviations: float) -> None:
    expected = slowly(losses, window, deviations)
    assert spike_score(np.array(losses), window, deviations) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("steps", [300, BLOCK + 500])
def test_a_calm_descent_has_no_spikes_and_each_jump_is_one(steps: int) -> None:
    random = np.random.default_rng(0)
    calm = 1 / np.sqrt(1 + np.arange(steps)) + 0.01 * random.standard_normal(steps)
    assert spike_score(calm) == 0
    jumps = calm.copy()
    jumps[[100, 100 + WINDOW + 1, steps - 1]] += 2
    jumps[[150, 160]] = math.nan
    # Jumps lie further apart than a window, which a jump in it widens.
    assert spike_score(jumps) == pytest.approx(5 / (steps - FEWEST))


@pytest.mark.parametrize("loss", [0.0, 0.1, 2.302585])
def test_equal_losses_are_no_spikes(loss: float) -> None:
    assert spike_score(np.full(300, loss, np.float32)) == 0


def test_scale_does_not_matter() -> None:
    losses = np.exp(np.random.default_rng(1).standard_normal(500))
    assert spike_score(losses) == spike_score(1000 * losses)
