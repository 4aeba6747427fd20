"""One-sided tests and equivalence against scipy, statsmodels and slow obvious versions."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, permutation_test
from statsmodels.stats.weightstats import DescrStatsW

from study.analysis.equivalence import equivalence_p, sign_flip_one_sided
from study.analysis.statistics import sign_flip_p

whole = st.lists(st.integers(-5, 5), min_size=1, max_size=8)
bounds = st.integers(-6, 6)
units = st.sampled_from([1.0, 1e-4, 0.1, 1 / 3, 1e200])
alternatives = st.sampled_from(["greater", "less"])


def rng(seed=0):
    return np.random.default_rng(seed)


# --- one side


def slow_one_sided(differences, bound, alternative):
    sign = 1 if alternative == "greater" else -1
    beyond = [sign * (d - bound) for d in differences]
    sums = [sum(s * v for s, v in zip(signs, beyond, strict=True)) for signs in product([-1, 1], repeat=len(beyond))]
    return np.mean([total >= sum(beyond) for total in sums])


@given(whole, bounds, alternatives, units)
def test_sign_flips_are_all_counted_and_ties_survive_rounding(differences, bound, alternative, unit):
    p, method = sign_flip_one_sided(unit * np.array(differences), unit * bound, alternative, rng())
    assert p == slow_one_sided(differences, bound, alternative)
    assert method == "exact sign-flip"


@pytest.mark.parametrize("n", [2, 7, 12])
@pytest.mark.parametrize("alternative", ["greater", "less"])
def test_one_sided_p_is_scipys_paired_permutation_test_of_the_shifted_data(n, alternative):
    differences = rng(n).normal(0.5, size=n)
    expected = permutation_test(
        (differences - 0.2,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative=alternative
    ).pvalue
    assert sign_flip_one_sided(differences, 0.2, alternative, rng())[0] == pytest.approx(expected, rel=1e-12)


@given(whole, bounds)
def test_one_sided_p_counts_the_means_of_subsets_on_the_far_side_of_the_bound(differences, bound):
    # Hartigan 1969: flipping the signs of a subset takes the sum no lower when the subset's mean is <= the bound
    subsets = [s for k in range(1, len(differences) + 1) for s in combinations(differences, k)]
    far = sum(sum(subset) <= bound * len(subset) for subset in subsets)
    p = sign_flip_one_sided(differences, bound, "greater", rng())[0]
    assert p == (1 + far) / 2 ** len(differences)


@given(whole, bounds)
def test_the_two_sides_mirror_each_other_and_double_to_the_two_sided_p(differences, bound):
    data = np.array(differences)
    greater, less = (sign_flip_one_sided(data, bound, side, rng())[0] for side in ("greater", "less"))
    assert greater == sign_flip_one_sided(-data, -bound, "less", rng())[0]
    assert sign_flip_p(data - bound, rng())[0] == min(1, 2 * min(greater, less))


@given(whole, bounds, st.integers(1, 3), alternatives)
def test_a_bolder_claim_never_has_a_smaller_p(differences, bound, step, alternative):
    bolder = bound + (step if alternative == "greater" else -step)
    plain, bold = (sign_flip_one_sided(differences, at, alternative, rng())[0] for at in (bound, bolder))
    assert plain <= bold


@pytest.mark.parametrize("n", [1, 5, 10])
def test_the_smallest_p_is_that_of_the_observed_pattern_alone(n):
    assert sign_flip_one_sided(rng().uniform(1, 2, size=n), 1.0, "greater", rng())[0] == 2.0**-n
    assert sign_flip_one_sided(rng().uniform(1, 2, size=n), 1.0, "less", rng())[0] == 1


@pytest.mark.parametrize("ahead", [12, 17, 19])
def test_more_seeds_than_can_be_enumerated_are_sampled(ahead):
    p, method = sign_flip_one_sided([3.0] * ahead + [1.0] * (25 - ahead), 2.0, "greater", rng())
    assert p == pytest.approx(binomtest(ahead, 25, alternative="greater").pvalue, abs=0.015)
    assert method == "Monte Carlo sign-flip"


def test_a_sampled_p_is_never_zero():
    assert sign_flip_one_sided(np.ones(60), 0.0, "greater", rng(), resamples=999)[0] == 1 / 1000


def test_differences_at_the_bound_have_no_sign_to_flip():
    shares = np.array([0.9003] * 30) - 0.9001  # 2e-4 but for rounding
    assert sign_flip_one_sided(shares, 2e-4, "greater", rng()) == (1.0, "exact sign-flip")
    assert sign_flip_one_sided([*shares, 1.0, 2.0], 2e-4, "greater", rng()) == (0.25, "exact sign-flip")


def test_no_difference_at_all_is_no_test():
    for p, method in (sign_flip_one_sided([], 0.0, "greater", rng()), equivalence_p([], 1.0, rng())):
        assert np.isnan(p)
        assert method == "no test"


# --- equivalence


@given(whole, st.integers(1, 6), units)
def test_equivalence_needs_both_sides(differences, margin, unit):
    sides = (slow_one_sided(differences, -margin, "greater"), slow_one_sided(differences, margin, "less"))
    p, method = equivalence_p(unit * np.array(differences), unit * margin, rng())
    assert p == max(sides)
    assert p >= 2.0 ** -len(differences)
    assert method == "exact sign-flip"


@given(whole, st.integers(1, 6))
def test_equivalence_ignores_the_sign_and_grows_with_the_margin(differences, margin):
    p, mirrored, wider = (
        equivalence_p(data, at, rng())[0]
        for data, at in [(differences, margin), (-np.array(differences), margin), (differences, margin + 1)]
    )
    assert p == mirrored
    assert wider <= p


@pytest.mark.parametrize("centre", [-0.4, 0.0, 0.4])
@pytest.mark.parametrize("n", [15, 40])
def test_on_normal_differences_it_comes_close_to_the_two_one_sided_t_tests(n, centre):
    differences = rng(n).normal(centre, size=n)
    expected = DescrStatsW(differences).ttost_mean(-0.8, 0.8)[0]
    assert equivalence_p(differences, 0.8, rng())[0] == pytest.approx(expected, abs=0.02)


def test_no_difference_in_ten_seeds_is_equivalence_where_none_in_four_is_not():
    assert equivalence_p(np.zeros(10), 0.01, rng())[0] == 2.0**-10
    assert equivalence_p(np.zeros(4), 0.01, rng())[0] > 0.05


def test_neither_a_difference_nor_an_equivalence_need_be_found():
    differences = [-3.0, 4.0, -2.0, 5.0, 1.0, -1.0]
    assert sign_flip_p(differences, rng())[0] > 0.05
    assert equivalence_p(differences, 1.0, rng())[0] > 0.05


# --- errors


@pytest.mark.parametrize("margin", [0, -1, np.nan, np.inf])
def test_a_margin_is_positive(margin):
    message = f"^The 'margin' parameter of equivalence_p must be a positive number. Got {margin} instead.$"
    with pytest.raises(ValueError, match=message):
        equivalence_p([1.0, 2.0], margin, rng())


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(number):
    for call in (lambda d: sign_flip_one_sided(d, 0.0, "less", rng()), lambda d: equivalence_p(d, 1.0, rng())):
        with pytest.raises(ValueError, match=f"must be finite numbers. Got {number} instead"):
            call([1.0, number])
    with pytest.raises(ValueError, match="'bound' parameter of sign_flip_one_sided must be a finite number"):
        sign_flip_one_sided([1.0], number, "less", rng())


def test_an_alternative_has_a_side():
    with pytest.raises(ValueError, match=r"must be one of greater, less. Got 'two-sided' instead."):
        sign_flip_one_sided([1.0], 0.0, "two-sided", rng())
