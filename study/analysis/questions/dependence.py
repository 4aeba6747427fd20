"""Dependence of a method's effect on the data or the net: along every sweep over a key, at equal strength."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count

import pandas as pd

from study.analysis.questions.differences import Case, between, compared
from study.analysis.questions.numbers import Number
from study.analysis.questions.ranges import swept
from study.methods.labels import NONE, Cell
from study.results.cells import select
from study.results.store import Tables

DATA = ("data.train_size", "data.label_noise")
NET = ("depth", "model.hidden", "model.units", "model.activation", "model.init", "net")
SERIES, ALONE = "series", "mean test_accuracy"


def on_data(tables: Tables) -> Iterator[Number]:
    """Return what clips and regularizers gain by training size and by the share of wrong labels."""
    return _along(tables, DATA)


def on_net(tables: Tables) -> Iterator[Number]:
    """Return what clips and regularizers gain by depth, activation and initialisation."""
    return _along(tables, NET)


def _along(tables: Tables, axes: Sequence[str]) -> Iterator[Number]:
    """Compare each method that stands alone at every point of a sweep with the baseline there, an `item` per series."""
    runs, number = tables["runs"], count()
    for axis in axes:
        for sweep, _, group in swept(tables, axis):
            regimes = [str(regime) for regime in group["regime"]]
            for method in _methods(runs, regimes):
                at = next(number)
                yield from (replace(one, part=axis, setting=sweep, item=at) for one in _series(runs, regimes, method))


def _series(runs: pd.DataFrame, regimes: Sequence[str], method: tuple[str, str]) -> Iterator[Number]:
    """Yield the gain of a method at each point, their conclusion, and the baseline's accuracy where it is compared."""
    found = [between(runs, Case(Cell(regime, *method), Cell(regime))) for regime in regimes]
    kept = compared(found)
    yield from found
    yield Number(SERIES, "points", n=len(kept), verdict=_verdict(kept), own=Cell("", *method))
    for one in kept:
        yield Number(ALONE, "share", float(select(runs, one.baseline)["test_accuracy"].mean()), own=one.baseline)


def _methods(runs: pd.DataFrame, regimes: list[str]) -> list[tuple[str, str]]:
    """Return the clip and regularization of each method that stands alone at all points, as the baseline must too."""
    own = runs[runs["regime"].isin(regimes) & ((runs["clip"] == NONE) | (runs["regularization"] == NONE))]
    counts = own.groupby(["clip", "regularization"], sort=False)["regime"].nunique()
    rows = counts.reset_index().itertuples(index=False)
    whole = [(str(clip), str(regularization)) for clip, regularization, n in rows if n == len(regimes) > 1]
    return [pair for pair in whole if pair != (NONE, NONE)] if (NONE, NONE) in whole else []


def _verdict(found: Sequence[Number]) -> str:
    """Return the conclusion from the compared points.

    reverses: better here and worse there; changes: two intervals do not overlap; same: all have one verdict. nothing:
    fewer than two points are compared; undecided: all else.
    """
    verdicts = {one.verdict for one in found}
    if len(found) < 2:
        return "nothing"
    if {"better", "worse"} <= verdicts:
        return "reverses"
    if max(one.low for one in found) > min(one.high for one in found):
        return "changes"
    return "same" if len(verdicts) == 1 and verdicts != {"undecided"} else "undecided"
