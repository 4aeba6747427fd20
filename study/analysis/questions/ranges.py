"""Learning rates at which training works, with a clip and without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import pandas as pd

from study.analysis.questions.differences import Case, between
from study.analysis.questions.numbers import Number
from study.analysis.questions.tuned import LR, regimes_of
from study.methods.labels import NONE, Cell
from study.results.cells import failed, select
from study.results.store import Tables

USABLE = 5.0  # points of test accuracy below the best of no clip that a usable learning rate may lose
RATES = "usable rates"
CAN, UNCLEAR, CANNOT = "usable", "undecided", "not usable"
HIGHER = "highest usable rate is higher"


@dataclass(frozen=True)
class Range:
    """Positions on the grid of learning rates that are usable, and those that are undecided."""

    usable: frozenset[int]
    unclear: frozenset[int]

    @property
    def readings(self) -> list[frozenset[int]]:
        """The usable positions with all undecided ones counted as usable, and with none of them."""
        return list(dict.fromkeys((self.usable, self.usable | self.unclear)))


def swept(tables: Tables, axis: str) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield the points of each sweep over a key, in order: the sweep, the shared settings, the points."""
    regimes = regimes_of(tables)
    rest = regimes[(regimes["axis"] != axis) & regimes["axis"].notna()]
    others = {
        str(name): ", ".join(f"{row['axis']}={row['value']}" for _, row in part.iterrows())
        for name, part in rest.groupby("regime", sort=False)
    }
    own = regimes[regimes["axis"] == axis]
    points = own.assign(others=own["regime"].map(others).fillna(""))
    points = points.sort_values(["part_of", "position"], kind="stable")
    for (part_of, shared), group in points.groupby(["part_of", "others"], sort=False):
        yield str(part_of), str(shared), group


def widens(tables: Tables) -> Iterator[Number]:
    """Compare the usable learning rates of every clip with those of the baseline, in every sweep over the rate."""
    for sweep, others, group in swept(tables, LR):
        base = _best(tables, group)
        if base is None or len(group) < 2:
            continue
        free = _range_of(list(_rates(tables, group, NONE, base)))
        for clip in _clips(tables, group):
            rates = list(_rates(tables, group, clip, base))
            part = f"{sweep} {others}".strip()
            yield from (replace(one, part=part, setting=sweep) for one in rates)
            yield replace(_change(free, _range_of(rates)), part=part, setting=sweep, own=Cell("", clip))


def _change(free: Range, own: Range) -> Number:
    """Return a clip's change of the baseline's range; `by` says whether its highest usable rate is higher."""
    higher = max(own.usable, default=-1) > max(free.usable, default=-1)
    return Number(RATES, "rates", len(own.usable), verdict=change(free, own), by=HIGHER if higher else "")


def _best(tables: Tables, group: pd.DataFrame) -> Cell | None:
    """Return the baseline's cell at the rate of the best test accuracy among those at which all runs train."""
    cells = [Cell(str(regime)) for regime in group["regime"]]
    runs = {cell: select(tables["runs"], cell) for cell in cells}
    whole = [cell for cell in cells if not runs[cell].empty and not failed(runs[cell]).any()]
    return max(whole, key=lambda cell: runs[cell]["test_accuracy"].mean(), default=None)


def _clips(tables: Tables, group: pd.DataFrame) -> list[str]:
    """Return the clips that stand at every rate, none first."""
    runs = tables["runs"]
    alone = runs[(runs["regularization"] == NONE) & runs["regime"].isin(group["regime"])]
    counts = alone.groupby("clip", sort=False)["regime"].nunique()
    whole = [str(clip) for clip, n in counts.items() if n == len(group)]
    return [NONE, *(clip for clip in whole if clip != NONE)]


def _rates(tables: Tables, group: pd.DataFrame, clip: str, base: Cell) -> Iterator[Number]:
    """Yield whether a clip trains at each rate, and its loss there against no clip at its best rate, in points."""
    for regime in group["regime"]:
        cell = Cell(str(regime), clip)
        own = select(tables["runs"], cell)
        if own.empty or failed(own).any():
            yield Number("test_accuracy", "points", verdict=CANNOT, own=cell, baseline=base)
        else:
            found = between(tables["runs"], Case(cell, base))
            word = CAN if found.low > -USABLE else CANNOT if found.high < -USABLE else UNCLEAR
            yield replace(found, verdict=word)


def _range_of(rates: list[Number]) -> Range:
    at = {word: frozenset(n for n, one in enumerate(rates) if one.verdict == word) for word in (CAN, UNCLEAR)}
    return Range(at[CAN], at[UNCLEAR])


def change(free: Range, own: Range) -> str:
    """Return a clip's effect on the baseline's range: widens, narrows, shifts, leaves as it is, or undecided."""
    words = {_word(one, other) for one, other in product(free.readings, own.readings)}
    return words.pop() if len(words) == 1 else "undecided"


def _word(free: frozenset[int], own: frozenset[int]) -> str:
    more, less = bool(own - free), bool(free - own)
    return {(True, False): "widens", (False, True): "narrows", (True, True): "shifts"}.get((more, less), "unchanged")


def usable(tables: Tables) -> frozenset[str]:
    """Return the regimes whose training works without a clip: no run fails, and a swept learning rate is not a bad one.

    A bad rate is not shown to be within `USABLE` points of the best.
    """
    runs = tables["runs"]
    free = runs[(runs["clip"] == NONE) & (runs["regularization"] == NONE)]
    works = {str(regime) for regime, own in free.groupby("regime", sort=False) if not failed(own).any()}
    bad: set[str] = set()
    for _, _, group in swept(tables, LR):
        base = _best(tables, group)
        if base is not None:
            bad |= {one.own.regime for one in _rates(tables, group, NONE, base) if one.verdict != CAN}
    return frozenset(works - bad)
