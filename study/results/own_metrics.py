"""Metrics of a user's own in the tables of a study: their columns, where they are compared, and choice by them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pandas as pd

from study.config.study import Study
from study.optim.metrics import Metric, higher_is_better
from study.results.columns import PARTS, WHEN, Column, Unit

LOSS = "validation_loss"


def measured(study: Study) -> list[Metric]:
    """Return the user's metrics of a study, each once."""
    return list({one.name: one for regime in study.regimes.values() for one in regime.metrics}.values())


def columns_of(metric: Metric) -> Iterator[Column]:
    """Yield the columns of `runs` that a metric has."""
    doc = (type(metric).__doc__ or "").strip().partition("\n")[0]
    unit = Unit("%", 100.0, 2, "points") if metric.unit == "%" else Unit(metric.unit, difference=metric.unit)
    better = 1 if metric.better == "higher" else -1
    for (prefix, when), (part, told) in product(WHEN.items(), PARTS.items()):
        title = f"{told} {metric.name.replace('_', ' ')}"
        meaning = f"{(doc or title).rstrip('.')}, on the {told} examples, at {when}."
        yield Column(f"{prefix}{part}_{metric.name}", title, meaning, unit, better, True)


def compared(study: Study) -> list[str]:
    """Return the columns of the user's metrics that are compared: on the test set, at the last and the best epoch."""
    return [f"{prefix}test_{one.name}" for one in measured(study) for prefix in WHEN]


def where_measured(table: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Return the rows of comparisons or a summary without those of a metric that their regime does not measure."""
    own = compared(study)
    there = {(name, f"{prefix}test_{one.name}") for name, regime in study.regimes.items()
             for one in regime.metrics for prefix in WHEN}  # fmt: skip
    pairs = zip(table["regime"], table["metric"], strict=True)
    kept = [metric not in own or (regime, metric) in there for regime, metric in pairs]
    return table[pd.Series(kept, table.index, dtype=bool)].reset_index(drop=True)  # with all columns, if of no rows


def by_metric(tuning_runs: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Return tuning runs with the metric that chooses in a regime in place of the validation loss, less being better.

    With them the rules for losses choose by that metric.
    """
    changed = tuning_runs.copy()
    for name, regime in study.regimes.items():
        metric = regime.tuning.metric if regime.tuning else LOSS
        if metric != LOSS:
            rows = changed["regime"] == name
            sign = -1.0 if higher_is_better(metric) else 1.0
            changed.loc[rows, LOSS] = sign * changed.loc[rows, metric].astype(float)
    return changed


def chosen_by(tuning: pd.DataFrame, choice: pd.DataFrame) -> pd.DataFrame:
    """Return the table `tuning` with the choice, and its edge, of a table of the same candidates by another metric."""
    return tuning.assign(chosen=choice["chosen"], edge=choice["edge"])
