"""Resolution of a study's seeds: differences they can show, seeds that smaller ones need, undecidable families."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from study.analysis.conventions import ALPHA
from study.analysis.deciding import fewest_seeds
from study.analysis.planning import detectable_effect, seeds_needed
from study.analysis.statistics import holm, smallest_sign_flip_p

POWER = 0.8
OF_INTEREST: Mapping[str, float] = {"gap_accuracy": 0.01, "test_accuracy": 0.005, "test_loss": 0.02, "gap_loss": 0.05}
QUARTERS = (0.25, 0.5, 0.75)
FAMILY = ["regime", "family", "metric"]

RESOLUTION = ("metric", "comparisons", "seeds", "low", "middle", "high", "interest", "seeds_needed")
"""A row for each metric: how many comparisons vary between seeds, their seeds, the quartiles of the smallest difference
that each shows with power .8 at level .05, the smallest difference of interest, and the seeds that half of them need to
show that (missing for more than a million). Shares as shares, losses in nats."""


def resolution(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return the differences that methods alone against the baseline can show, unadjusted; columns `RESOLUTION`."""
    return pd.DataFrame(list(_rows(_alone(comparisons))), columns=list(RESOLUTION))


def _rows(alone: pd.DataFrame) -> Iterator[dict[str, object]]:
    for metric, interest in OF_INTEREST.items():
        own = alone[alone["metric"] == metric]
        if own.empty:
            continue
        low, middle, high = (float(np.quantile(_detectable(own), share)) for share in QUARTERS)
        yield {
            "metric": metric,
            "comparisons": len(own),
            "seeds": int(own["n"].median()),
            **{"low": low, "middle": middle, "high": high, "interest": interest},
            "seeds_needed": seeds_needed(float(own["sd"].astype(float).median()), interest, POWER, ALPHA),
        }


def _alone(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return comparisons of methods alone with the baseline whose seeds vary and suffice."""
    enough = comparisons["n"] >= fewest_seeds(ALPHA)
    wanted = comparisons["family"].isin(["clip", "regularization"]) & enough & (comparisons["sd"] > 0)
    return comparisons[wanted]


def _detectable(own: pd.DataFrame) -> list[float]:
    factors = {int(n): detectable_effect(1.0, int(n), POWER, ALPHA) for n in own["n"].unique()}
    found = [sd * factors[int(n)] for sd, n in zip(own["sd"].astype(float), own["n"], strict=True)]
    return [one for one in found if math.isfinite(one)]


def decidable(comparisons: pd.DataFrame) -> pd.Series[bool]:
    """Return whether the seeds of each row of `comparisons` can decide it, whatever its differences.

    They can if its p would be below .05 after Holm's adjustment over its family, were all tested rows at the smallest p
    that their seeds can give.
    """
    least = np.where(comparisons["p"].isna(), np.nan, smallest_sign_flip_p(comparisons["n"].to_numpy(float)))
    families = comparisons.assign(least=least).groupby(FAMILY, sort=False)["least"]
    return families.transform(lambda p: holm(p.to_numpy(float))) < ALPHA
