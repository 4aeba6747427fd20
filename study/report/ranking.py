"""A ranking in print."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from study.analysis.conventions import ALPHA
from study.report.format import in_words, percent, with_interval

Row = dict[str, object]
KIND_WORDS = {"clip": "clips", "regularization": "regularizers"}
MOST_NAMED = 4  # methods in a cell of the table


def ranking_rows(ranking: pd.DataFrame, words: Mapping[str, str]) -> list[Row]:
    """For each regime and kind of method, who comes first, who cannot be told from it, and who is worse than none.

    words: the regimes in words.
    """
    return [
        _ranked(words[str(regime)], str(kind), part.sort_values("place"))
        for (regime, kind), part in ranking.groupby(["regime", "kind"], sort=False)
    ]


def _none(part: pd.DataFrame) -> float:
    """The mean accuracy of none, 0 where it is not among the methods."""
    return float(part.loc[part["label"] == "none", "mean"].max()) if (part["label"] == "none").any() else 0.0


def _name(row: pd.Series) -> str:
    """The method, and that it failed where all its runs did."""
    return in_words(row["label"]) + (" (every run failed)" if 0 < row["runs"] == row["diverged"] else "")


def _counted(part: pd.DataFrame, kind: str) -> str:
    """`3 clips and the baseline`."""
    others = int((part["label"] != "none").sum())
    named = KIND_WORDS[kind] if others != 1 else KIND_WORDS[kind].removesuffix("s")
    return f"{others} {named}{' and the baseline' if others < len(part) else ''}"


def _ranked(regime: str, kind: str, part: pd.DataFrame) -> Row:
    first, others = part.iloc[0], part.iloc[1:]
    untold = ~(others["p_best_adjusted"] < ALPHA)  # nor what is untested
    lost = others["p_best_adjusted"].isna() | ((others["runs"] > 0) & (others["runs"] == others["diverged"]))
    tied = [_name(row) for _, row in others[untold & ~lost].iterrows()]
    untested = int((untold & lost).sum())
    better, worse = (int(((part["p_adjusted"] < ALPHA) & (sign * part["estimate"] > 0)).sum()) for sign in (1, -1))
    rest = f" and {len(tied) - MOST_NAMED} more" if len(tied) > MOST_NAMED else ""
    return {
        "regime": regime,
        "of": _counted(part, kind),
        "first": _name(first),
        "test accuracy": percent(first["mean"]),
        "mean rank": with_interval(first["rank"], first["rank_low"], first["rank_high"]),
        "not distinguishable from it": ("; ".join(tied[:MOST_NAMED]) + rest) if tied else "\N{EN DASH}",
        "failed or not tested": untested or "",
        "better, worse than the baseline": f"{better}, {worse}"
        if math.isfinite(_none(part))
        else "the baseline has no accuracy",
    }
