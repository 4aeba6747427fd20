"""Trials of a tuning in words: their number, what chose among them, and which choices lie at an edge."""

from __future__ import annotations

import pandas as pd

from study.analysis.trials import EDGE
from study.methods.phrases import method_words
from study.report.format import several

METHOD = ["regime", "clip_method", "regularization_method"]


def trials_told(trials: pd.DataFrame) -> dict[str, object]:
    """Return budget, metric, choices and those at an edge of a table of trials; nothing of one without rows."""
    if trials.empty:
        return {}
    return {
        "budget": _budget(trials),
        "metric": several(list(dict.fromkeys(trials["metric"]))),
        "choices": int(trials["chosen"].sum()),
        "edges": edge_rows(trials),
        "outer": f"{100 * EDGE:g} %",
    }


def _budget(trials: pd.DataFrame) -> str:
    """The number of trials of a method, and of workloads that have another: "16 (8 in `convolutions`)"."""
    sizes = trials.groupby(METHOD, sort=False)["trial"].nunique().groupby("regime", sort=False).max()
    usual = sizes.mode().max()
    others = [f"{size} in `{regime}`" for regime, size in sizes.items() if size != usual]
    return f"{usual} ({', '.join(others)})" if others else str(usual)


def edge_rows(trials: pd.DataFrame) -> list[dict[str, str]]:
    """Return a row for each chosen trial in the outer part of a range: workload, method, and which end."""
    chosen = trials[trials["chosen"] & (trials["edge"].fillna("") != "")]
    return [
        {"workload": f"`{regime}`", "method": method_words(*map(str, names)), "at the edge": str(edge)}
        for regime, *names, edge in chosen[[*METHOD, "edge"]].itertuples(index=False)
    ]
