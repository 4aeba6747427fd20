"""An answer to a user's question: in words, with the figure that shows it and the numbers behind it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from study.analysis.questions.numbers import Number, from_table
from study.analysis.questions.tuned import BY_ACCURACY, BY_LOSS, regimes_of
from study.methods.base import compact
from study.methods.phrases import regime_phrase
from study.report.format import number
from study.report.places import italic
from study.results.store import Tables

Row = dict[str, object]
KINDS = {"clip": "clip", "regularization": "regularizer"}


@dataclass(frozen=True)
class Answer:
    """A question with its answer in a sentence, what that rests on, how to read the rows, figures, and the rows.

    `figures`: names of those that show it, the best first; a study has them or not. No rows: no answer.
    """

    question: str
    short: str
    words: str
    reading: str
    figures: tuple[str, ...]
    rows: list[Row]


@dataclass(frozen=True)
class Told:
    """Material of the answers: rows of the table `answers`, by question, and the names of the regimes."""

    tables: Tables

    @cached_property
    def numbers(self) -> Mapping[str, Sequence[Number]]:
        """The rows of each question."""
        return from_table(self.tables["answers"])

    def of(self, question: str, metric: str = "", **fields: object) -> list[Number]:
        """The rows of a question, those of one metric and of some fields if given."""
        wanted = {**fields, **({"metric": metric} if metric else {})}
        rows = self.numbers.get(question, ())
        return [one for one in rows if all(getattr(one, key) == value for key, value in wanted.items())]

    def place(self, name: str) -> str:
        """A regime or a tuned setting in prose."""
        return place(self.tables, name)

    def sweep(self, sweep: str, regime: str, axis: str) -> str:
        """A sweep over a key, with all that its points share beside that: "*deep, activation tanh*"."""
        regimes = regimes_of(self.tables)
        others = regimes[(regimes["regime"] == regime) & (regimes["axis"] != axis) & regimes["axis"].notna()]
        return italic(regime_phrase(sweep, at=[_at(row) for _, row in others.iterrows()]))

    def point(self, regime: str, axis: str) -> str:
        """The value of a key at a point of a sweep over it."""
        regimes = regimes_of(self.tables)
        return point(regimes[(regimes["regime"] == regime) & (regimes["axis"] == axis)].iloc[0])


def by_item(numbers: Iterable[Number]) -> dict[int, list[Number]]:
    """Rows that belong together, in their order; what speaks of whole parts is left out."""
    found: dict[int, list[Number]] = {}
    for one in numbers:
        if one.item is not None:
            found.setdefault(one.item, []).append(one)
    return found


SELECTED_BY = {BY_LOSS: "validation loss", BY_ACCURACY: "validation accuracy"}
"""What the two ways of choosing go by."""

SHOWN_BY_LOSS = (
    "The figure marks the choice by validation loss; `chosen_by_accuracy` in `tuning.csv` marks that by accuracy."
)


def place(tables: Tables, name: object) -> str:
    """A regime or a tuned setting in words: "*memorize*", "*optimizers, optimizer adam*", "*decades*"."""
    regimes = regimes_of(tables)
    own = regimes[regimes["regime"] == name]
    if own.empty:
        own = regimes[regimes["setting"] == name]
    axes = own[own["axis"].fillna("").astype(str) != ""]
    if axes.empty:
        return italic(regime_phrase(str(name)))
    parts = [part for _, part in axes.groupby("axis", sort=False)]
    points = [_at(part.iloc[0]) for part in parts if (part["value"] == part["value"].iloc[0]).all()]
    return italic(regime_phrase(str(axes["part_of"].iloc[0]), at=points))


def _at(row: pd.Series) -> tuple[str, str]:
    """A point of a sweep's axis: its key and its value there."""
    return str(row["axis"]), point(row)


def point(row: Mapping[Hashable, Any] | pd.Series) -> str:
    """The value of a point, numbers without trailing zeros."""
    value = float(row["number"])
    return str(row["value"]) if pd.isna(value) else compact(value)


def listed(texts: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(texts[:-1]), *texts[-1:]] if len(texts) > 1 else texts)


def count(n: int, one: str, more: str = "") -> str:
    """`1 setting`, `2 settings`."""
    return f"{n} {one if n == 1 else more or one + 's'}"


def span(values: Sequence[float], unit: str = "") -> str:
    """`0.2 to 1.5`, or the one value."""
    low, high = number(min(values)), number(max(values))
    return f"{low}{unit}" if low == high else f"{low} to {high}{unit}"


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]
