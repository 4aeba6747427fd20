"""Claims are decided by a rule stated beforehand: right in all three directions where the truth is known."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest

from study.analysis.verdicts import against, combined, decide, find, not_compared, to_decide
from study.claims.base import Cell, Contrast, Expectation, Term

SMALLEST = 1.0


def contrast(values: np.ndarray, expectation: Expectation = "increase", smallest: float = SMALLEST) -> Contrast:
    terms = [Term(1, Cell("own"), pd.Series(values)), Term(-1, Cell("none"), pd.Series(0 * values))]
    return Contrast("key", "hypothesis", terms, "points", smallest, "rows", "figure", expectation)


def verdict(values: np.ndarray, expectation: Expectation) -> str:
    one = contrast(values, expectation)
    found = find(one, np.random.default_rng(0))
    return decide(one, found, found.p_for, found.p_against)


@pytest.mark.parametrize(
    ("truth", "expectation", "expected"),
    [
        (2.0, "increase", "supported"),
        (0.0, "increase", "contradicted"),
        (-2.0, "increase", "contradicted"),
        (0.0, "not_worse", "supported"),
        (2.0, "not_worse", "supported"),
        (-2.0, "not_worse", "contradicted"),
        (0.0, "same", "supported"),
        (2.0, "same", "contradicted"),
        (-2.0, "same", "contradicted"),
    ],
)
def test_a_clear_truth_is_found_with_ten_seeds(truth: float, expectation: Expectation, expected: str) -> None:
    rng = np.random.default_rng(1)
    found = [verdict(truth + 0.5 * rng.standard_normal(10), expectation) for _ in range(40)]
    assert found.count(expected) >= 38


@pytest.mark.parametrize(("truth", "expectation"), [(0.5, "increase"), (-1.0, "not_worse"), (1.0, "same")])
def test_noise_as_large_as_what_matters_leaves_it_undecided(truth: float, expectation: Expectation) -> None:
    rng = np.random.default_rng(2)
    found = [verdict(truth + 3.0 * rng.standard_normal(10), expectation) for _ in range(40)]
    assert found.count("undecided") >= 30


@pytest.mark.parametrize(
    ("truth", "expectation", "wrong"),
    [
        (0.0, "increase", "supported"),
        (1.0, "increase", "contradicted"),
        (-1.0, "not_worse", "supported"),
        (-1.0, "not_worse", "contradicted"),
        (1.0, "same", "supported"),
        (1.0, "same", "contradicted"),
    ],
)
def test_on_the_border_a_wrong_verdict_stays_as_rare_as_stated(
    truth: float, expectation: Expectation, wrong: str, seen: Callable[[str, float, Sequence[bool]], float]
) -> None:
    rng, times = np.random.default_rng(3), 300
    found = [verdict(truth + 0.7 * rng.standard_normal(10), expectation) for _ in range(times)]
    rate = seen(f"claim's rule, {expectation}: {wrong} at the border (at most)", 0.05, [one == wrong for one in found])
    assert rate <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / times)


def test_equal_differences_decide_exactly() -> None:
    assert verdict(np.zeros(10), "increase") == "contradicted", "nothing happened in any seed"
    assert verdict(np.zeros(10), "same") == "supported"
    assert verdict(np.full(10, 3.0), "increase") == "supported"


def test_few_seeds_decide_nothing_and_none_leave_it_undefined() -> None:
    assert verdict(np.full(4, 5.0), "increase") == "undecided", "2^-4 is above .05"
    nothing = contrast(np.array([np.nan, np.nan]))
    found = find(nothing, np.random.default_rng(0))
    assert (found.n, found.n_undefined) == (0, 2)
    assert decide(nothing, found, found.p_for, found.p_against) == "undecided"
    assert to_decide(nothing, found) is None


def test_an_undecided_contrast_names_the_seeds_that_would_decide() -> None:
    rng = np.random.default_rng(4)
    one = contrast(1.2 + 4.0 * rng.standard_normal(12))
    found = find(one, rng)
    needed = to_decide(one, found)
    assert needed is not None
    assert needed > 12
    assert to_decide(contrast(one.differences.to_numpy() * 10, smallest=10.0), found) is not None


@pytest.mark.parametrize(
    ("verdicts", "combine", "expected"),
    [
        (["supported", "supported"], "all", "supported"),
        (["supported", "undecided"], "all", "undecided"),
        (["supported", "contradicted", "undecided"], "all", "contradicted"),
        (["contradicted", "contradicted"], "any", "contradicted"),
        (["contradicted", "undecided"], "any", "undecided"),
        (["contradicted", "undecided", "supported"], "any", "supported"),
        ([], "all", "undecided"),
        (["same cell", "same cell"], "all", "undecided"),
        (["same cell", "same cell"], "any", "undecided"),
        (["same cell", "contradicted"], "any", "contradicted"),
        (["same cell", "supported"], "all", "supported"),
        (["gaps below zero", "contradicted"], "all", "contradicted"),
        (["gaps below zero", "gaps below zero"], "all", "undecided"),
    ],
)
def test_a_claim_is_what_its_contrasts_make_of_it(verdicts: list, combine: str, expected: str) -> None:  # type: ignore[type-arg]
    assert combined(verdicts, combine) == expected  # type: ignore[arg-type]


def itself(expectation: Expectation) -> Contrast:
    terms = [Term(sign, Cell("own"), pd.Series(np.ones(10))) for sign in (1, -1)]
    return Contrast("key", "hypothesis", terms, "points", SMALLEST, "rows", "figure", expectation)


def test_a_cell_against_itself_says_nothing_of_a_gain_and_bears_out_a_claim_of_no_loss() -> None:
    other = contrast(np.ones(10))
    assert not_compared([itself("increase"), other]) == ["same cell", None]
    assert not_compared([other, itself("not_worse")]) == [None, "same cell"], "a gain is claimed beside"
    assert not_compared([itself("not_worse"), itself("same")]) == [None, None]
    found = find(itself("not_worse"), np.random.default_rng(0))
    assert decide(itself("not_worse"), found, found.p_for, found.p_against) == "supported"


@pytest.mark.parametrize(
    ("truth", "expectation", "expected"),
    [
        (-2.0, "increase", "opposite"),
        (-0.3, "increase", "too small"),
        (0.3, "increase", "too small"),
        (2.0, "increase", ""),
        (-2.0, "not_worse", "loss"),
        (2.0, "same", "difference"),
    ],
)
def test_a_contradicted_contrast_says_what_was_found(truth: float, expectation: Expectation, expected: str) -> None:
    one = contrast(truth + 0.05 * np.random.default_rng(5).standard_normal(10), expectation)
    found = find(one, np.random.default_rng(0))
    assert against(one, found, decide(one, found, found.p_for, found.p_against)) == expected


def test_a_difference_is_the_weighted_sum_of_its_terms_and_its_sides_are_their_signs() -> None:
    cells = [Cell("a"), Cell("b"), Cell("c", "value(1)")]
    terms = [Term(w, cell, pd.Series([1.0, v])) for w, cell, v in zip((0.5, 0.5, -1), cells, (3, 5, 7), strict=True)]
    one = Contrast("key", "hypothesis", terms, "points", SMALLEST, "runs, test_accuracy")
    assert list(one.differences) == [0.0, -3.0]
    assert one.sides == (cells[:2], cells[2:])
    assert one.where == (
        "runs, test_accuracy: regime=a or b clip=none regularization=none minus"
        " regime=c clip=value(1) regularization=none"
    )
