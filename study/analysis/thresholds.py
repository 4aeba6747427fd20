"""Chosen thresholds relative to the gradient norms of the same training without a clip."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from study.analysis.selection import candidate_cell
from study.methods.labels import Cell
from study.results.cells import select

THRESHOLDS = (
    "study", "regime", "setting", "method", "label", "threshold", "median", "percentile", "clip_rate", "regret",
)  # fmt: skip
"""The columns of `thresholds`: a row for each clip by the global norm that tuning chose."""


def thresholds(tuning: pd.DataFrame, runs: pd.DataFrame, steps: pd.DataFrame) -> pd.DataFrame:
    """Return the thresholds that tuning chose for `global_norm`, columns `THRESHOLDS`.

    median: of the gradient's norm without a clip in the chosen regime; percentile: share of that training's windows of
    steps whose norm is at most the threshold, both means over seeds; NaN if steps are not measured. clip_rate: share of
    steps at which the clip fired.
    """
    return pd.DataFrame(list(_rows(tuning, runs, steps)), columns=list(THRESHOLDS))


def _rows(tuning: pd.DataFrame, runs: pd.DataFrame, steps: pd.DataFrame) -> Iterator[dict[str, object]]:
    wanted = (tuning["kind"] == "clip") & (tuning["method"] == "global_norm") & tuning["chosen"].astype(bool)
    for row in tuning[wanted & (tuning["label"] != "none")].to_dict("records"):
        threshold, without = float(row["strength"]), Cell(str(row["regime"]))
        free, own = (select(runs, cell) for cell in (without, candidate_cell(row)))
        yield {
            **{key: row[key] for key in ("study", "regime", "setting", "method", "label", "regret")},
            "threshold": threshold,
            "median": float(free["norm_median"].astype(float).mean()),
            "percentile": _rank(select(steps, without), threshold),
            "clip_rate": float(own["clip_rate"].astype(float).mean()),
        }


def _rank(windows: pd.DataFrame, threshold: float) -> float:
    if "norm_before" not in windows or windows.empty:
        return float("nan")
    norms = windows["norm_before"].astype(float)
    return float((norms.fillna(np.inf) <= threshold).groupby(windows["seed"]).mean().mean())
