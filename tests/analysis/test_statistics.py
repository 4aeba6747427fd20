"""Estimates on plain arrays against scipy, statsmodels and slow obvious versions."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, bootstrap, permutation_test
from statsmodels.stats.contingency_tables import mcnemar

from study.analysis.statistics import bca_interval, holm, sign_flip_p, signed_sum, superiority

whole = st.lists(st.integers(-5, 5), min_size=1, max_size=8)
real = st.lists(st.floats(-1e3, 1e3, allow_subnormal=False), min_size=2, max_size=12)
p_values = st.lists(st.floats(0, 1), min_size=1, max_size=12)
quick = 199  # resamples where a law must hold for any number of them


few = settings(max_examples=25)  # statsmodels collects garbage at each call, which is slow


def rng(seed=0):
    return np.random.default_rng(seed)


# --- the interval


@pytest.mark.parametrize("n", [2, 5, 10, 30])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_bca_interval_is_scipys_where_arithmetic_is_exact(n, confidence):
    # whole numbers: otherwise scipy's ties (the same numbers in another order) are broken by rounding
    differences = rng(n).integers(-5, 5, size=n) ** 3 + np.arange(n)
    expected = bootstrap(
        (differences,), np.mean, confidence_level=confidence, method="BCa", rng=rng(1)
    ).confidence_interval
    interval = bca_interval(differences, rng(1), confidence)
    assert (interval.low, interval.high) == pytest.approx(tuple(expected), abs=1e-6)
    assert interval.method == "BCa"


def test_ties_are_counted_alike_whatever_the_unit():
    # 30 differences of accuracies on 10,000 images, many equal but for rounding
    images = rng(3).integers(-3, 4, size=30)
    accuracies = (9000 + images) / 10_000 - 9000 / 10_000
    counted, shared = bca_interval(images, rng(1)), bca_interval(accuracies, rng(1))
    assert (1e4 * shared.low, 1e4 * shared.high) == pytest.approx((counted.low, counted.high), abs=1e-6)


@given(real, st.floats(-1e3, 1e3), st.floats(0.01, 100))
def test_bca_interval_moves_and_scales_with_the_data(differences, shift, scale):
    data = np.array(differences)
    plain = bca_interval(data, rng(), resamples=quick)
    moved = bca_interval(scale * data + shift, rng(), resamples=quick)
    expected = (scale * plain.low + shift, scale * plain.high + shift)
    assert (moved.low, moved.high) == pytest.approx(expected, abs=1e-6 * max(1, scale))


@given(real)
def test_bca_interval_is_mirrored_with_the_data_and_lies_among_them(differences):
    data = np.array(differences)
    plain, mirrored = (bca_interval(d, rng(), resamples=quick) for d in (data, -data))
    assert (mirrored.low, mirrored.high) == pytest.approx((-plain.high, -plain.low), abs=1e-6)
    rounding = 1e-9 * np.abs(data).max()
    assert data.min() - rounding <= plain.low <= plain.high <= data.max() + rounding


@pytest.mark.parametrize(("n", "least"), [(10, 0.87), (20, 0.90), (30, 0.91)])
@pytest.mark.parametrize("draw", [np.random.Generator.normal, np.random.Generator.uniform])
def test_bca_interval_covers_the_mean_nearly_as_often_as_it_says(n, least, draw):
    generator = rng(5)
    truth = 0.0 if draw is np.random.Generator.normal else 0.5
    intervals = [bca_interval(draw(generator, size=n), generator, resamples=999) for _ in range(500)]
    coverage = np.mean([interval.low <= truth <= interval.high for interval in intervals])
    assert least <= coverage <= 0.98


@pytest.mark.parametrize("differences", [[0.0, 0.0, 0.0], [0.3 - 0.2, 0.2 - 0.1, 0.1]])
def test_equal_differences_give_a_point_that_says_so(differences):
    interval = bca_interval(differences, rng())
    assert interval.low == interval.high == pytest.approx(differences[-1])
    assert interval.method == "degenerate"


@pytest.mark.parametrize("differences", [[], [1.0]])
def test_fewer_than_two_differences_give_no_interval(differences):
    interval = bca_interval(differences, rng())
    assert np.isnan([interval.low, interval.high]).all()
    assert interval.method == "no interval"


@pytest.mark.parametrize("estimator", [bca_interval, sign_flip_p])
@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(estimator, number):
    with pytest.raises(ValueError, match=f"must be finite numbers. Got {number} instead"):
        estimator([1.0, number], rng())


# --- the test


def slow_sign_flip_p(differences):
    sums = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
        for signs in product([-1, 1], repeat=len(differences))
    ]
    return np.mean([total >= abs(sum(differences)) for total in sums])


@given(whole, st.sampled_from([1.0, 1e-4, 0.1, 1 / 3, 1e200]))
def test_sign_flips_are_all_counted_and_ties_survive_rounding(differences, unit):
    p, method = sign_flip_p(unit * np.array(differences), rng())
    assert p == slow_sign_flip_p(differences)
    assert method == "exact sign-flip"


@pytest.mark.parametrize("n", [2, 7, 12])
def test_sign_flip_p_is_scipys_paired_permutation_test(n):
    differences = rng(n).normal(0.5, size=n)
    expected = permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf).pvalue
    assert sign_flip_p(differences, rng())[0] == pytest.approx(expected, rel=1e-12)


@given(real, st.floats(1e-3, 1e3), st.randoms(use_true_random=False))
def test_sign_flip_p_ignores_sign_unit_and_order(differences, scale, random):
    data = np.array(differences)
    shuffled = np.array(random.sample(differences, len(differences)))
    p = sign_flip_p(data, rng())[0]
    assert p == sign_flip_p(-data, rng())[0] == sign_flip_p(scale * shuffled, rng())[0]


def test_ten_seeds_of_one_sign_reach_two_in_1024():
    assert sign_flip_p(rng().uniform(1, 2, size=10), rng())[0] == 2 / 1024


@given(st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=5))
def test_five_seeds_never_reach_five_percent(differences):
    assert sign_flip_p(differences, rng())[0] >= 2**-4


def test_no_difference_at_all_is_no_evidence():
    assert sign_flip_p(np.zeros(30), rng()) == (1.0, "exact sign-flip")
    assert sign_flip_p([0.7], rng())[0] == 1.0
    p, method = sign_flip_p([], rng())
    assert np.isnan(p)
    assert method == "no test"


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=20))
def test_on_divergence_the_sign_flip_is_the_exact_mcnemar_test(pairs):
    first, second = np.array(pairs, dtype=float).T
    table = [[np.sum((first == i) & (second == j)) for j in (0, 1)] for i in (0, 1)]
    p = sign_flip_p(first - second, rng())[0]
    assert p == pytest.approx(mcnemar(table, exact=True).pvalue)
    if len(discordant := first[first != second]):
        assert p == pytest.approx(binomtest(int(discordant.sum()), len(discordant)).pvalue)


def test_many_seeds_with_few_discordant_pairs_stay_exact():
    p, method = sign_flip_p([1.0] * 6 + [0.0] * 94, rng())
    assert (p, method) == (2 / 64, "exact sign-flip")


@pytest.mark.parametrize("ahead", [12, 17, 19])
def test_more_seeds_than_can_be_enumerated_are_sampled(ahead):
    p, method = sign_flip_p([1.0] * ahead + [-1.0] * (25 - ahead), rng())
    assert p == pytest.approx(binomtest(ahead, 25).pvalue, abs=0.015)
    assert method == "Monte Carlo sign-flip"


def test_a_sampled_p_is_never_zero():
    assert sign_flip_p(np.ones(60), rng())[0] == 1 / 10_000


@pytest.mark.parametrize("draw", [np.random.Generator.standard_normal, np.random.Generator.standard_cauchy])
def test_false_positives_stay_at_the_level(draw):
    generator = rng(11)
    rate = np.mean([sign_flip_p(draw(generator, 10), generator)[0] <= 0.05 for _ in range(3000)])
    assert 0.035 < rate < 0.062


# --- the family


def slow_holm(p):
    order = np.argsort(p, kind="stable")
    adjusted, worst = np.empty(len(p)), 0.0
    for rank, i in enumerate(order):
        worst = max(worst, min(1.0, (len(p) - rank) * p[i]))
        adjusted[i] = worst
    return adjusted


@few
@given(p_values)
def test_holm_steps_down_the_sorted_p_values(p):
    assert holm(p) == pytest.approx(slow_holm(p))


@few
@given(p_values)
def test_holm_never_lowers_a_p_value_nor_swaps_two(p):
    adjusted = holm(p)
    assert (adjusted >= np.array(p) - 1e-15).all()
    assert (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(p)]) >= 0).all()


@few
@given(p_values, st.integers(0, 12))
def test_an_undefined_p_value_is_no_member_of_the_family(p, position):
    with_gap = holm([*p[:position], np.nan, *p[position:]])
    at = min(position, len(p))
    assert np.isnan(with_gap[at])
    assert np.delete(with_gap, at) == pytest.approx(holm(p))


def test_holm_of_nothing_is_nothing():
    assert holm([]).size == 0
    assert np.isnan(holm([np.nan, np.nan])).all()


def test_ten_comparisons_need_more_than_eight_seeds():
    least = {n: holm([sign_flip_p(np.ones(n), rng())[0]] * 10)[0] for n in (8, 9)}
    assert least[8] > 0.05 > least[9]


# --- effect size and sums


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=10))
def test_superiority_counts_pairs_won_and_half_the_ties(pairs):
    a, b = zip(*pairs, strict=True)
    won = sum(1.0 if x > y else 0.5 if x == y else 0.0 for x, y in pairs)
    assert superiority(a, b) == pytest.approx(won / len(pairs))
    assert superiority(a, b) + superiority(b, a) == pytest.approx(1)


def test_superiority_of_no_pairs_is_undefined():
    assert np.isnan(superiority([], []))


def test_a_sum_that_is_only_rounding_is_zero():
    terms = np.array([[0.3, 0.3], [-0.1, -0.1], [-0.2, -0.2], [0.0, 1e-12]])
    assert terms[:, 0].sum() != 0
    assert signed_sum(terms)[0] == 0
    assert signed_sum(terms)[1] == pytest.approx(1e-12, rel=1e-3)
