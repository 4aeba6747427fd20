"""An answer to a user's question: in words, with the figure that shows it and the numbers behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from study.analysis.comparisons import row_generator
from study.analysis.statistics import bca_interval
from study.figures.style import Tables
from study.findings import number

Row = dict[str, object]
MATTERS = 0.5  # percentage points of test accuracy: smaller differences are called none


@dataclass(frozen=True)
class Answer:
    """A question, what the tables say to it in words, how to read its rows, the figure, the rows; none: no answer."""

    question: str
    words: str
    reading: str
    figure: str
    rows: list[Row]


@dataclass(frozen=True, eq=False)
class Difference:
    """Differences in test accuracy paired by seed, in percentage points, with the 95 % BCa interval of their mean."""

    pairs: tuple[float, ...]

    @classmethod
    def between(cls, own: pd.DataFrame, other: pd.DataFrame, column: str = "test_accuracy") -> Difference:
        """The runs of one cell less those of another, over the seeds in which both have a number."""
        less = own.set_index("seed")[column].astype(float) - other.set_index("seed")[column].astype(float)
        return cls(tuple(100 * less[np.isfinite(less)]))

    @cached_property
    def interval(self) -> tuple[float, float]:
        """Its ends; undefined for fewer than two seeds."""
        found = bca_interval(self.pairs, row_generator(0, "answer"))
        return found.low, found.high

    @property
    def mean(self) -> float:
        return float(np.mean(self.pairs)) if self.pairs else float("nan")

    @property
    def verdict(self) -> str:
        """higher, lower, same (within what matters), or undecided."""
        low, high = self.interval
        if low > -MATTERS and high < MATTERS:
            return "same"
        return "higher" if low > 0 else "lower" if high < 0 else "undecided"

    @property
    def text(self) -> str:
        """`+1.2 [0.8, 1.6]`."""
        low, high = self.interval
        return f"{number(self.mean, sign=True)} [{number(low)}, {number(high)}]"

    @property
    def points(self) -> str:
        """`+1.2 points [0.8, 1.6]`."""
        low, high = self.interval
        return f"{number(self.mean, sign=True)} points [{number(low)}, {number(high)}]"


def cell(tables: Tables, regime: object, clip: object = "none", regularization: object = "none") -> pd.DataFrame:
    """The runs of one variant."""
    runs = tables["runs"]
    return runs[(runs["regime"] == regime) & (runs["clip"] == clip) & (runs["regularization"] == regularization)]


def chosen(tables: Tables) -> pd.DataFrame:
    """What tuning chose, with `rates`, the number of learning rates that it chose among."""
    columns = ["setting", "kind", "method", "regime", "label", "chosen"]
    tuning = tables.get("tuning", pd.DataFrame(columns=columns))
    several = tuning.groupby(["setting", "kind", "method"])["regime"].transform("nunique")
    return tuning.assign(rates=several)[tuning["chosen"].astype(bool)]


def run_of(tables: Tables, row: pd.Series) -> pd.DataFrame:
    """The runs of a chosen candidate."""
    return cell(tables, row["regime"], **{str(row["kind"]): row["label"]})


def sides(found: Sequence[tuple[str, Difference]]) -> Iterator[str]:
    """For each verdict that occurs, how many differences have it and which: "2 higher (a, +1.2 points [..]; b, ..)"."""
    words = {"higher": "higher", "lower": "lower", "same": "the same within half a point", "undecided": "undecided"}
    for verdict, word in words.items():
        own = [f"{name}, {one.points}" for name, one in found if one.verdict == verdict]
        if own:
            yield f"{len(own)} {word} ({several(own)})"


def several(texts: Sequence[str], most: int = 4) -> str:
    """The first few, and how many more."""
    rest = f"; and {len(texts) - most} more" if len(texts) > most else ""
    return "; ".join(texts[:most]) + rest


def span(values: Sequence[float], unit: str = "") -> str:
    """`0.2 to 1.5`, or the one value."""
    low, high = number(min(values)), number(max(values))
    return f"{low}{unit}" if low == high else f"{low} to {high}{unit}"
