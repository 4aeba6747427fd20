"""The tables of the paper: numbers ready for print, from summaries and comparisons."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from study.report.format import IN_POINTS, effects, interval_of, number, p_text, percent
from study.results.store import Tables, atomically

WHERE_DEFINED = {
    "gap_right_accuracy": "accuracy gap, right labels",
    "memorised": "wrong labels memorised",
    "spike_score": "spike score",
    "steps_to_target": "steps to the target",
    "seconds_to_target": "seconds to the target",
}
"""Metrics that some studies have, by their titles."""


def variants(tables: Tables) -> pd.DataFrame:
    """Every variant: runs, diverged, and mean [interval] of test accuracy and of the gaps."""
    summary = tables["summary"]
    keys = ["regime", "clip", "regularization"]
    wanted = {
        "test_accuracy": "test accuracy",
        "gap_accuracy": "accuracy gap",
        "gap_loss": "cross-entropy gap (nats)",
    }
    there = set(summary["metric"])
    wanted |= {metric: title for metric, title in WHERE_DEFINED.items() if metric in there}
    rows = []
    for key, group in summary.groupby(keys, sort=False):
        rows_of = {row["metric"]: row for row in group.to_dict("records")}
        counts = {count: group[count].iloc[0] for count in ("runs", "diverged")}
        cells = {title: mean_of(metric, rows_of.get(metric)) for metric, title in wanted.items()}
        rows.append(dict(zip(keys, key, strict=True)) | counts | cells)
    return pd.DataFrame(rows)


def mean_of(metric: str, row: Mapping[Hashable, Any] | None) -> str:
    """Return a mean of the summary with its interval, in per cent where it is a share; a dash where there is none."""
    if row is None or not row["n"]:
        return "–"
    scale, unit = (100, " %") if metric in IN_POINTS else (1, "")
    return interval_of(row, "mean", scale, unit)


def _effects(tables: Tables, families: tuple[str, ...]) -> pd.DataFrame:
    comparisons = tables["comparisons"]
    rows = [
        {
            "regime": regime,
            "variant": effect.label,
            "metric": metric.replace("_", " "),
            "difference": number(effect.scale * effect.estimate, sign=True),
            "low": number(effect.scale * effect.low),
            "high": number(effect.scale * effect.high),
            "adjusted p": p_text(effect.p_adjusted),
            "P(A > B)": number(effect.superiority),
            "n": effect.n,
            "undefined": effect.n_undefined,
        }
        for regime in comparisons["regime"].unique()
        for family in families
        for metric in ("gap_accuracy", "test_accuracy", "test_loss", "diverged")
        for effect in effects(comparisons, regime, family, metric)
    ]
    return pd.DataFrame(rows)


def main_effects(tables: Tables) -> pd.DataFrame:
    """Each clip and each regularizer alone against neither: percentage points, and nats for the loss."""
    return _effects(tables, ("clip", "regularization"))


def interactions(tables: Tables) -> pd.DataFrame:
    """Each pair of clip and regularizer against the sum of their separate effects."""
    return _effects(tables, ("interaction",))


def ranking(tables: Tables) -> pd.DataFrame:
    """The methods of each regime in order, each at its chosen strength: rank and difference to none with intervals."""
    rows = [
        {
            "regime": row["regime"],
            "alone": row["kind"],
            "place": row["place"],
            "method": row["label"],
            "strengths": row["strengths"],
            "mean rank": f"{number(row['rank'])} [{number(row['rank_low'])}, {number(row['rank_high'])}]",
            "test accuracy": percent(row["mean"]),
            "less none (points)": interval_of(row, scale=100, signed=True),
            "adjusted p": p_text(row["p_adjusted"]),
            "adjusted p to first": p_text(row["p_best_adjusted"]),
            "accuracy gap": percent(row["gap_accuracy"]),
            "diverged": f"{row['diverged']} of {row['runs']}",
        }
        for row in tables["ranking"].to_dict("records")
    ]
    return pd.DataFrame(rows, columns=list(rows[0]) if rows else ["regime", "alone", "place", "method"])


TABLES: Mapping[str, Callable[[Tables], pd.DataFrame]] = MappingProxyType(
    {"variants": variants, "main_effects": main_effects, "interactions": interactions, "ranking": ranking}
)


def save(table: pd.DataFrame, stem: Path) -> None:
    """Write `<stem>.csv` and `<stem>.tex`."""
    atomically(stem.with_suffix(".csv"), lambda f: table.to_csv(f, index=False, lineterminator="\n"))
    escaped = table.rename(columns=in_latex).map(in_latex)
    atomically(stem.with_suffix(".tex"), lambda f: f.write_text(escaped.to_latex(index=False), encoding="utf-8"))


LATEX = str.maketrans(
    {
        **{mark: f"\\{mark}" for mark in "%_&#${}"},
        **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
        **{"−": "$-$", "–": "--", ">": "$>$", "<": "$<$", "×": r"$\times$", "λ": r"$\lambda$"},
    }
)


def in_latex(cell: object) -> object:
    """Return text with LaTeX's marks in place of its own; anything else as it is."""
    return cell.translate(LATEX) if isinstance(cell, str) else cell
