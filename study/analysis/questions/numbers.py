"""Table `answers`: one row a number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from study.methods.labels import NONE, Cell

NOWHERE = Cell("", "", "")

OF_CELL = {"": "own", "baseline_": "baseline"}
"""The prefix of the columns of a cell, and the field of `Number` that they hold."""

ANSWERS = (
    "study", "question", "part", "by", "item", "setting", "method", "regime", "clip", "regularization",
    "baseline_regime", "baseline_clip", "baseline_regularization", "metric", "unit", "estimate", "low", "high", "p",
    "n", "n_undefined", "verdict",
)  # fmt: skip
"""The columns of `answers`: a row for each number that an answer is made of.

question: what is asked. part: the group within it, such as the learning rate given or tuned, a sweep or a bin; by: how
strengths were chosen, where both ways are shown. item: rows of one number belong together, such as the differences of
one pair of cells in accuracy and in loss; empty where a row speaks of a whole part. setting, method: what was tuned, or
the sweep. regime, clip, regularization: the cell that the number is of; baseline_..: the cell that it is held against.

metric, unit: what the number is. `test_accuracy` and `test_loss` with a baseline are differences paired by seed: the
mean with its 95 % BCa interval (low, high) and the p of the exact sign-flip test, of n pairs; n_undefined others lack a
number. Without a baseline, rows of these metrics say what all comparisons of their part come to (verdict), over the n
that compare two cells of which one trains; estimate is the mean of their differences. Other metrics are numbers by
themselves, n what they are of; low and high are then the least and the greatest.

verdict: "better", "worse", "same" or "undecided", by interval and p; "same cell", "both fail" or "no pairs" where
nothing is compared; for a part "better", "some better", "mixed" and so on, as `conclusion` says; else a word.
"""


@dataclass(frozen=True)
class Number:
    """Row of `answers` without its study and question; see `ANSWERS`."""

    metric: str
    unit: str = ""
    estimate: float = np.nan
    low: float = np.nan
    high: float = np.nan
    p: float = np.nan
    n: int | None = None
    n_undefined: int | None = None
    verdict: str = ""
    part: str = ""
    by: str = ""
    item: int | None = None
    setting: str = ""
    method: str = ""
    own: Cell = NOWHERE
    baseline: Cell = NOWHERE

    @property
    def label(self) -> str:
        """The label of the method in its cell, "none" without clip and regularizer."""
        return _label(self.own)

    @property
    def baseline_label(self) -> str:
        """The label of the method in the cell that it is compared with."""
        return _label(self.baseline)


def _label(cell: Cell) -> str:
    return cell.clip if cell.clip != NONE else cell.regularization


PLAIN = tuple(field.name for field in fields(Number) if field.name not in OF_CELL.values())
WHOLE = ("item", "n", "n_undefined")


def to_table(study: str, found: Mapping[str, Iterable[Number]]) -> pd.DataFrame:
    """Return the rows of all questions, columns `ANSWERS`."""
    rows = [{"study": study, "question": question, **_row(one)} for question, own in found.items() for one in own]
    return pd.DataFrame(rows, columns=list(ANSWERS)).astype(dict.fromkeys(WHOLE, "Int64"))


def _row(one: Number) -> dict[str, object]:
    cells = {
        f"{prefix}{key}": value
        for prefix, name in OF_CELL.items()
        for key, value in getattr(one, name)._asdict().items()
    }
    return {key: getattr(one, key) for key in PLAIN} | cells


def from_table(table: pd.DataFrame) -> dict[str, list[Number]]:
    """Return the rows of a table `answers`, by question."""
    texts = [name for name in ANSWERS if name not in ("estimate", "low", "high", "p", *WHOLE)]
    table = table.assign(**{name: table[name].fillna("").astype(str) for name in texts})
    found: dict[str, list[Number]] = {}
    for row in table.to_dict("records"):
        cells = {name: Cell(*(row[f"{prefix}{key}"] for key in Cell._fields)) for prefix, name in OF_CELL.items()}
        whole = {key: None if pd.isna(row[key]) else int(row[key]) for key in WHOLE}
        found.setdefault(row["question"], []).append(Number(**{key: row[key] for key in PLAIN} | cells | whole))
    return found
