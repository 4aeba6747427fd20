"""Means over seeds with their intervals, and the sentences which captions share."""

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from scipy.special import stdtrit  # stats.t.ppf without the second that scipy.stats takes to load

from study.figures._style import NONE

VARIANT = ["regime", "clip", "regularization"]
NUMBER = re.compile(r"(?<=[(=])\d+(?:\.\d+)?(?:e[+-]?\d+)?(?=[,)])")  # a parameter in a label


def band(frame: pd.DataFrame, by: Sequence[str], column: str, level: float = 0.95) -> pd.DataFrame:
    """Mean over rows with Student's t interval: columns mean, low and high, indexed by `by`.

    The interval is NaN for a single value.
    """
    table = finite(frame, column).groupby(list(by))[column].agg(["mean", "sem", "count"])
    half = stdtrit(table["count"].to_numpy() - 1, (1 + level) / 2) * table["sem"].to_numpy()
    return pd.DataFrame({"mean": table["mean"], "low": table["mean"] - half, "high": table["mean"] + half})


def finite(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """The rows whose `column` is finite."""
    return frame[np.isfinite(frame[column].astype(float))]


def without_infinities(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The frame with the infinite values of `columns` made NaN."""
    values = frame[list(columns)].astype(float)
    return frame.assign(**values.where(np.isfinite(values)))


def aligned(windows: pd.DataFrame) -> pd.DataFrame:
    """Windows of runs of different length, put on those of the longest run: `step` becomes that window's.

    A run that ended early has shorter windows, so that several of its rows may get the same step.
    """
    if windows.empty:
        return windows
    ends = windows.groupby([*VARIANT, "seed"])["last_step"].transform("max")
    grid = np.unique(windows.loc[ends == ends.max(), "step"])
    return windows.assign(step=grid[np.searchsorted(grid, windows["step"], side="right") - 1])


def alone(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with at most one of clipping and regularization."""
    return frame[(frame["clip"] == NONE) | (frame["regularization"] == NONE)]


def less_none(runs: pd.DataFrame, column: str) -> pd.DataFrame:
    """The runs of a clip alone with `difference`: their `column` less that of none at the same regime and seed.

    The difference is NaN where one of the two is missing or not finite.
    """
    clips = without_infinities(runs[runs["regularization"] == NONE], [column])
    own, none = clips[clips["clip"] != NONE], clips[clips["clip"] == NONE].set_index(["regime", "seed"])[column]
    pairs = none.reindex(pd.MultiIndex.from_frame(own[["regime", "seed"]])).to_numpy(float)
    return own.assign(difference=own[column].to_numpy(float) - pairs)


def numbers_of(labels: Sequence[str]) -> tuple[float, ...]:
    """The first number among the parameters in which all labels differ, if it is positive in all; else nothing.

    ["l2(0.1)", "l2(1)"] -> (0.1, 1.0); nothing for ["percentile(5)", "percentile"], where a default is left out.
    """
    parameters = [[float(number) for number in NUMBER.findall(label)] for label in labels]
    if len({len(several) for several in parameters}) != 1:
        return ()
    columns = zip(*parameters, strict=True)
    return next((column for column in columns if len(set(column)) == len(column) and min(column) > 0), ())


def swept(regimes: pd.DataFrame) -> pd.DataFrame:
    """The rows of the regimes which are points of a sweep."""
    return regimes[regimes["part_of"].notna() & (regimes["part_of"].astype(str) != "")]


def regimes(frame: pd.DataFrame) -> list[str]:
    """The regimes in order of appearance."""
    return list(frame["regime"].drop_duplicates())


def present(frame: pd.DataFrame, column: str, order: Iterable[str]) -> list[str]:
    """Return the labels of `order` that occur in the column; ValueError if it holds one that `order` does not."""
    labels, found = list(order), set(frame[column])
    for label in found.difference(labels):
        raise ValueError(f"The '{column}' labels of the style must include every label drawn. Got {label!r} too.")
    return [label for label in labels if label in found]


def seeds_sentence(frame: pd.DataFrame) -> str:
    """Say how many seeds the variants of a table have ("8 to 10 seeds per variant.")."""
    counts = frame.groupby(VARIANT)["seed"].nunique()
    if counts.empty:
        return "No runs."
    low, high = int(counts.min()), int(counts.max())
    if high == 1:
        return "1 seed per variant, so no interval."
    return f"{high if low == high else f'{low} to {high}'} seeds per variant."


def diverged_sentence(runs: pd.DataFrame) -> str:
    """Say how many runs failed: "No run of 300 failed." or "2 of 300 runs failed."."""
    diverged = int((runs["status"] == "diverged").sum())
    return f"{diverged:,} of {len(runs):,} runs failed." if diverged else f"No run of {len(runs):,} failed."


def left_out_sentence(windows: pd.DataFrame) -> str:
    """Say how many norms a log axis of medians cannot show, with a leading space; empty if it shows all."""
    if windows.empty:
        return ""
    norms, n = windows["norm_before"].astype(float), len(windows)
    wrong, zero = int((~np.isfinite(norms)).sum()), int((norms == 0).sum())
    text = f" Windows left out because their norm is not finite: {wrong} of {n}." if wrong else ""
    return text + (f" Windows with norm 0: {zero} of {n}; a median of 0 is left blank." if zero else "")
