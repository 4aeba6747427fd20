"""Seeds, effects and power against statsmodels, a slow integral and each other."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, norm, t
from statsmodels.stats.power import TTestPower

from study.analysis.deciding import fewest_seeds
from study.analysis.planning import MOST_SEEDS, detectable_effect, power_of, seeds_needed, sign_flip_power

spreads = st.floats(1e-4, 1e3)
powers = st.floats(0.1, 0.95)
levels = st.sampled_from([0.001, 0.01, 0.05, 0.1])
few = settings(max_examples=30)


def slow_power(d, n, alpha):
    """E[P(|Z + d sqrt(n)| > t S)] over S^2 = chi^2 / (n - 1), on a fine grid of log chi^2."""
    log = np.linspace(*np.log([chi2.ppf(1e-12, n - 1), chi2.isf(1e-12, n - 1)]), 20_001)
    limit = t.isf(alpha / 2, n - 1) * np.sqrt(np.exp(log) / (n - 1))
    rejected = norm.sf(limit - d * math.sqrt(n)) + norm.cdf(-limit - d * math.sqrt(n))
    return np.trapezoid(rejected * chi2.pdf(np.exp(log), n - 1) * np.exp(log), log)


@given(st.floats(0, 5), st.integers(2, 200), levels, spreads)
def test_power_is_that_of_the_t_test(d, n, alpha, sd):
    assert power_of(sd, sd * d, n, alpha) == pytest.approx(slow_power(d, n, alpha), abs=1e-5)


@few
@given(st.floats(0, 5), st.integers(2, 200), levels)
def test_power_is_that_of_statsmodels_where_it_has_one(x, n, alpha):
    d = x / math.sqrt(n)
    assert power_of(1.0, d, n, alpha) == pytest.approx(TTestPower().power(d, n, alpha), abs=1e-7)


@pytest.mark.parametrize("n", [2, 6, 20, 1000])
@pytest.mark.parametrize("alpha", [0.001, 0.05])
def test_power_grows_with_the_effect_up_to_one(n, alpha):
    powers = [power_of(1.0, d, n, alpha) for d in [0, *np.geomspace(1e-200, 1e12, 100)]]
    assert powers[0] == alpha
    assert (np.diff(powers) >= -1e-9).all()
    assert powers[-1] == pytest.approx(1)


@few
@given(spreads, st.integers(2, 300), powers, levels)
def test_the_detectable_effect_has_the_power_asked_for(sd, n, power, alpha):
    power = max(power, 2 * alpha)
    effect = detectable_effect(sd, n, power, alpha)
    assert effect > 0
    assert math.isfinite(effect) == (n >= fewest_seeds(alpha))
    if math.isfinite(effect):
        assert sign_flip_power(sd, effect, n, alpha) == pytest.approx(power, abs=1e-6)


@few
@given(spreads, st.floats(0.02, 20), st.floats(0.25, 0.95), levels)
def test_no_fewer_seeds_than_those_needed_would_do(sd, d, power, alpha):
    n = seeds_needed(sd, d * sd, power, alpha)
    assert sign_flip_power(sd, d * sd, n, alpha) >= power
    assert n == fewest_seeds(alpha) or sign_flip_power(sd, d * sd, n - 1, alpha) < power


@given(st.floats(0, 3), st.integers(2, 60), levels)
def test_the_sign_flip_test_is_promised_no_more_than_the_t_test_and_nothing_with_too_few_seeds(d, n, alpha):
    promised = sign_flip_power(1.0, d, n, alpha)
    assert promised <= power_of(1.0, d, n, alpha) + 1e-9
    assert (promised > 0) == (n >= fewest_seeds(alpha))


def test_where_only_equal_signs_reject_the_power_is_theirs():
    assert sign_flip_power(2.0, 3.0, 6) == pytest.approx(norm.cdf(1.5) ** 6 + norm.cdf(-1.5) ** 6)
    assert sign_flip_power(1.0, 0.0, 6) == pytest.approx(2 / 64)


@pytest.mark.parametrize(("d", "n"), [(0.2, 199), (0.5, 34), (0.8, 15)])
def test_cohens_small_medium_and_large_effects_need_the_well_known_numbers(d, n):
    assert seeds_needed(1.0, d) == n
    assert math.ceil(TTestPower().solve_power(effect_size=d, alpha=0.05, power=0.8)) == n


@pytest.mark.parametrize("n", [500, 20_000, MOST_SEEDS])
def test_with_many_seeds_it_is_the_normal_formula(n):
    expected = 3.0 * (norm.ppf(0.975) + norm.ppf(0.8)) / math.sqrt(n)
    assert detectable_effect(3.0, n) == pytest.approx(expected, rel=0.005)


@given(st.floats(0.1, 2), st.integers(6, 60), st.floats(1e-3, 1e3))
def test_the_unit_and_the_sign_of_the_effect_do_not_matter(d, n, unit):
    assert power_of(unit, -d * unit, n) == pytest.approx(power_of(1.0, d, n))
    assert detectable_effect(unit, n) == pytest.approx(unit * detectable_effect(1.0, n))


@pytest.mark.parametrize(("alpha", "n"), [(0.05, 6), (0.01, 8), (0.0625, 6), (0.07, 5), (0.9, 2)])
def test_fewer_seeds_than_these_never_fall_below_the_level(alpha, n):
    assert fewest_seeds(alpha) == n
    assert 2.0 ** (1 - n) < alpha
    assert n == 2 or 2.0 ** (2 - n) >= alpha


def test_differences_without_spread_need_the_fewest_seeds():
    assert seeds_needed(0.0, 1e-9) == 6
    assert seeds_needed(1.0, 1e6) == 6
    assert power_of(0.0, 1e-9, 2) == 1
    assert detectable_effect(0.0, 10) == 0
    assert detectable_effect(1.0, 5) == math.inf


def test_no_number_of_seeds_shows_an_effect_that_is_not_there():
    assert seeds_needed(1.0, 0.0) is None
    assert seeds_needed(0.0, 0.0) is None
    assert power_of(1.0, 0.0, 10, 0.01) == power_of(0.0, 0.0, 10, 0.01) == 0.01


def test_a_million_seeds_is_the_most_that_is_named():
    least = detectable_effect(1.0, MOST_SEEDS)
    assert seeds_needed(1.0, 1.001 * least) <= MOST_SEEDS
    assert seeds_needed(1.0, 0.999 * least) is None


def test_what_is_not_known_stays_so():
    assert math.isnan(power_of(1.0, 1.0, 1))
    assert math.isnan(detectable_effect(math.nan, 10))
    assert math.isnan(power_of(math.nan, 1.0, 10))
    assert seeds_needed(math.nan, 1.0) is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: power_of(-1, 1, 10), "'sd' parameter of power_of must be a number of at least 0. Got -1 instead."),
        (lambda: fewest_seeds(0), "'alpha' parameter of fewest_seeds must be a number between 0 and 1. Got 0 instead."),
        (lambda: seeds_needed(1, 1, power=1), "'power' parameter of seeds_needed must be a number between alpha, 0.05"),
        (lambda: detectable_effect(1, 9, power=0.05), "'power' parameter of detectable_effect must .* Got 0.05 instea"),
    ],
)
def test_errors_name_the_parameter(call, message):
    with pytest.raises(ValueError, match=message):
        call()
