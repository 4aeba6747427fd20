"""Clipping, regularizers and the learning rate: effects that remain when the rate is tuned, or steps are equal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from study.analysis.questions.differences import Case, differences
from study.analysis.questions.numbers import Number
from study.analysis.questions.ranges import swept, usable
from study.analysis.questions.tuned import BOTH_WAYS, BY_LOSS, LR, RATE_GIVEN, RATE_TUNED, against_none
from study.methods.labels import NONE, Cell
from study.results.cells import select
from study.results.store import Tables

EQUAL = 1.3  # steps this many times apart are called equal
WORKS, RESCUE, DROPPED = "equal step works without a clip", "equal step does not work", "no equal step"
LEFT, PRODUCT, RATIO, WITH, WITHOUT = "step left", "rate times step left", "ratio of rates", "with", "without"


@dataclass(frozen=True)
class Equal:
    """A clip at a learning rate beside no clip at the swept rate that makes their steps most nearly equal."""

    own: Cell
    free: Cell
    left: float
    rate: float
    nearest: float

    @property
    def off(self) -> float:
        """The factor between the two steps, at least 1."""
        return float(np.exp(abs(np.log(self.nearest) - np.log(self.rate * self.left))))


def smaller_rate(tables: Tables) -> Iterator[Number]:
    """Compare clipped nets with unclipped ones at the swept learning rate that makes their steps equal."""
    runs, working = tables["runs"], usable(tables)
    pairs = list(_pairs(tables))
    kept = [pair for pair in pairs if pair.off <= EQUAL]
    cases = [Case(one.own, one.free, WORKS if one.free.regime in working else RESCUE) for one in kept]
    yield from differences(runs, cases, ["test_accuracy"])
    for at, pair in enumerate(kept):
        accuracies = [float(select(runs, cell)["test_accuracy"].mean()) for cell in (pair.own, pair.free)]
        values = (pair.left, pair.rate * pair.left, pair.nearest / (pair.rate * pair.left), *accuracies)
        for metric, value in zip((LEFT, PRODUCT, RATIO, WITH, WITHOUT), values, strict=True):
            yield Number(metric, estimate=float(value), item=at, own=pair.own, baseline=pair.free)
    if dropped := len(pairs) - len(kept):
        yield Number("pairs", n=dropped, part=DROPPED)


def _pairs(tables: Tables) -> Iterator[Equal]:
    """Yield every global-norm clip that shortens the step, where another swept rate is nearer to its step."""
    for _, _, group in swept(tables, LR):
        rates = group.set_index("regime")["number"].astype(float)
        for regime, rate in rates.items():
            for clip, left in _left(tables, str(regime)).items():
                nearest = (np.log(rates) - np.log(rate * left)).abs().idxmin()
                if nearest != regime:
                    cells = Cell(str(regime), clip), Cell(str(nearest))
                    yield Equal(*cells, left, float(rate), float(rates[nearest]))


def _left(tables: Tables, regime: str) -> dict[str, float]:
    """Return the share of a median gradient that each global-norm clip leaves."""
    runs = tables["runs"]
    own = runs[(runs["regime"] == regime) & (runs["regularization"] == NONE) & (runs["clip_method"] == "global_norm")]
    shares = {}
    for clip, group in own.groupby("clip", sort=False):
        median = group["norm_median"].astype(float).replace(np.inf, np.nan).median()
        share = min(1.0, group["clip_strength"].iloc[0] / median) if median > 0 else np.nan
        if np.isfinite(share):
            shares[str(clip)] = float(share)
    return shares


def survives(tables: Tables) -> Iterator[Number]:
    """Compare each method with the baseline where both learning rates were tuned, beside its gain elsewhere."""
    found = [case for by in BOTH_WAYS for _, case in against_none(tables, by)]
    cases = [case for case in found if case.part == RATE_TUNED]
    methods = {case.method for case in cases}
    elsewhere = [one for one in found if one.part == RATE_GIVEN and one.by == BY_LOSS and one.method in methods]
    yield from differences(tables["runs"], cases)
    for one in differences(tables["runs"], elsewhere, ["test_accuracy"]):
        if one.item is not None:
            yield replace(one, item=one.item + len(cases))
