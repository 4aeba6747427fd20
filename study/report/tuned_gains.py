"""Gains of tuned methods in rows and sentences: what each setting's best clip and best regularizer gained."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import pandas as pd

from study.methods.labels import NONE
from study.report.format import clear, in_words, interval_of, number
from study.report.questions.base import KINDS, count, span

Row = dict[str, object]
EARLY = "at the best epoch"
CELL = ["regime", "family", "clip", "regularization"]


def accuracy(tuned: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The gains in test accuracy of a kind, with the change of the gap beside, and what is decided of them."""
    keys = ["setting", "kind", "method"]
    gaps = tuned[tuned["metric"] == "gap_accuracy"].set_index(keys)
    both = (gaps["mean"] < 0) & (gaps["baseline_mean"] < 0)
    gaps = gaps.assign(below=both)  # of two gaps below zero the lower is no better
    own = tuned[(tuned["metric"] == "test_accuracy") & (tuned["kind"] == kind)]
    decided = clear(own["p_adjusted"], own["low"], own["high"])
    gaps = gaps.reindex(pd.MultiIndex.from_frame(own[keys]))
    gap, below = gaps["estimate"].to_numpy(float), gaps["below"].to_numpy(bool)
    return own.assign(
        gap=gap, below=below, gains=decided & (own["estimate"] > 0), loses=decided & (own["estimate"] < 0)
    )


def gains_rows(tuned: pd.DataFrame, comparisons: pd.DataFrame, words: Mapping[str, str]) -> list[Row]:
    """A row for each setting and kind: which tuned method gained the most, and how many raised and lowered accuracy.

    words: the settings in words.
    """
    early = at_best(comparisons).to_dict("index")
    rows = [
        _row(words[str(setting)], kind, part, early)
        for kind in KINDS
        for setting, part in with_cells(accuracy(tuned, kind), kind).groupby("setting", sort=False)
    ]
    order = list(words.values())
    rows = sorted(rows, key=lambda row: order.index(str(row["setting"])))
    if any(row[EARLY] for row in rows):
        return rows
    return [{key: value for key, value in row.items() if key != EARLY} for row in rows]


def _row(setting: str, kind: str, part: pd.DataFrame, early: Mapping[Hashable, Any]) -> Row:
    kept = part[part["label"] != NONE].dropna(subset="estimate")
    row: Row = {"setting": setting, "of": f"{len(part)} {KINDS[kind]}{'s' if len(part) > 1 else ''}"}
    blank = {
        "best method": f"no {KINDS[kind]} was chosen",
        "test accuracy": "",
        "accuracy gap": "",
        EARLY: "",
    }
    if len(kept):
        best = kept.sort_values("estimate").iloc[-1]
        cell = tuple(str(best[key]) for key in CELL)
        blank = {
            "best method": in_words(str(best["label"])),
            "test accuracy": interval_of(best, scale=100, signed=True),
            "accuracy gap": "both below zero" if best["below"] else number(100 * best["gap"], sign=True),
            EARLY: interval_of(early[cell], scale=100, signed=True) if cell in early else "",
        }
    return {**row, **blank, "raised, lowered it": f"{int(part['gains'].sum())}, {int(part['loses'].sum())}"}


def with_cells(gains: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Return gains with the columns `CELL` of their comparison where the learning rate was given."""
    cells = gains.assign(regime=gains["setting"], family=kind, clip=NONE, regularization=NONE)
    return cells.assign(**{kind: gains["label"]})


def at_best(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return the comparisons in test accuracy at the epochs of the smallest validation loss, by `CELL`."""
    own = comparisons[comparisons["metric"] == "best_test_accuracy"]
    return own[own["family"].isin(list(KINDS))].set_index(CELL).sort_index()


def stopped_early(tuned: pd.DataFrame, comparisons: pd.DataFrame) -> Iterator[str]:
    """Say how many of the gains are left with the same runs scored at their best epochs, and by how much."""
    early = at_best(comparisons)
    parts = []
    for kind, noun in KINDS.items():
        own = accuracy(tuned, kind)
        gains = with_cells(own[own["gains"]], kind)
        best = early.reindex(pd.MultiIndex.from_frame(gains[CELL]))
        left = best[clear(best["p_adjusted"], best["low"], best["high"]) & (best["estimate"] > 0)]["estimate"]
        size = f" ({span([100 * left.min(), 100 * left.max()])} points)" if len(left) else ""
        parts += [f"{len(left)} of {count(len(gains), 'gain')} by {noun}s{size}"] if len(gains) else []
    if parts and len(early):
        yield (
            "**With each run scored at the epoch of its smallest validation loss**, as if it had been stopped early,"
            f" this is left: {' and '.join(parts)}."
        )
