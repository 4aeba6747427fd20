"""Curves of runs, thinned so that a page of thousands of runs stays small; no extreme is lost."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DIGITS = 4  # significant digits of a curve's values
Floats = NDArray[np.float64]
Curves = dict[str, Any]


def epoch_curves(epochs: pd.DataFrame, runs: pd.MultiIndex, columns: Sequence[str], numbers: int) -> Curves:
    """Return the epochs of each of the `runs` in their order, at most `numbers` values in all: evenly spread epochs.

    A curve's first and last epoch are always kept. Raises KeyError for a column that is not there.
    """
    most = _points(numbers, len(runs), len(columns))
    return _curves(epochs, runs, "epoch", [_picked(name) for name in columns], most)


def step_curves(
    steps: pd.DataFrame, runs: pd.MultiIndex, columns: Sequence[str], spread: Sequence[str], numbers: int
) -> Curves:
    """Return the windows of steps of each of the `runs`, neighbours merged until there are at most `numbers` values.

    A merged window has the mean over its steps of each of the `columns`, and the smallest and the largest value of
    those in `spread`.
    """
    taken = [_merged(name) for name in columns]
    taken += [(f"{name}{end}", pick) for name in spread for end, pick in ENDS.items()]
    most = _points(numbers, len(runs), len(taken))
    return _curves(steps, runs, "step", taken, most)


def _points(numbers: int, runs: int, columns: int) -> int:
    return max(2, numbers // max(1, runs * (columns + 1)))


Pick = Any
"""A function of (values [n], lengths [n], first rows of the groups [k]) to [k]."""


def _picked(name: str) -> tuple[str, Pick]:
    def last(values: Floats, lengths: Floats, first: NDArray[np.intp]) -> Floats:
        return values[first]

    return name, last


def _merged(name: str) -> tuple[str, Pick]:
    def mean(values: Floats, lengths: Floats, first: NDArray[np.intp]) -> Floats:
        with np.errstate(all="ignore"):
            return np.add.reduceat(values * lengths, first) / np.add.reduceat(lengths, first)

    return name, mean


ENDS: Mapping[str, Pick] = {
    "_min": lambda values, lengths, first: np.minimum.reduceat(values, first),
    "_max": lambda values, lengths, first: np.maximum.reduceat(values, first),
}


def _curves(table: pd.DataFrame, runs: pd.MultiIndex, x: str, taken: Sequence[tuple[str, Pick]], most: int) -> Curves:
    """Columns of all runs one after the other, with the number of points of each run; a run without rows has none."""
    keys = list(runs.names)
    groups: Mapping[Hashable, Any] = table.groupby(keys, sort=False, observed=True).indices
    values = {name: table[name].to_numpy(np.float64, na_value=np.nan) for name in [x, *(name for name, _ in taken)]}
    lengths = _lengths(table)
    found: dict[str, list[Floats]] = {name: [] for name in values}
    counts = []
    for key in runs:
        rows = np.asarray(groups.get(key, ()), dtype=np.intp)
        first = _first(len(rows), most, ends=x == "epoch")
        counts.append(len(first))
        if len(rows):
            found[x].append(values[x][rows][first])
            for name, pick in taken:
                found[name].append(pick(values[name][rows], lengths[rows], first))
    columns = {name: numbers(np.concatenate(parts)) if parts else [] for name, parts in found.items()}
    return {"x": x, "counts": counts, "columns": columns, "thinned": bool(counts and max(counts) < _longest(groups))}


def _longest(groups: Mapping[Hashable, Any]) -> int:
    return max((len(rows) for rows in groups.values()), default=0)


def _lengths(table: pd.DataFrame) -> Floats:
    if "last_step" not in table:
        return np.ones(len(table))
    return (table["last_step"] - table["step"] + 1).to_numpy(np.float64)


def _first(rows: int, most: int, ends: bool) -> NDArray[np.intp]:
    """First rows of at most `most` groups of neighbours; with `ends`, rows from the first to the last."""
    spread = np.linspace(0, rows - 1, min(rows, most)) if ends else np.linspace(0, rows, min(rows, most), False)
    return np.unique(spread.astype(np.intp))


def numbers(values: Floats, digits: int | None = DIGITS) -> list[float | int | str | None]:
    """Return values as JSON can hold them: NaN as None, infinities as text, to `digits` significant digits or whole."""
    return [_number(value, digits) for value in values.tolist()]


def _number(value: float, digits: int | None) -> float | int | str | None:
    if value != value:
        return None
    if value in (np.inf, -np.inf):
        return "inf" if value > 0 else "-inf"
    short = float(f"{value:.{digits}g}") if digits and abs(value) != int(abs(value)) else value
    return int(short) if short == int(short) and abs(short) < 2**53 else short
