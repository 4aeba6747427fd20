"""Trials of a tuning in words: their number, what chose among them, and which choices lie at an edge."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from study.analysis.trials import EDGE
from study.config.trials import LR
from study.methods.phrases import key_name, method_words, short_name
from study.report.format import ends_told, several

METHOD = ["regime", "clip_method", "regularization_method"]


def trials_told(trials: pd.DataFrame, words: Mapping[str, str]) -> dict[str, object]:
    """Return budget, metric, choices and those at an edge of a table of trials; nothing of one without rows.

    words: the workloads in words.
    """
    if trials.empty:
        return {}
    return {
        "budget": _budget(trials, words),
        "metric": several(list(dict.fromkeys(trials["metric"]))),
        "choices": int(trials["chosen"].sum()),
        "edges": edge_rows(trials, words),
        "outer": f"{100 * EDGE:g} %",
    }


def _budget(trials: pd.DataFrame, words: Mapping[str, str]) -> str:
    """The number of trials of a method, and of workloads that have another: "16 (8 in *convolutions*)"."""
    sizes = trials.groupby(METHOD, sort=False)["trial"].nunique().groupby("regime", sort=False).max()
    usual = sizes.mode().max()
    others = [f"{size} in {words[str(regime)]}" for regime, size in sizes.items() if size != usual]
    return f"{usual} ({', '.join(others)})" if others else str(usual)


def edge_rows(trials: pd.DataFrame, words: Mapping[str, str]) -> list[dict[str, str]]:
    """Return a row for each chosen trial in the outer part of a range: workload, method, and which end."""
    chosen = trials[trials["chosen"] & (trials["edge"].fillna("") != "")]
    return [
        {
            "workload": words[str(regime)],
            "method": method_words(*map(str, names)),
            "at the edge": ends_told(str(edge), _named),
        }
        for regime, *names, edge in chosen[[*METHOD, "edge"]].itertuples(index=False)
    ]


def _named(part: str) -> str:
    """Return what was tried, the learning rate or a method's strength, in words."""
    return key_name("optimizer.lr") if part == LR else short_name(part)
