"""Questions on thresholds: which one, and how often a clip should fire."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from study.analysis.questions.clips import bounding
from study.analysis.questions.differences import Case, differences
from study.analysis.questions.numbers import Number
from study.analysis.questions.ranges import usable
from study.analysis.questions.tuned import chosen
from study.analysis.thresholds import THRESHOLDS
from study.methods.labels import NONE, Cell
from study.results.cells import select
from study.results.store import Tables

ALIKE = 3.0  # multiples of the median this many times apart are still called one rule
CLOSE = 0.25  # of percentiles
BELOW_ALL = 0.1  # a percentile at which a threshold is below nearly all norms
FEW = 3  # settings below which nothing is called a rule
BINS = (("under 1 %", 0.01), ("1 % to 50 %", 0.5), ("50 % to 99 %", 0.99), ("99 % and more", np.inf))
WORKS, FAILS = "works without a clip", "does not work without a clip"
MULTIPLE, PERCENTILE = "multiple of the median norm", "percentile of the norm"
ONE, SEVERAL, UNDER_ALL, TOO_FEW = "one", "several", "below nearly all", "too few"


def which_threshold(tables: Tables) -> Iterator[Number]:
    """Compare the chosen threshold of `global_norm` in each tuned setting with the gradient norms without a clip."""
    found = tables.get("thresholds", pd.DataFrame(columns=list(THRESHOLDS)))
    choices = chosen(tables)
    for at, (_, row) in enumerate(choices[choices["method"] == "global_norm"].iterrows()):
        own = found[found["setting"] == row["setting"]]
        numbers = _threshold(own.iloc[0]) if len(own) else [Number(MULTIPLE)]
        cell = Cell(str(row["regime"]), str(own["label"].iloc[0]) if len(own) else NONE)
        for one in numbers:
            yield replace(one, item=at, setting=str(row["setting"]), method="global_norm", own=cell)
    if len(found):
        yield from _spread(found)


def _threshold(row: pd.Series) -> list[Number]:
    return [
        Number("median norm", "norm", float(row["median"])),
        Number(MULTIPLE, "", float(row["threshold"] / row["median"])),
        Number(PERCENTILE, "share", float(row["percentile"])),
        Number("clip_rate", "share", float(row["clip_rate"])),
        Number("regret", "points", float(100 * row["regret"])),
    ]


def _spread(found: pd.DataFrame) -> Iterator[Number]:
    """Yield whether one multiple of the median, or one percentile, would fit all settings with a threshold."""
    ratios = (found["threshold"] / found["median"]).astype(float)
    ranks = found["percentile"].astype(float).dropna()
    low, high = float(ratios.min()), float(ratios.max())
    word = TOO_FEW if len(found) < FEW else ONE if high <= ALIKE * low else SEVERAL
    yield Number(MULTIPLE, "", high / low, low, high, n=len(found), verdict=word)
    if len(ranks):
        low, high = float(ranks.min()), float(ranks.max())
        word = UNDER_ALL if high <= BELOW_ALL else ONE if high - low <= CLOSE else SEVERAL
        yield Number(PERCENTILE, "share", low=low, high=high, n=len(ranks), verdict=word)


def how_often(tables: Tables) -> Iterator[Number]:
    """Return what clips gain in test accuracy by how often they fire, where training without one works and fails."""
    return differences(tables["runs"], _firing(tables), ["test_accuracy"])


def _firing(tables: Tables) -> Iterator[Case]:
    """Compare every clip alone in every regime with the baseline, by whether training works and by firing rate."""
    runs, working = tables["runs"], usable(tables)
    clips = bounding(runs[runs["regularization"] == NONE])
    for (regime, clip), own in clips.groupby(["regime", "clip"], sort=False):
        free, rate = Cell(str(regime)), float(own["clip_rate"].astype(float).mean())
        if not select(runs, free).empty and np.isfinite(rate):
            state = WORKS if str(regime) in working else FAILS
            yield Case(Cell(str(regime), str(clip)), free, part=state, by=_bin(rate))


def _bin(rate: float) -> str:
    return next(name for name, most in BINS if rate < most)
