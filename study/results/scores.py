"""Scores of runs, at their last epoch or that of the smallest validation loss, and the cost of a target."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from study.results.store import KEYS

BEST = "best_"
SCORED_AT: Mapping[str, str] = {
    "last_epoch": "the last epoch",
    "best_epoch": "the epoch of the smallest validation loss",
}
"""The choices of a study's `scored_at`, in words."""


def scored(runs: pd.DataFrame, scored_at: str) -> pd.DataFrame:
    """Return runs by the scores of an epoch of `SCORED_AT`; at the best one as if each had been stopped early.

    Every column `x` with a counterpart `best_x` takes its values; the rest, the outcome among it, is that of the whole
    run: one that diverges after its best epoch counts as diverged and keeps the scores of that epoch.
    """
    if scored_at == "last_epoch":
        return runs
    scores = {name: runs[f"{BEST}{name}"] for name in map(str, runs) if f"{BEST}{name}" in runs}
    return runs.assign(**scores)


def with_target(runs: pd.DataFrame, epochs: pd.DataFrame, target: float) -> pd.DataFrame:
    """Return runs with `steps_to_target` and `seconds_to_target`: until validation accuracy first reached a target.

    epochs: the table of their curves, which are linear between two epochs. Both are NaN for a run that never got there.
    The seconds are the run's share of its job in proportion to its epochs, scoring included.
    """
    reached = {
        key: crossing(curve["epoch"].to_numpy(float), curve["validation_accuracy"].to_numpy(float), target)
        for key, curve in epochs.sort_values("epoch").groupby(list(KEYS), sort=False)
    }
    keys = runs[list(KEYS)].itertuples(index=False, name=None)
    share = np.array([reached[key] for key in keys]) / runs["epochs"]
    return runs.assign(steps_to_target=share * runs["steps"], seconds_to_target=share * runs["wall_seconds"])


def crossing(x: NDArray[np.float64], y: NDArray[np.float64], level: float, never: float = np.nan) -> float:
    """Return where a curve y(x), linear between its points, first reaches a level; `never` where it does not."""
    above = np.flatnonzero(y >= level)
    if not above.size:
        return never
    i = above[0]
    if i == 0 or not np.isfinite(y[i - 1]):
        return float(x[i])
    return float(x[i - 1] + (x[i] - x[i - 1]) * (level - y[i - 1]) / (y[i] - y[i - 1]))
