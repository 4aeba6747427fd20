"""Value of trials: the best score that a smaller budget expects, and the width of the range of good learning rates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy.special import gammaln

from study.analysis.statistics import Floats
from study.config.study import Study
from study.config.trials import range_of

BUDGETS = (
    "study", "regime", "clip_method", "regularization_method", "budget", "best_test_accuracy", "best_test_loss",
)  # fmt: skip
"""The columns of `budgets`: a row for each method and number of trials, with what the best of so many is expected to
reach on the test set, chosen by the tuning's metric."""

ROBUSTNESS = (
    "study", "regime", "clip_method", "regularization_method", "trials", "near", "decades", "diverged", "runs",
)  # fmt: skip
"""The columns of `robustness`: a row for each method of a workload.

near: the share of its trials whose test accuracy at the best epoch is within 1 point of its best one; decades: the same
of the decades that the learning rate was tried over. diverged: the share of runs that did.
"""
METHOD = ["regime", "clip_method", "regularization_method"]
POINT = 0.01


def budgets(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the expected scores of the best of 1, 2, .. trials of each method; columns `BUDGETS`.

    A score missing from a trial, because it diverged, leaves the expectation undefined.
    """
    rows = [row for _, part in trials.groupby(METHOD, sort=False) for row in _curve(part)]
    return pd.DataFrame(rows, columns=list(BUDGETS))


def _curve(part: pd.DataFrame) -> Iterator[dict[str, object]]:
    sizes = range(1, len(part) + 1)
    scores = part["score"].to_numpy(np.float64)
    kinds = ("best_test_accuracy", "best_test_loss")
    curves = {kind: expected_best(scores, part[kind].to_numpy(np.float64), sizes) for kind in kinds}
    own = _named(part)
    for index, size in enumerate(sizes):
        yield {**own, "budget": size, **{kind: curve[index] for kind, curve in curves.items()}}


def robustness(trials: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Return how many of each method's trials come near the workload's best, and how many diverge; see `ROBUSTNESS`."""
    best = trials.groupby(METHOD, sort=False)["best_test_accuracy"].transform("max")
    table = trials.assign(near=trials["best_test_accuracy"] >= best - POINT)
    rows = [
        {
            **_named(part),
            "trials": len(part),
            "near": float(part["near"].mean()),
            "decades": float(part["near"].mean()) * decades(study, str(part["regime"].iloc[0])),
            "diverged": float(part["diverged"].sum() / part["n"].sum()),
            "runs": int(part["n"].sum()),
        }
        for _, part in table.groupby(METHOD, sort=False)
    ]
    return pd.DataFrame(rows, columns=list(ROBUSTNESS))


def _named(part: pd.DataFrame) -> dict[str, object]:
    return {key: part[key].iloc[0] for key in ("study", *METHOD)}


def decades(study: Study, regime: str) -> float:
    """Return the number of decades over which a workload's learning rate is tried."""
    given = study.regimes[regime]
    span = range_of(given.optimizer, given.tuning) if given.tuning else None
    return float(np.log10(span.high / span.low)) if span else 0.0


def expected_best(selecting: Floats, reported: Floats, sizes: Sequence[int]) -> Floats:
    """Return the expected reported score of the best of k trials drawn without replacement, for each k, [K].

    selecting [n]: the score that selects, greater is better, the first of equal ones; reported [n]: the score reported
    for the selected trial. Of k of n trials the one of rank i from below is the best with probability C(i - 1, k - 1) /
    C(n, k).

    Raises ValueError for a number of trials outside 1 to n.

    Source: Dodge et al. 2019, Show your work, with replacement; without replacement by Tang et al. 2020.
    """
    order = np.lexsort((-np.arange(len(selecting)), selecting))
    ranked, n = np.asarray(reported, np.float64)[order], len(order)
    if not all(1 <= k <= n for k in sizes):
        must = f"The 'sizes' parameter of expected_best must be from 1 to {n}"
        raise ValueError(f"{must}. Got {list(sizes)} instead.")
    return np.array([_expectation(ranked, k) for k in sizes])


def _expectation(ranked: Floats, k: int) -> float:
    """Return the mean of the best of k, without those too low ever to be the best."""
    n = len(ranked)
    rank = np.arange(k, n + 1)
    logs = gammaln(rank) - gammaln(k) - gammaln(rank - k + 1)
    total = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return float(np.exp(logs - total) @ ranked[k - 1 :])
