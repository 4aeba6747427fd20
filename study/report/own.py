"""Sentences on what a user brought: metrics of their own, and what a clip means before their optimizer."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from study.config.regime import Regime
from study.optim.metrics import Metric
from study.report.format import number
from study.results.own_metrics import columns_of


def clips_before(regime: Regime) -> str:
    """Return what a clip means where the optimizer's step is invariant to the gradient's scale; "" elsewhere."""
    if not regime.optimizer.scale_invariant or all(clip.name == "none" for clip in regime.clips):
        return ""
    return (
        f"The steps of `{regime.optimizer.name}` stay the same if all gradients are multiplied by one number: a clip"
        " before it does not bound the step, it weighs some gradients less than others."
    )


def own_metrics(name: str, regime: Regime, summary: pd.DataFrame) -> str:
    """Return for each metric of the user its mean over seeds of the baseline and of the best variant."""
    own = summary[summary["regime"] == name]
    return " ".join(line for metric in regime.metrics for line in _told(metric, own))


def _told(metric: Metric, summary: pd.DataFrame) -> Iterator[str]:
    """The test metric at the last epoch, or nothing where no run has it."""
    column = next(one for one in columns_of(metric) if one.name == f"test_{metric.name}")
    rows = summary[(summary["metric"] == column.name) & summary["mean"].notna()]
    if rows.empty:
        return
    ordered = rows.sort_values("mean", ascending=column.better < 0, kind="stable")
    baseline = rows[(rows["clip"] == "none") & (rows["regularization"] == "none")]
    parts = [f"baseline {_mean(row, column.unit.factor)}" for _, row in baseline.iterrows()]
    first = ordered.iloc[0]
    methods = [f"`{first[key]}`" for key in ("clip", "regularization") if first[key] != "none"]
    best = f"best of {len(rows)} variants is {' with '.join(methods) or 'the baseline'}"
    parts.append(f"{best}, {_mean(first, column.unit.factor)}" if methods else best)
    unit = f" ({column.unit.symbol})" if column.unit.symbol else ""
    yield f"{column.title[:1].upper()}{column.title[1:]}{unit}: {'; '.join(parts)}."


def _mean(row: pd.Series, factor: float) -> str:
    return f"{number(factor * row['mean'])} [{number(factor * row['low'])}, {number(factor * row['high'])}]"
