"""Comparison of two cells by one rule: better, worse, the same, undecided, or nothing to compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from study.analysis.comparisons import fails
from study.analysis.conventions import ALPHA, IN_POINTS
from study.analysis.power import OF_INTEREST
from study.analysis.questions.numbers import Number
from study.analysis.statistics import bca_interval, sign_flip_p
from study.methods.labels import Cell
from study.results.cells import select

NOTHING = ("same cell", "both fail", "no pairs")
"""What is not a comparison: a cell with itself, two of which neither trains, none with numbers for both."""

METRICS = ("test_accuracy", "test_loss")


@dataclass(frozen=True)
class Case:
    """Two cells to compare, and their place in an answer."""

    own: Cell
    baseline: Cell
    part: str = ""
    by: str = ""
    setting: str = ""
    method: str = ""


def scale_of(metric: str) -> int:
    """Return the factor of a metric in print: 100 for shares, told in percentage points."""
    return 100 if metric in IN_POINTS else 1


def matters(metric: str) -> float:
    """Return the difference of a metric below which two are called the same, in points or nats."""
    return OF_INTEREST[metric] * scale_of(metric)


def difference(values: Sequence[float], metric: str, nothing: str = "", lost: int = 0) -> Number:
    """Return differences paired by seed, in points or nats, as a row: mean, 95 % BCa interval, exact p, verdict.

    nothing: why there is nothing to compare, if so. lost: pairs left out because one of the two has no number.
    """
    interval = bca_interval(values)
    return Number(
        metric=metric,
        unit="points" if metric in IN_POINTS else "nats",
        estimate=float(np.mean(values)) if len(values) else np.nan,
        low=interval.low,
        high=interval.high,
        p=sign_flip_p(values, np.random.default_rng(len(values)))[0] if len(values) else np.nan,
        n=len(values),
        n_undefined=lost,
        verdict=nothing,
    )


def judged(found: Number) -> Number:
    """Return a difference with its verdict, unless there is nothing to compare.

    same: the interval lies within what matters; better or worse: it leaves zero out, and the exact test agrees;
    undecided: all else.
    """
    return found if found.verdict else replace(found, verdict=_verdict(found))


def _verdict(found: Number) -> str:
    low, high, most = found.low, found.high, matters(found.metric)
    if low > -most and high < most:
        return "same"
    if found.p >= ALPHA or not (low > 0 or high < 0):
        return "undecided"
    return "better" if (low > 0) == (found.metric == "test_accuracy") else "worse"


def between(runs: pd.DataFrame, case: Case, metric: str = "test_accuracy") -> Number:
    """Return one cell less another over the seeds in which both have a number, judged."""
    own, other = (select(runs, cell) for cell in (case.own, case.baseline))
    less = own.set_index("seed")[metric].astype(float) - other.set_index("seed")[metric].astype(float)
    found = scale_of(metric) * less[np.isfinite(less)].sort_index()
    nothing = _nothing(case, own, other) or ("no pairs" if found.empty else "")
    given = difference(tuple(found), metric, nothing, len(less) - len(found))
    place = {key: getattr(case, key) for key in ("part", "by", "setting", "method", "own", "baseline")}
    return replace(judged(given), **place)


def _nothing(case: Case, own: pd.DataFrame, other: pd.DataFrame) -> str:
    if own.empty or other.empty:
        return ""
    if case.own == case.baseline:
        return "same cell"
    return "both fail" if fails(own) and fails(other) else ""


def compared(found: Iterable[Number]) -> list[Number]:
    """Return the differences between two different cells at least one of which trains."""
    return [one for one in found if one.verdict not in NOTHING]


def differences(runs: pd.DataFrame, cases: Iterable[Case], metrics: Sequence[str] = METRICS) -> Iterator[Number]:
    """Yield the differences of all cases, an item each, and the conclusion of each part."""
    found = [replace(between(runs, case, metric), item=at) for at, case in enumerate(cases) for metric in metrics]
    yield from found
    yield from conclusions(found)


def conclusions(found: Iterable[Number]) -> Iterator[Number]:
    """Yield a row with the conclusion for each part, way of choosing and metric."""
    groups: dict[tuple[str, str, str], list[Number]] = {}
    for one in found:
        groups.setdefault((one.part, one.by, one.metric), []).append(one)
    for (part, by, metric), own in groups.items():
        kept = compared(own)
        mean = float(np.mean([one.estimate for one in kept])) if kept else np.nan
        word = conclusion(one.verdict for one in kept)
        yield Number(metric, own[0].unit, mean, n=len(kept), verdict=word, part=part, by=by)


def conclusion(verdicts: Iterable[str]) -> str:
    """Return one word for the verdicts of all compared cases.

    nothing: none was compared; better, worse, same, undecided: all of them; some better, some worse: beside others that
    are the same or undecided; mixed: some better and some worse; open: some the same and the others undecided.
    """
    counts: Mapping[str, int] = Counter(verdicts)
    if len(counts) < 2:
        return next(iter(counts), "nothing")
    if counts["better"] and counts["worse"]:
        return "mixed"
    return "some better" if counts["better"] else "some worse" if counts["worse"] else "open"
