"""Hypotheses of a study in rows that a report can print: the verdict first, then the gain in each workload."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import get_args

import pandas as pd

from study.analysis.gains import Verdict
from study.report.format import with_interval

Row = dict[str, object]
DECIDED: tuple[Verdict, ...] = ("supported", "harm")
SCALES = {
    "accuracy": (100.0, " points", True),
    "loss": (1.0, " nats", True),
    "failed": (100.0, " points fewer failed runs", False),
}
"""The factor of a metric's gains, their unit, and whether they are told with a sign."""


def hypothesis_rows(table: pd.DataFrame, words: Mapping[str, str]) -> list[Row]:
    """A row for each hypothesis: what it says, its verdict, and the gain in each workload with its own.

    words: the workloads in words.
    """
    return [row for _, part in table.groupby("hypothesis", sort=False) for row in _rows(part, words)]


def _rows(part: pd.DataFrame, words: Mapping[str, str]) -> Iterator[Row]:
    first = part.iloc[0]
    yield {
        "hypothesis": first["statement"],
        "verdict": f"**{first['of_all']}**",
        "gain, by workload": "; ".join(_told(row, words) for _, row in part.iterrows()),
    }


def _told(row: pd.Series, words: Mapping[str, str]) -> str:
    where = words[str(row["regime"])]
    if not math.isfinite(row["gain"]):
        return f"{where} {row['verdict']}"
    return f"{where} {_gain(row)}, {row['verdict']}"


def _gain(row: pd.Series) -> str:
    """A gain with its interval and unit."""
    scale, unit, signed = SCALES[str(row["metric"]).rpartition("_")[2]]
    gain, low, high = (scale * float(row[key]) for key in ("gain", "low", "high"))
    return f"{with_interval(gain, low, high, signed=signed)}{unit}"


def hypothesis_lines(table: pd.DataFrame) -> Iterator[str]:
    """Yield a line for each verdict that there is: the decided hypotheses are told, the others counted."""
    once = table.drop_duplicates("hypothesis")
    for verdict in get_args(Verdict):
        found = once[once["of_all"] == verdict]
        if len(found):
            told = " ".join(_finding(table[table["hypothesis"] == name]) for name in found["hypothesis"])
            below = f"{len(found)} of {len(once)}, in the table below."
            yield f"**{verdict.capitalize()}:** {told if verdict in DECIDED else below}"


def _finding(part: pd.DataFrame) -> str:
    """A hypothesis with its gain: the smallest and the largest over its workloads."""
    known = part[part["gain"].map(math.isfinite)].sort_values("gain")
    ends = [known.iloc[0], known.iloc[-1]] if len(known) > 1 else [row for _, row in known.iterrows()]
    gains = list(dict.fromkeys(_gain(row) for row in ends))
    return f"{str(part['statement'].iloc[0]).removesuffix('.')}{': ' if gains else ''}{' to '.join(gains)}."


def hypotheses_told(table: pd.DataFrame) -> str:
    """A sentence that counts the verdicts of the hypotheses."""
    verdicts = table.drop_duplicates("hypothesis")["of_all"]
    counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.value_counts(sort=False).items())
    return f"Of {len(verdicts)} hypotheses: {counts}."
