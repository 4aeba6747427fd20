"""The test of two sets of runs: its p by an independent implementation, its error rate and power by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, permutation_test, rankdata

from study.analysis import permutation
from study.analysis.permutation import one_distribution_p, smallest_p

ALPHA = 0.05


@pytest.mark.parametrize(("n", "k"), [(4, 4), (3, 5), (6, 6)])
def test_with_one_result_it_is_the_exact_rank_sum_test(n: int, k: int) -> None:
    rng = np.random.default_rng(n)
    for _ in range(5):
        a, b = rng.normal(size=n), rng.normal(0.7, size=k)
        exact = mannwhitneyu(a, b, method="exact").pvalue
        assert one_distribution_p(a[:, None], b[:, None]) == pytest.approx(exact, rel=1e-12)


def test_with_several_results_it_is_the_permutation_test_of_the_largest() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 6, (5, 3)).astype(float), rng.integers(1, 7, (5, 3)).astype(float)  # with ties
    ranks = rankdata(np.vstack([a, b]), axis=0)
    scores = (ranks - ranks.mean(0)) / ranks.std(0)

    def largest(who: np.ndarray, _: np.ndarray) -> float:
        return float(np.abs(scores[who.astype(int)].sum(0)).max())

    whole = permutation_test(
        (np.arange(5), np.arange(5, 10)), largest, n_resamples=np.inf, alternative="greater", vectorized=False
    )
    assert one_distribution_p(a, b) == pytest.approx(whole.pvalue, rel=1e-12)


@given(seed=st.integers(0, 1000), n=st.integers(2, 6))
def test_units_order_and_which_set_comes_first_do_not_matter(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(n, 2)).round(2), rng.normal(1, size=(n, 2)).round(2)
    p = one_distribution_p(a, b)
    assert smallest_p(n, n) * (1 - 1e-12) <= p <= 1
    assert one_distribution_p(b, a) == p
    assert one_distribution_p(a[::-1], b) == p
    assert one_distribution_p(1000 * a[:, ::-1], 1000 * b[:, ::-1]) == p


def test_the_smallest_p_is_that_of_sets_that_lie_apart() -> None:
    low, high = np.arange(5.0)[:, None], 10 + np.arange(5.0)[:, None]
    assert one_distribution_p(low, high) == pytest.approx(smallest_p(5, 5))
    assert one_distribution_p(low[:3], high) == pytest.approx(smallest_p(3, 5))
    assert smallest_p(10, 10) == 2 / 184_756


def test_runs_without_a_number_come_last_and_what_all_share_says_nothing() -> None:
    numbers, lost = np.ones((5, 1)), np.full((5, 1), math.nan)
    assert one_distribution_p(numbers, lost) == pytest.approx(smallest_p(5, 5))
    assert one_distribution_p(lost, lost) == one_distribution_p(numbers, numbers) == 1
    assert one_distribution_p(numbers, numbers * (1 + 1e-9)) == 1, "rounding of another machine"
    assert one_distribution_p(np.zeros((5, 1)), np.zeros((5, 1))) == 1


def test_of_more_splits_some_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(8, 2)), rng.normal(0.8, size=(8, 2))
    exact = one_distribution_p(a, b)  # of 12,870
    monkeypatch.setattr(permutation, "SPLITS", 2000)
    permutation.splits.cache_clear()
    try:
        assert one_distribution_p(a, b) == pytest.approx(exact, abs=3 * math.sqrt(exact / 2000))
        assert 1 / 2001 <= one_distribution_p(a - 100, b) < 4 / 2001
        assert smallest_p(8, 8) == 1 / 2001
    finally:
        permutation.splits.cache_clear()


CELLS, SEEDS, STUDIES = 4, 6, 1000


@pytest.mark.parametrize(("shared", "most"), [(0.0, ALPHA), (0.9, ALPHA / 5)])
def test_how_often_a_study_of_equal_cells_has_one_that_differs(seen, shared: float, most: float) -> None:
    """`shared`: the part of a result's variance that its seed fixes on any machine; more of it, fewer errors."""
    rng = np.random.default_rng(11)

    def one() -> bool:
        luck = math.sqrt(shared) * rng.normal(size=(CELLS, 1, SEEDS, 3))
        sets = luck + math.sqrt(1 - shared) * rng.normal(size=(CELLS, 2, SEEDS, 3))
        return min(one_distribution_p(*cell) for cell in sets) <= ALPHA / CELLS  # when Holm's method rejects anything

    what = f"a cell of {CELLS} is said to differ, {SEEDS} seeds, {shared:.0%} of the variance shared"
    assert seen(what, ALPHA, [one() for _ in range(STUDIES)]) <= most + 3 * math.sqrt(most / STUDIES)


def test_a_shift_of_three_standard_deviations_is_found_among_ninety_cells(seen) -> None:
    rng = np.random.default_rng(12)
    move = np.array([3.0, 0, 0, 0])  # of one result of four

    def one() -> bool:
        return one_distribution_p(rng.normal(size=(10, 4)), move + rng.normal(size=(10, 4))) <= ALPHA / 90

    found = seen("a shift of 3 sd is found, 10 seeds, 90 cells", 0.85, [one() for _ in range(60)])
    assert found == pytest.approx(0.85, abs=3 * math.sqrt(0.85 * 0.15 / 60))
