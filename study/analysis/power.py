"""Which differences the seeds of a study can show, and how many seeds smaller ones would need."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from study.analysis.planning import detectable_effect, fewest_seeds, seeds_needed
from study.report.format import ALPHA, IN_POINTS, METRIC_NAMES, number

Row = dict[str, object]
POWER = 0.8
OF_INTEREST = {"gap_accuracy": 0.01, "test_accuracy": 0.005, "test_loss": 0.02, "gap_loss": 0.05}
QUARTERS = (0.25, 0.5, 0.75)


def resolution_rows(comparisons: pd.DataFrame) -> list[Row]:
    """For each metric the smallest difference to none that a single comparison shows with power .8 at level .05.

    Quartiles over the comparisons of methods alone whose differences vary between seeds, and the seeds that half of
    them need to show the smallest difference of interest.
    """
    return list(_rows(_alone(comparisons)))


def _rows(alone: pd.DataFrame) -> Iterator[Row]:
    for metric, interest in OF_INTEREST.items():
        own = alone[alone["metric"] == metric]
        if own.empty:
            continue
        scale, unit = (100, "points") if metric in IN_POINTS else (1, "nats")
        spreads = own["sd"].astype(float)
        low, middle, high = (scale * float(np.quantile(_detectable(own), share)) for share in QUARTERS)
        needed = seeds_needed(float(spreads.median()), interest, POWER, ALPHA)
        yield {
            "metric": METRIC_NAMES[metric],
            "comparisons": len(own),
            "seeds": int(own["n"].median()),
            "not seen below": f"{number(middle)} {unit}",
            "quartiles": f"{number(low)} to {number(high)}",
            "seeds that half of them need": f"{needed or 'over 10⁶'} for {number(scale * interest)} {unit}",
        }


def resolution_text(comparisons: pd.DataFrame) -> str:
    """The same in a sentence: "With 10 seeds differences below 0.7 points of the accuracy gap, ... cannot be seen"."""
    alone = _alone(comparisons)
    parts = []
    for metric in ("test_accuracy", "gap_accuracy", "test_loss"):
        own = alone[alone["metric"] == metric]
        if not own.empty:
            scale, unit = (100, "points") if metric in IN_POINTS else (1, "nats")
            parts.append(f"{number(scale * float(np.median(_detectable(own))))} {unit} of {METRIC_NAMES[metric]}")
    if not parts:
        return ""
    seeds = int(alone["n"].median())
    return (
        f"With {seeds} seeds, differences below {', '.join(parts[:-1])}{' and ' if parts[1:] else ''}{parts[-1]} cannot"
        f" be seen in half of the comparisons: a single one shows them with a probability of less than {POWER:.0%}."
    ).replace("%", " %")


def _alone(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Methods alone against neither, where seeds vary and there are enough of them."""
    enough = comparisons["n"] >= fewest_seeds(ALPHA)
    wanted = comparisons["family"].isin(["clip", "regularization"]) & enough & (comparisons["sd"] > 0)
    return comparisons[wanted]


def _detectable(own: pd.DataFrame) -> list[float]:
    factors = {int(n): detectable_effect(1.0, int(n), POWER, ALPHA) for n in own["n"].unique()}
    found = [sd * factors[int(n)] for sd, n in zip(own["sd"].astype(float), own["n"], strict=True)]
    return [one for one in found if math.isfinite(one)]
