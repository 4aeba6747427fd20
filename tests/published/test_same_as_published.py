"""The equivalence test against scipy and statsmodels, its power against PowerTOST and against closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from statsmodels.stats.weightstats import DescrStatsW, ttost_ind

from study.published.equivalence import Summary, compare, interval, power

VALUES = st.lists(st.floats(-10, 10), min_size=2, max_size=12).filter(lambda v: np.std(v) > 1e-3)
MARGIN = st.floats(0.01, 20)


@given(ours=VALUES, theirs=VALUES, margin=MARGIN)
@settings(max_examples=50)
def test_two_samples_are_judged_as_statsmodels_does(ours: list[float], theirs: list[float], margin: float) -> None:
    found = compare(Summary.of(ours), Summary.of(theirs), margin)
    p, _, _ = ttost_ind(np.array(ours), np.array(theirs), -margin, margin, usevar="unequal")
    assert found.p == pytest.approx(p, abs=1e-9)
    welch = stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((welch.low, welch.high), abs=1e-8)


@given(ours=VALUES, published=st.floats(-10, 10), margin=MARGIN)
@settings(max_examples=50)
def test_a_bare_number_is_judged_as_by_one_sample(ours: list[float], published: float, margin: float) -> None:
    found = compare(Summary.of(ours), Summary(published), margin)
    p, _, _ = DescrStatsW(np.array(ours)).ttost_mean(published - margin, published + margin)
    assert found.p == pytest.approx(p, abs=1e-9)
    assert interval(Summary.of(ours)) == pytest.approx(stats.ttest_1samp(ours, 0).confidence_interval(0.95))


@given(ours=VALUES, theirs=VALUES, margin=MARGIN)
@settings(max_examples=50)
def test_the_verdict_is_that_of_the_interval(ours: list[float], theirs: list[float], margin: float) -> None:
    found = compare(Summary.of(ours), Summary.of(theirs), margin)
    within, beyond = -margin < found.low <= found.high < margin, found.low >= margin or found.high <= -margin
    assert found.verdict == ("equivalent" if within else "different" if beyond else "cannot tell")
    assert (found.verdict == "equivalent") == (found.p < 0.05) or found.p == pytest.approx(0.05, abs=1e-6)


def test_runs_without_spread_are_compared_as_numbers() -> None:
    same = Summary(1.0, 0.0, 3)
    assert compare(same, Summary(1.1), 0.2).verdict == "equivalent"
    assert compare(same, Summary(1.2), 0.1).verdict == "different"


@pytest.mark.parametrize("margin", [0, -1, math.nan, math.inf])
def test_a_margin_is_positive(margin: float) -> None:
    with pytest.raises(ValueError, match="'margin' parameter of compare must be a positive number"):
        compare(Summary(1.0, 0.1, 3), Summary(1.0), margin)


def test_one_run_shows_no_spread() -> None:
    with pytest.raises(ValueError, match="a summary of at least two runs"):
        compare(Summary(1.0), Summary(1.0), 0.1)


@pytest.mark.parametrize(("cv", "subjects", "published"), [(0.3, 40, 0.815845), (0.2, 20, 0.834680)])
def test_power_is_that_of_powertost(cv: float, subjects: int, published: float) -> None:
    """Bioequivalence in a 2 x 2 crossover at a true ratio of .95, as printed by R's PowerTOST: pairs of log ratios.

    Its difference has the standard error sqrt(2 / n) s with n - 2 degrees of freedom: that of n - 1 runs of this sd.
    """
    s = math.sqrt(math.log1p(cv**2)) * math.sqrt(2 * (subjects - 1) / subjects)
    found = power(subjects - 1, s, Summary(0.0), math.log(1.25), true=math.log(0.95))
    assert found == pytest.approx(published, abs=0.005)


@given(runs=st.integers(3, 30), margin=st.floats(0.2, 3), true=st.floats(-1, 1))
@settings(max_examples=8)
def test_power_against_one_number_is_owens(runs: int, margin: float, true: float) -> None:
    """P(|d| < m - t s) over the distribution of s, integrated."""
    t, f = stats.t.isf(0.05, runs - 1), runs - 1

    def inside(s: float) -> float:
        left = margin - t * s / math.sqrt(runs)
        within = stats.norm.cdf((left - true) * math.sqrt(runs)) - stats.norm.cdf((-left - true) * math.sqrt(runs))
        return max(0.0, float(within)) * float(stats.chi.pdf(s * math.sqrt(f), f)) * math.sqrt(f)

    exact, _ = integrate.quad(inside, 0, margin * math.sqrt(runs) / t, limit=200)
    assert power(runs, 1.0, Summary(0.0), margin, true) == pytest.approx(exact, abs=0.006)


def test_power_at_the_margin_is_the_level() -> None:
    published = Summary(0.0, 1.0, 10)
    assert power(200, 1.0, Summary(0.0), 1.0, true=1.0) == pytest.approx(0.05, abs=0.003)
    assert power(10, 1.0, published, 3.0, true=3.0) == pytest.approx(0.05, abs=0.005)
    assert power(50, 1.0, Summary(0.0, 1.0, 50), 3.0) == 1.0
