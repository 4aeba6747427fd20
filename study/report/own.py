"""Sentences on metrics of a user, on what a clip means before an optimizer, and on privacy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from study.config.regime import Regime
from study.methods.labels import NONE
from study.methods.phrases import cell_phrase
from study.optim.metrics import Metric
from study.report.format import number
from study.report.markdown import escaped
from study.results.own_metrics import columns_of

BASELINE = "the baseline"


def clips_before(regime: Regime) -> str:
    """Return what a clip means where the optimizer's step is invariant to the gradient's scale; "" elsewhere."""
    if not regime.optimizer.scale_invariant or all(clip.name == NONE for clip in regime.clips):
        return ""
    return (
        f"The steps of `{regime.optimizer.name}` stay the same if all gradients are multiplied by one number. So a clip"
        " does not bound the step; it weighs some gradients less than others."
    )


def privacy(name: str, runs: pd.DataFrame) -> str:
    """Return what differential privacy the variants of a regime have by their accountant; "" where none has any."""
    own = runs[runs["regime"] == name]
    if "epsilon" not in own or not np.isfinite(own["epsilon"]).any():
        return ""
    private = own[np.isfinite(own["epsilon"])]
    spent = private.groupby(["clip", "regularization"], sort=False)["epsilon"].max()
    each = dict[str, list[str]]()
    for (clip, regularization), epsilon in spent.items():
        each.setdefault(number(epsilon), []).append(_variant(str(clip), str(regularization)))
    told = "; ".join(f"{epsilon} with {' or '.join(variants)}" for epsilon, variants in each.items())
    rest = " The other variants are not private." if len(private) < len(own) else ""
    return f"Differential privacy, epsilon at the delta of the workload: {told}.{rest}"


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
    baseline = rows[(rows["clip"] == NONE) & (rows["regularization"] == NONE)]
    parts = [f"baseline {_mean(row, column.unit.factor)}" for _, row in baseline.iterrows()]
    first = ordered.iloc[0]
    variant = _variant(first["clip"], first["regularization"])
    best = f"best of {len(rows)} variants is {variant}"
    parts.append(best if variant == BASELINE else f"{best}, {_mean(first, column.unit.factor)}")
    unit = f" ({column.unit.symbol})" if column.unit.symbol else ""
    yield f"{column.title[:1].upper()}{column.title[1:]}{unit}: {'; '.join(parts)}."


def _variant(clip: str, regularization: str) -> str:
    """Return a variant in words."""
    return BASELINE if clip == regularization == NONE else escaped(cell_phrase(clip, regularization))


def _mean(row: pd.Series, factor: float) -> str:
    return f"{number(factor * row['mean'])} [{number(factor * row['low'])}, {number(factor * row['high'])}]"
