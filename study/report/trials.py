"""Trials of a tuning in words: their number, what chose among them, and which choices lie at an edge."""

from __future__ import annotations

import pandas as pd

from study.analysis.trials import wider
from study.report.format import several


def trials_told(trials: pd.DataFrame) -> dict[str, object]:
    """Return budget, metric and sentences on edges of a table of trials; nothing of one without rows."""
    if trials.empty:
        return {}
    budgets = sorted({int(size) for size in trials.groupby(["regime", "clip_method", "regularization_method"]).size()})
    return {
        "budget": several([str(size) for size in budgets]),
        "metric": several(list(dict.fromkeys(trials["metric"]))),
        "edges": wider(trials),
    }
