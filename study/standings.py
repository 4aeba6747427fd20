"""What a ranking says, in print."""

from __future__ import annotations

import pandas as pd

from study.findings import ALPHA, number, percent

KIND_WORDS = {"clip": "clipping alone", "regularization": "regularization alone"}


def ranking_text(ranking: pd.DataFrame) -> list[str]:
    """For each regime and kind of method, who comes first, who cannot be told from it, and who is worse than none."""
    return [
        _ranked(str(regime), str(kind), part.sort_values("place"))
        for (regime, kind), part in ranking.groupby(["regime", "kind"], sort=False)
    ]


def _ranked(regime: str, kind: str, part: pd.DataFrame) -> str:
    first, others = part.iloc[0], part.iloc[1:]
    tied = others[others["p_best_adjusted"] >= ALPHA]
    better = part[(part["p_adjusted"] < ALPHA) & (part["estimate"] > 0)]
    worse = part[(part["p_adjusted"] < ALPHA) & (part["estimate"] < 0)]
    named = ", ".join(f"`{label}`" for label in tied["label"]) or "none"
    return (
        f"`{regime}`, {KIND_WORDS[kind]}: `{first['label']}` comes first of {len(part)}, with a test accuracy of"
        f" {percent(first['mean'])} and a mean rank of {number(first['rank'])} [{number(first['rank_low'])},"
        f" {number(first['rank_high'])}]; cannot be told from it: {named}. {len(better)} better and"
        f" {len(worse)} worse than none by a decided amount."
    )
