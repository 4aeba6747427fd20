"""What the seeds can show, against the planner's own numbers."""

import pandas as pd
import pytest

from study.analysis.planning import detectable_effect, seeds_needed
from study.analysis.power import resolution_rows, resolution_text
from study.report.format import number


def comparisons(*sds: float, metric: str = "test_accuracy", n: int = 10) -> pd.DataFrame:
    return pd.DataFrame([{"family": "clip", "metric": metric, "n": n, "sd": sd} for sd in sds])


def test_the_smallest_difference_is_that_of_the_median_spread() -> None:
    table = comparisons(0.01, 0.02, 0.03, 0.0)
    (row,) = resolution_rows(table)
    assert row["comparisons"] == 3, "a comparison without any spread says nothing"
    assert row["not seen below"] == f"{number(100 * detectable_effect(0.02, 10))} points"
    assert row["seeds that half of them need"] == f"{seeds_needed(0.02, 0.005)} for 0.50 points"
    least = f"{number(100 * detectable_effect(0.02, 10))} points"
    assert resolution_text(table).startswith(
        f"With 10 seeds, differences below {least} of test accuracy cannot be seen"
    )


@pytest.mark.parametrize("table", [comparisons(0.0), comparisons(0.1, n=1), comparisons()])
def test_without_spread_or_seeds_nothing_is_said(table: pd.DataFrame) -> None:
    given = table.reindex(columns=["family", "metric", "n", "sd"])
    assert resolution_rows(given) == []
    assert resolution_text(given) == ""
