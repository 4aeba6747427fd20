"""The rows of one cell, in any table of a study."""

from __future__ import annotations

import pandas as pd

from study.methods.labels import Cell


def select(table: pd.DataFrame, cell: Cell) -> pd.DataFrame:
    """The rows of a cell: a regime with a clip and a regularization, both "none" unless given."""
    regime, clip, regularization = (table[key] == value for key, value in zip(Cell._fields, cell, strict=True))
    return table[regime & clip & regularization]


def failed(runs: pd.DataFrame) -> pd.Series[bool]:
    """Return which runs diverged or ended at chance level."""
    return runs["status"] != "ok"
