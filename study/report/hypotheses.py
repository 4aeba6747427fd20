"""Hypotheses of a study in rows that a report can print: the verdict first, then the gain in each workload."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import get_args

import pandas as pd

from study.analysis.gains import Verdict
from study.report.format import with_interval

Row = dict[str, object]
SCALES = {"accuracy": (100.0, " points"), "loss": (1.0, " nats"), "failed": (100.0, " % fewer runs lost")}


def hypothesis_rows(table: pd.DataFrame) -> list[Row]:
    """A row for each hypothesis: what it says, its verdict, and the gain in each workload with its own."""
    return [row for _, part in table.groupby("hypothesis", sort=False) for row in _rows(part)]


def _rows(part: pd.DataFrame) -> Iterator[Row]:
    first = part.iloc[0]
    yield {
        "hypothesis": first["statement"],
        "verdict": f"**{first['of_all']}**",
        "gain, by workload": "; ".join(_told(row) for _, row in part.iterrows()),
    }


def _told(row: pd.Series) -> str:
    scale, unit = SCALES[str(row["metric"]).rpartition("_")[2]]
    gain, low, high = (scale * float(row[key]) for key in ("gain", "low", "high"))
    if not math.isfinite(gain):
        return f"`{row['regime']}` {row['verdict']}"
    return f"`{row['regime']}` {with_interval(gain, low, high, signed=True)}{unit}, {row['verdict']}"


def hypothesis_lines(table: pd.DataFrame) -> Iterator[str]:
    """Yield a line for each verdict that there is, with what its hypotheses say; the undecided are only counted."""
    once = table.drop_duplicates("hypothesis")
    for verdict in get_args(Verdict):
        says = list(once.loc[once["of_all"] == verdict, "statement"])
        if says:
            told = f"{len(says)} of {len(once)}, in the table below." if verdict == "undecided" else " ".join(says)
            yield f"**{verdict.capitalize()}:** {told}"


def hypotheses_told(table: pd.DataFrame) -> str:
    """A sentence that counts the verdicts of the hypotheses."""
    verdicts = table.drop_duplicates("hypothesis")["of_all"]
    counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.value_counts(sort=False).items())
    return f"Of {len(verdicts)} hypotheses: {counts}."
