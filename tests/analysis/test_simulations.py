"""Data of known effect, simulated often: how often an interval covers it and a test errs.

Every number is put into a table after the tests, "coverage and error rates, simulated". It is compared with the rate
that theory gives where there is one; else with the mean of 10,000 simulations apart from those here. Either way it
must lie within three standard errors of a simulation of this size, sqrt(rate (1 - rate) / simulations) each, and where
a test is held against another test with a few points of slack.
"""

import math

import numpy as np
import pytest
from scipy.stats import binom, norm, ttest_1samp

from study.analysis.aggregates import bouthillier, iqm_interval, profile_band
from study.analysis.equivalence import equivalence_p, sign_flip_one_sided
from study.analysis.planning import detectable_effect, seeds_needed, sign_flip_power
from study.analysis.statistics import bca_interval, holm, sign_flip_p, signed_sum

pytestmark = pytest.mark.slow

ALPHA = 0.05
QUICK = 999  # resamples

DRAWS = {
    "normal": lambda generator, size: generator.normal(size=size),
    "skewed": lambda generator, size: generator.exponential(size=size) - 1,  # of mean 0, skewness 2
    "Cauchy": lambda generator, size: generator.standard_cauchy(size=size),
}


def within(rate, simulations, slack=0.0):
    return pytest.approx(rate, abs=3 * math.sqrt(rate * (1 - rate) / simulations) + slack)


def covers(interval, truth):
    return interval.low <= truth <= interval.high


def attainable(n, sides):
    """The level at which an exact sign-flip test of n seeds rejects: the greatest multiple of its smallest p."""
    least = sides / 2**n
    return math.floor(ALPHA / least) * least


# --- intervals


@pytest.mark.parametrize(
    ("n", "kind", "rate"), [(10, "normal", 0.894), (10, "skewed", 0.874), (30, "normal", 0.938), (30, "skewed", 0.921)]
)
def test_the_bca_interval_covers_the_mean_less_often_than_it_says(seen, n, kind, rate):
    rng = np.random.default_rng(1)
    covered = [covers(bca_interval(DRAWS[kind](rng, n), rng, resamples=QUICK), 0) for _ in range(1500)]
    assert seen(f"BCa interval covers the mean, {n} {kind} differences", 0.95, covered) == within(rate, 1500)


def test_the_interval_of_an_interaction_covers_it_as_often(seen):
    rng, interaction = np.random.default_rng(2), 0.3
    signs, means = np.array([1, -1, -1, 1]), np.array([0.5 + 0.2 + interaction, 0.5, 0.2, 0.0])

    def one():
        luck = rng.normal(size=10)  # of the seed, shared by its four runs
        cells = means[:, None] + luck + rng.normal(scale=0.2, size=(4, 10))
        return covers(bca_interval(signed_sum(signs[:, None] * cells), rng, resamples=QUICK), interaction)

    covered = [one() for _ in range(1500)]
    assert seen("BCa interval covers an interaction, 10 seeds, 4 cells", 0.95, covered) == within(0.894, 1500)


def test_the_interval_of_the_interquartile_mean_covers_it(seen):
    rng, levels = np.random.default_rng(3), np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    covered = [
        covers(iqm_interval(levels[:, None] + rng.normal(size=(5, 10)), rng, resamples=QUICK), 0) for _ in range(1000)
    ]
    assert seen("IQM interval covers it, 5 settings, 10 seeds", 0.95, covered) == within(0.923, 1000)


def test_the_band_of_the_profile_covers_it_at_a_threshold(seen):
    rng, levels = np.random.default_rng(4), np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    truth = norm.sf(0.5 - levels).mean()

    def one():
        low, high = profile_band(levels[:, None] + rng.normal(size=(5, 10)), [0.5], rng, resamples=QUICK)[:, 0]
        return low <= truth <= high

    covered = [one() for _ in range(1000)]
    assert seen("profile band covers it, 5 settings, 10 seeds", 0.95, covered) == within(0.912, 1000)


# --- tests of a difference


@pytest.mark.parametrize(("n", "kind"), [(6, "normal"), (10, "normal"), (10, "Cauchy"), (30, "normal")])
def test_the_sign_flip_test_errs_at_its_level(seen, n, kind):
    rng = np.random.default_rng(5)
    found = [sign_flip_p(DRAWS[kind](rng, n), rng, QUICK)[0] <= ALPHA for _ in range(3000)]
    level = ALPHA if n > 20 else attainable(n, 2)
    assert seen(f"sign-flip false positives, {n:>2} {kind} differences", level, found) == within(level, 3000)


def test_the_sign_flip_test_errs_more_often_where_differences_are_skewed(seen):
    rng = np.random.default_rng(6)
    found = [sign_flip_p(DRAWS["skewed"](rng, 10), rng)[0] <= ALPHA for _ in range(3000)]
    assert seen("sign-flip false positives, 10 skewed differences", attainable(10, 2), found) == within(0.096, 3000)


@pytest.mark.parametrize("alternative", ["greater", "less"])
def test_the_one_sided_test_errs_at_its_level(seen, alternative):
    rng = np.random.default_rng(7)
    found = [sign_flip_one_sided(0.3 + rng.normal(size=10), 0.3, alternative, rng)[0] <= ALPHA for _ in range(3000)]
    level = attainable(10, 1)
    share = seen(f"one-sided sign-flip false positives, {alternative}, n = 10", level, found)
    assert share == within(level, 3000)


