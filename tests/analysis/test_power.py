"""What the seeds can show and decide, against the planner's own numbers and by trying every sign."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.analysis.conventions import ALPHA
from study.analysis.planning import detectable_effect, seeds_needed
from study.analysis.power import decidable, resolution
from study.analysis.statistics import holm, sign_flip_p
from study.report.format import number
from study.report.power import resolution_rows, resolution_text


def comparisons(*sds: float, metric: str = "test_accuracy", n: int = 10) -> pd.DataFrame:
    return pd.DataFrame([{"family": "clip", "metric": metric, "n": n, "sd": sd} for sd in sds])


def test_the_smallest_difference_is_that_of_the_median_spread() -> None:
    found = resolution(comparisons(0.01, 0.02, 0.03, 0.0))
    (row,) = resolution_rows(found)
    assert row["comparisons"] == 3, "a comparison without any spread says nothing"
    assert row["median detectable"] == f"{number(100 * detectable_effect(0.02, 10))} points"
    assert row["seeds to detect this in half of them"] == f"{seeds_needed(0.02, 0.005)} for 0.50 points"
    least = f"{number(100 * detectable_effect(0.02, 10))} points"
    assert resolution_text(found).startswith(
        f"The median comparison, of 10 pairs, detects a difference of {least} of test accuracy"
    )
    (loss,) = resolution_rows(resolution(comparisons(0.01, 0.02, metric="test_loss")), in_nats=False)
    assert loss["seeds to detect this in half of them"] == "", "a distance has no smallest difference that matters"


@pytest.mark.parametrize("table", [comparisons(0.0), comparisons(0.1, n=1), comparisons()])
def test_without_spread_or_seeds_nothing_is_said(table: pd.DataFrame) -> None:
    found = resolution(table.reindex(columns=["family", "metric", "n", "sd"]))
    assert resolution_rows(found) == []
    assert resolution_text(found) == ""


@given(st.lists(st.integers(1, 8), min_size=1, max_size=6))
def test_a_row_is_decidable_where_some_differences_of_so_many_seeds_would_decide_it(seeds: list[int]) -> None:
    rng = np.random.default_rng(0)
    keys = {"regime": "x", "family": "clip", "metric": "test_accuracy"}
    clearest = [sign_flip_p(np.arange(1.0, n + 1), rng)[0] for n in seeds]  # all of one sign, none alike
    found = decidable(pd.DataFrame([{**keys, "n": n, "p": p} for n, p in zip(seeds, clearest, strict=True)]))
    assert list(found) == list(holm(clearest) < ALPHA)


def test_what_is_not_compared_makes_no_family_larger() -> None:
    keys = {"regime": "x", "family": "clip", "metric": "test_accuracy", "n": 6}
    rows = pd.DataFrame([{**keys, "p": p} for p in (0.03, np.nan, np.nan)])
    assert list(decidable(rows)) == [True, False, False], "2 / 64 is below .05, three times that is not"
    assert not decidable(rows.fillna(0.5)).any()
