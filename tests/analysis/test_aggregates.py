"""Aggregates over settings and runs against scipy and against every resample there is."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binom, binomtest, ecdf

from study.analysis.aggregates import bouthillier, interquartile_mean, iqm_interval, performance_profile, profile_band

real = st.floats(-1e3, 1e3, allow_subnormal=False)
tables = arrays(float, st.tuples(st.integers(1, 4), st.integers(2, 5)), elements=st.integers(-9, 9).map(float))
pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=10)
quick = 199  # resamples where a law must hold for any number of them


def rng(seed=0):
    return np.random.default_rng(seed)


def every_resample(scores):
    """All tables that drawing seeds anew within each setting can give, all equally likely."""
    anew = [list(product(setting, repeat=len(setting))) for setting in scores]
    return np.array(list(product(*anew)))


# --- the interquartile mean


@given(st.lists(real, min_size=1, max_size=30))
def test_interquartile_mean_is_the_mean_of_the_middle_half(values):
    cut = len(values) // 4
    assert interquartile_mean(values) == pytest.approx(np.mean(sorted(values)[cut : len(values) - cut]))


@pytest.mark.parametrize(("values", "mean"), [(range(8), 3.5), ([5], 5), ([0, 0, 1, 1], 0.5), ([1, 2, 3, 9e9], 2.5)])
def test_interquartile_mean_of_small_examples(values, mean):
    assert interquartile_mean(list(values)) == mean


@given(st.lists(real, min_size=4, max_size=30), st.floats(1, 1e6))
def test_one_run_gone_wild_does_not_move_it(values, further):
    # the greatest of at least four is cut away, however great
    wild = sorted(values)
    wild[-1] += further
    assert interquartile_mean(wild) == pytest.approx(interquartile_mean(values))


def test_interquartile_mean_of_nothing_is_undefined():
    assert np.isnan(interquartile_mean([]))


def test_the_interval_comes_near_the_quantiles_of_every_resample():
    scores = rng(2).normal(size=(2, 4))
    middle = np.sort(every_resample(scores).reshape(-1, 8))[:, 2:6].mean(axis=1)
    expected = np.quantile(middle, [0.1, 0.9])
    interval = iqm_interval(scores, rng(), confidence=0.8)
    assert (interval.low, interval.high) == pytest.approx(tuple(expected), abs=0.02)
    assert interval.method == "percentile"


@given(tables, st.integers(-100, 100), st.sampled_from([0.5, 2.0, 8.0]))
def test_the_interval_moves_and_scales_with_the_scores_and_lies_among_them(scores, shift, scale):
    plain = iqm_interval(scores, rng(), resamples=quick)
    moved = iqm_interval(scale * scores + shift, rng(), resamples=quick)
    assert (moved.low, moved.high) == pytest.approx((scale * plain.low + shift, scale * plain.high + shift))
    assert scores.min() <= plain.low <= plain.high <= scores.max()


def test_settings_of_very_different_level_do_not_widen_the_interval():
    levels = np.repeat([[0.0], [10.0], [20.0], [30.0]], 10, axis=1)
    assert iqm_interval(levels, rng()).method == "degenerate"
    assert iqm_interval(levels, rng()).low == iqm_interval(levels, rng()).high == 15
    noisy = iqm_interval(levels + rng(1).normal(scale=0.1, size=levels.shape), rng())
    assert noisy.high - noisy.low < 0.2


@pytest.mark.parametrize("shape", [(3, 1), (3, 0), (0, 3)])
def test_fewer_than_two_seeds_give_no_interval(shape):
    interval = iqm_interval(np.ones(shape), rng())
    assert np.isnan([interval.low, interval.high]).all()
    assert interval.method == "no interval"
    assert np.isnan(profile_band(np.ones(shape), [0.5, 2], rng())).all()


# --- the profile


@given(tables, st.lists(st.integers(-10, 10), min_size=1, max_size=6))
def test_the_profile_is_what_the_distribution_function_leaves(scores, thresholds):
    expected = 1 - ecdf(scores.ravel()).cdf.evaluate(thresholds)
    assert performance_profile(scores, thresholds) == pytest.approx(expected)


def test_a_run_without_a_score_is_above_no_threshold():
    assert list(performance_profile([[0.2, np.nan], [0.6, 0.9]], [-np.inf, 0.2, 0.7])) == [0.75, 0.5, 0.25]


def test_the_profile_of_no_runs_is_undefined():
    assert np.isnan(performance_profile(np.ones((0, 3)), [0.5, 1.0])).all()


@given(tables)
def test_band_and_profile_fall_with_the_threshold_and_keep_their_order(scores):
    thresholds = np.arange(-10, 11)
    low, high = profile_band(scores, thresholds, rng(), resamples=quick)
    for curve in (low, high, performance_profile(scores, thresholds)):
        assert (np.diff(curve) <= 0).all()
        assert (curve[0], curve[-1]) == (1, 0)
    assert (low <= high).all()


def test_the_band_comes_near_the_quantiles_of_every_resample():
    scores, thresholds = np.array([[0.1, 0.4, 0.6, 0.9], [0.3, 0.3, 0.8, 0.8]]), [0.2, 0.35, 0.7]
    shares = (every_resample(scores)[..., None] > thresholds).mean(axis=(1, 2))
    expected = np.quantile(shares, [0.1, 0.9], axis=0)
    assert profile_band(scores, thresholds, rng(), confidence=0.8) == pytest.approx(expected)


def test_the_band_has_no_width_where_settings_alone_differ():
    scores = np.array([[0.0] * 10, [1.0] * 10])
    assert (profile_band(scores, [0.5], rng()) == 0.5).all()


# --- Bouthillier's rule


@given(pairs)
def test_probability_and_interval_are_mirrored_with_the_pairs(drawn):
    a, b = zip(*drawn, strict=True)
    result, mirrored = bouthillier(a, b, rng()), bouthillier(b, a, rng())
    assert result.probability + mirrored.probability == pytest.approx(1)
    if result.interval.method == "percentile":
        assert result.interval.low <= result.probability <= result.interval.high


@given(st.integers(2, 40), st.data())
def test_without_ties_the_interval_is_made_of_binomial_quantiles(n, data):
    won = data.draw(st.integers(1, n - 1))
    interval = bouthillier(np.arange(n) < won, np.full(n, 0.5), rng(), resamples=4999).interval
    # the sampled quantile lies between those a little below and above the level
    for bound, level in ((interval.low, 0.025), (interval.high, 0.975)):
        assert binom.ppf(level - 0.01, n, won / n) <= n * bound + 1e-9
        assert n * bound - 1e-9 <= binom.ppf(level + 0.01, n, won / n)
    assert interval.method == "percentile"


@given(st.integers(2, 40), st.booleans(), st.sampled_from([0.8, 0.95, 0.99]))
def test_of_pairs_that_all_go_one_way_the_interval_is_clopper_and_pearsons(n, won, confidence):
    found = bouthillier(np.full(n, float(won)), np.full(n, 0.5), rng(), confidence=confidence)
    expected = binomtest(n * won, n).proportion_ci(confidence, method="exact")
    assert (found.interval.low, found.interval.high) == pytest.approx((expected.low, expected.high))
    assert found.interval.method == "Clopper-Pearson"
    assert found.verdict == ("better" if won and expected.low > 0.5 else "not significant")


def test_the_interval_comes_near_the_quantiles_of_every_resample_of_pairs():
    a, b = np.array([3, 1, 2, 5, 4, 1]), np.array([1, 1, 3, 2, 4, 0])
    outcomes = (a > b) + 0.5 * (a == b)
    expected = np.quantile([np.mean(drawn) for drawn in product(outcomes, repeat=6)], [0.1, 0.9])
    interval = bouthillier(a, b, rng(), confidence=0.8).interval
    assert (interval.low, interval.high) == pytest.approx(tuple(expected))


@pytest.mark.parametrize(
    ("won", "of", "verdict"),
    [
        (5, 10, "not significant"),
        (8, 10, "not significant"),
        (9, 10, "better"),
        (0, 10, "not significant"),
        (620, 1000, "not meaningful"),
        (740, 1000, "better"),
        (1, 1, "not significant"),
    ],
)
def test_the_verdict_asks_whether_first_and_then_how_often(won, of, verdict):
    result = bouthillier(np.arange(of) < won, np.full(of, 0.5), rng())
    assert result.probability == won / of
    assert result.verdict == verdict


def test_what_is_meaningful_is_for_gamma_to_say():
    a, b = np.arange(1000) < 620, np.full(1000, 0.5)
    assert [bouthillier(a, b, rng(), gamma).verdict for gamma in (0.5, 0.6, 0.7)] == ["better"] * 2 + ["not meaningful"]


def test_pairs_that_all_tie_say_nothing():
    result = bouthillier(np.ones(10), np.ones(10), rng())
    assert result.probability == result.interval.low == result.interval.high == 0.5
    assert (result.interval.method, result.verdict) == ("degenerate", "not significant")


def test_no_pairs_are_undefined():
    result = bouthillier([], [], rng())
    assert np.isnan([result.probability, result.interval.low, result.interval.high]).all()
    assert (result.interval.method, result.verdict) == ("no interval", "not significant")


# --- errors


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: interquartile_mean([1, np.nan]), "'values' parameter of interquartile_mean must be finite numbers"),
        (lambda: iqm_interval([[1, np.inf]], rng()), "'scores' parameter of iqm_interval must be finite numbers"),
        (lambda: iqm_interval([1, 2], rng()), "'scores' .* Got an array of shape .* instead"),
        (lambda: performance_profile([1, 2], [0]), "'scores' parameter of performance_profile must be a table"),
        (lambda: bouthillier([1, 2], [1], rng()), "'b' parameter .* must be 2 numbers, .* Got 1 instead"),
        (lambda: bouthillier([1], [np.nan], rng()), "'b' parameter of bouthillier must be finite numbers"),
        (lambda: bouthillier([1], [1], rng(), gamma=1), "'gamma' parameter of bouthillier must .* Got 1 instead"),
    ],
)
def test_errors_name_the_parameter(call, message):
    with pytest.raises(ValueError, match=message):
        call()