def family_errs(rng, effects, shared):
    """Whether Holm finds any of the contrasts which have no effect; all against one baseline, or each its own."""
    runs = np.array(effects)[:, None] + rng.normal(size=(len(effects), 10))
    baselines = rng.normal(size=(1 if shared else len(effects), 10))
    adjusted = holm([sign_flip_p(differences, rng)[0] for differences in runs - baselines])
    return (adjusted[np.array(effects) == 0] <= ALPHA).any()


@pytest.mark.parametrize("real", [0, 2])
def test_holm_errs_anywhere_in_a_family_at_its_level(seen, real):
    rng = np.random.default_rng(8)
    erred = [family_errs(rng, [100.0] * real + [0.0] * (5 - real), shared=False) for _ in range(1500)]
    # the effects that are there go first and leave the others the level / (how many are left)
    one = math.floor(ALPHA / (5 - real) * 2**9) / 2**9
    rate = 1 - (1 - one) ** (5 - real)
    assert seen(f"Holm familywise error, 5 contrasts, {real} with an effect", ALPHA, erred) == within(rate, 1500)


def test_holm_errs_no_more_often_where_contrasts_share_a_baseline(seen):
    rng = np.random.default_rng(9)
    erred = [family_errs(rng, [0.0] * 5, shared=True) for _ in range(1500)]
    share = seen("Holm familywise error, 5 contrasts, one baseline", ALPHA, erred)
    assert 0 < share <= ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / 1500)


# --- equivalence


@pytest.mark.parametrize("side", [-1, 1])
def test_equivalence_is_claimed_at_the_margin_as_often_as_the_level_says(seen, side):
    rng = np.random.default_rng(10)
    claimed = [equivalence_p(5.0 * side + rng.normal(size=10), 5.0, rng)[0] <= ALPHA for _ in range(2000)]
    share = seen(f"equivalence false positives, centre at {side:+d} margin, n = 10", attainable(10, 1), claimed)
    assert share == within(attainable(10, 1), 2000)


@pytest.mark.parametrize("n", [10, 15])
def test_equivalence_is_found_about_as_often_as_by_two_t_tests(seen, n):
    rng, margin = np.random.default_rng(11), 1.0
    differences = rng.normal(size=(1500, n))
    above = ttest_1samp(differences, -margin, axis=1, alternative="greater").pvalue
    below = ttest_1samp(differences, margin, axis=1, alternative="less").pvalue
    rate = np.mean(np.maximum(above, below) <= ALPHA)
    found = [equivalence_p(d, margin, rng)[0] <= ALPHA for d in differences]
    # the same data: the sampling error is shared, what is left are the few points between the tests
    share = seen(f"equivalence power, margin 1 sd, n = {n} (nominal: t tests)", rate, found)
    assert share == pytest.approx(rate, abs=0.03)


# --- planning


@pytest.mark.parametrize("n", [10, 30])
def test_the_detectable_effect_is_detected_about_as_often_as_planned(seen, n):
    rng, effect = np.random.default_rng(12), detectable_effect(2.0, n)
    found = [sign_flip_p(effect + rng.normal(scale=2.0, size=n), rng, QUICK)[0] <= ALPHA for _ in range(2000)]
    assert seen(f"sign-flip power at the detectable effect, n = {n}", 0.8, found) == within(0.8, 2000, slack=0.02)


@pytest.mark.parametrize(("effect", "n"), [(0.5, 34), (1.0, 11), (1.25, 8), (1.5, 7), (2.0, 6)])
def test_the_seeds_needed_suffice(seen, effect, n):
    rng, planned = np.random.default_rng(13), sign_flip_power(1.0, effect, n)
    assert seeds_needed(1.0, effect) == n
    found = [sign_flip_p(effect + rng.normal(size=n), rng, QUICK)[0] < ALPHA for _ in range(1000)]
    share = seen(f"sign-flip power at {effect} sd, the {n} seeds needed (at least)", planned, found)
    sampling = 3 * math.sqrt(planned * (1 - planned) / 1000)
    assert planned - sampling <= share <= planned + sampling + 0.08, "no less than promised, and not much more"
    assert share >= 0.8 - 3 * math.sqrt(0.8 * 0.2 / 1000)


@pytest.mark.parametrize("n", [6, 7, 8, 10])
@pytest.mark.parametrize("alpha", [0.0333, 0.01])
def test_the_power_promised_at_any_level_is_held(n, alpha):
    rng = np.random.default_rng(15)
    p = np.array([sign_flip_p(1.5 + rng.normal(size=n), rng)[0] for _ in range(600)])
    promised = sign_flip_power(1.0, 1.5, n, alpha)
    assert np.mean(p < alpha) >= promised - 3 * math.sqrt(promised * (1 - promised) / 600)


# --- Bouthillier's rule


@pytest.mark.parametrize("n", [5, 10, 30])
def test_bouthilliers_rule_errs_as_often_as_the_binomial_says(seen, n):
    rng = np.random.default_rng(14)
    a, b = rng.normal(size=(2, 2000, n))
    found = [bouthillier(*pair, rng, resamples=1999).verdict != "not significant" for pair in zip(a, b, strict=True)]
    won = np.arange(n + 1)
    significant = binom.ppf(0.025, n, won / n) > n / 2  # of the bootstrap, were it exhaustive
    significant[-1] = 0.025 ** (1 / n) > 0.5  # Clopper and Pearson's, where all pairs go one way
    rate = binom.pmf(won[significant], n, 0.5).sum()
    assert seen(f"Bouthillier's rule false positives, n = {n:>2}", 0.025, found) == within(rate, 2000)
