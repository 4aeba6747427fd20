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


def _all_failed(row: pd.Series) -> bool:
    """Return whether every run of a method failed."""
    return bool(0 < row["runs"] == row["diverged"])


def _counted(part: pd.DataFrame, kind: str) -> str:
    """`3 clips and the baseline`."""
    others = int((part["label"] != "none").sum())
    named = KIND_WORDS[kind] if others != 1 else KIND_WORDS[kind].removesuffix("s")
    return f"{others} {named}{' and the baseline' if others < len(part) else ''}"


def _ranked(regime: str, kind: str, part: pd.DataFrame) -> Row:
    first, others = part.iloc[0], part.iloc[1:]
    untold = ~(others["p_best_adjusted"] < ALPHA)  # nor what is untested
    lost = others["p_best_adjusted"].isna() | others.apply(_all_failed, axis=1)
    tied = [in_words(label) for label in others[untold & ~lost]["label"]]
    untested = int((untold & lost).sum()) + (1 if (nobody := _all_failed(first)) else 0)
    better, worse = (int(((part["p_adjusted"] < ALPHA) & (sign * part["estimate"] > 0)).sum()) for sign in (1, -1))
    rest = f" and {len(tied) - MOST_NAMED} more" if len(tied) > MOST_NAMED else ""
    return {
        "regime": regime,
        "of": _counted(part, kind),
        "first": "none: every run failed" if nobody else in_words(first["label"]),
        "test accuracy": "" if nobody else percent(first["mean"]),
        "mean rank": "" if nobody else with_interval(first["rank"], first["rank_low"], first["rank_high"]),
        "not distinguishable from it": ("; ".join(tied[:MOST_NAMED]) + rest) if tied else "\N{EN DASH}",
        "failed or not tested": untested or "",
        "better, worse than the baseline": f"{better}, {worse}"
        if math.isfinite(_none(part))
        else "the baseline has no accuracy",
    }
