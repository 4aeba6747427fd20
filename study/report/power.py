"""Resolution of a study's seeds, in rows and sentences that a report can print."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from study.analysis.conventions import ALPHA
from study.analysis.deciding import fewest_seeds
from study.analysis.power import POWER, decidable
from study.report.format import IN_POINTS, METRIC_NAMES, counted, number, several

Row = dict[str, object]
TOLD = ("test_accuracy", "gap_accuracy", "test_loss")  # in a sentence; the table has all


def resolution_rows(resolution: pd.DataFrame, in_nats: bool = True) -> list[Row]:
    """A row for each metric of the table `resolution`, shares in percentage points.

    in_nats: whether losses are cross-entropies, for which alone there is a smallest difference that matters.
    """
    return [_row(row, in_nats or row["metric"] in IN_POINTS) for _, row in resolution.iterrows()]


def _row(row: pd.Series, matters: bool) -> Row:
    scale, unit = _scale(row["metric"])
    low, middle, high, interest = (number(scale * row[key]) for key in ("low", "middle", "high", "interest"))
    needed = "over 10⁶" if pd.isna(row["seeds_needed"]) else str(int(row["seeds_needed"]))
    return {
        "metric": METRIC_NAMES[row["metric"]],
        "comparisons": row["comparisons"],
        "seeds": row["seeds"],
        "median detectable": f"{middle} {unit}",
        "quartiles": f"{low} to {high}",
        "seeds to detect this in half of them": f"{needed} for {interest} {unit}" if matters else "",
    }


def resolution_text(resolution: pd.DataFrame) -> str:
    """Say the resolution: "With 10 seeds the median comparison detects a difference of 0.7 points of .. ."."""
    rows = {row["metric"]: row for _, row in resolution.iterrows()}
    parts = []
    for metric in (one for one in TOLD if one in rows):
        scale, unit = _scale(metric)
        parts.append(f"{number(scale * rows[metric]['middle'])} {unit} of {METRIC_NAMES[metric]}")
    if not parts:
        return ""
    seeds = int(resolution["seeds"].median())
    return (
        f"The median comparison, of {seeds} pairs, detects a difference of {', '.join(parts[:-1])}"
        f"{' and ' if parts[1:] else ''}{parts[-1]} with a probability of {POWER:.0%}."
    ).replace("%", " %")


FAMILIES = {"clip": "clips", "regularization": "regularizers", "combination": "combinations",
            "interaction": "interactions"}  # fmt: skip


def undecidable_text(comparisons: pd.DataFrame, words: Mapping[str, str]) -> str:
    """Name the families of comparisons that the seeds can never decide, and how many would; empty if they all can.

    words: the regimes in words.
    """
    tested = comparisons[comparisons["p"].notna()]
    if tested.empty:
        return ""
    families = tested.assign(decidable=decidable(tested)).groupby(["regime", "family"], sort=False)
    table = families.agg(decidable=("decidable", "any"), n=("n", "max"))
    table["size"] = tested.groupby(["regime", "family", "metric"]).size().groupby(["regime", "family"]).max()
    lost = table[~table["decidable"]]
    if lost.empty:
        return ""
    needed = lost["size"].map(lambda size: fewest_seeds(ALPHA / size))
    if len(lost) == len(table):
        return (
            f"With {counted(int(lost['n'].max()), 'seed')} this rule cannot decide any difference between single"
            f" settings; at least {int(needed.min())} seeds are needed."
        )
    texts = [
        f"the {row['size']} {FAMILIES[row['family']]} in {words[row['regime']]} (with {seeds} seeds)"
        for row, seeds in zip(lost.reset_index().to_dict("records"), needed, strict=True)
    ]
    return f"With {counted(int(lost['n'].max()), 'seed')} this rule cannot decide {several(texts)}."


def _scale(metric: str) -> tuple[int, str]:
    return (100, "points") if metric in IN_POINTS else (1, "nats")
