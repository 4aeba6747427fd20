"""The learning rates at which training works, with a clip and without."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import pandas as pd

from study.figures._style import Tables
from study.report.questions.base import LR, Answer, Row, capital, cell, count, fails, listed, point, swept
from study.report.questions.differences import Difference

USABLE = 5.0  # points of test accuracy below the best of no clip that a usable learning rate may lose
CHANGES = {"widens": "widened", "shifts": "shifted", "narrows": "narrowed", "unchanged": "unchanged",
           "undecided": "undecided"}  # fmt: skip


@dataclass(frozen=True)
class Range:
    """Positions on the grid of learning rates that are usable, and those of which it is undecided."""

    usable: frozenset[int]
    unclear: frozenset[int]

    @property
    def readings(self) -> list[frozenset[int]]:
        """With all that is undecided counted as usable, and with none."""
        return list(dict.fromkeys((self.usable, self.usable | self.unclear)))


def widens(tables: Tables) -> Answer:
    """The usable learning rates of every clip against those of none, in every sweep over the rate."""
    rows: list[Row] = []
    found: list[tuple[str, str]] = []
    higher = 0
    for _, group in swept(tables, LR).groupby(["part_of", "others"], sort=False):
        base = _best(tables, group)
        if base is None or len(group) < 2:
            continue
        where = _where(group)
        free = _range(tables, group, "none", base)
        for clip in _clips(tables, group):
            own = free if clip == "none" else _range(tables, group, clip, base)
            word = "" if clip == "none" else change(free, own)
            rows.append({"sweep": where, "clip": f"`{clip}`", **_shown(group, own), "against none": word or "–"})
            if clip != "none":
                found.append((f"`{clip}` in {where}", word))
                higher += max(own.usable, default=-1) > max(free.usable, default=-1)
    return Answer(
        "Does a clip widen the usable learning rates?",
        _short(found, higher),
        _words(found),
        f"Usable: all runs train, and test accuracy is at most {USABLE:g} points below that of no clip at its best"
        " rate of the sweep, by the 95 % interval of the paired difference; undecided where that reaches across. A clip"
        " widens the range if it adds rates and loses none, narrows it if it loses some and adds none, and shifts it if"
        " it does both. Only the rates of the grid are known.",
        ("sweeps",),
        rows,
    )


def _where(group: pd.DataFrame) -> str:
    others = group["others"].iloc[0]
    return f"`{group['part_of'].iloc[0]}`" + (f" at {others}" if others else "")


def _best(tables: Tables, group: pd.DataFrame) -> pd.DataFrame | None:
    """The runs without a clip at the rate of the best test accuracy of those at which all train."""
    cells = [own for regime in group["regime"] if not (own := cell(tables, regime)).empty and not fails(own)]
    return max(cells, key=lambda own: own["test_accuracy"].mean(), default=None)


def _clips(tables: Tables, group: pd.DataFrame) -> list[str]:
    """The clips that stand at every rate, none first."""
    runs = tables["runs"]
    alone = runs[(runs["regularization"] == "none") & runs["regime"].isin(group["regime"])]
    counts = alone.groupby("clip", sort=False)["regime"].nunique()
    whole = [str(clip) for clip, n in counts.items() if n == len(group)]
    return ["none", *(clip for clip in whole if clip != "none")]


def _range(tables: Tables, group: pd.DataFrame, clip: str, base: pd.DataFrame) -> Range:
    usable: set[int] = set()
    unclear: set[int] = set()
    for position, regime in enumerate(group["regime"]):
        own = cell(tables, regime, clip)
        if own.empty or fails(own):
            continue
        low, high = Difference.between(own, base).interval
        if low > -USABLE:
            usable.add(position)
        elif not high < -USABLE:
            unclear.add(position)
    return Range(frozenset(usable), frozenset(unclear))


def change(free: Range, own: Range) -> str:
    """What a clip does to the range of none: widens, narrows, shifts, leaves as it is, or undecided."""
    words = {_change(one, other) for one, other in product(free.readings, own.readings)}
    return words.pop() if len(words) == 1 else "undecided"


def _change(free: frozenset[int], own: frozenset[int]) -> str:
    more, less = bool(own - free), bool(free - own)
    return {(True, False): "widens", (False, True): "narrows", (True, True): "shifts"}.get((more, less), "unchanged")


def _shown(group: pd.DataFrame, own: Range) -> Row:
    names = [point(row) for _, row in group.iterrows()]
    listing = {"usable": own.usable, "undecided": own.unclear}
    return {word: ", ".join(names[at] for at in sorted(which)) or "–" for word, which in listing.items()}


def _by_word(found: list[tuple[str, str]]) -> dict[str, list[str]]:
    return {word: own for word in CHANGES if (own := [name for name, one in found if one == word])}


def _short(found: list[tuple[str, str]], higher: int) -> str:
    if not found:
        return ""
    counts = _by_word(found)
    start = "In some cases" if "widens" in counts else "Undecided" if "undecided" in counts else "No"
    start = "Yes" if list(counts) == ["widens"] else start
    told = listed([f"{CHANGES[word]} in {len(own)}" for word, own in counts.items()])
    return (
        f"{start}: the range is {told} of {count(len(found), 'case')} (clip × sweep); the highest usable rate is higher"
        f" with the clip in {higher}."
    )


def _words(found: list[tuple[str, str]]) -> str:
    return " ".join(f"{capital(CHANGES[word])}: {listed(names)}." for word, names in _by_word(found).items())


def usable(tables: Tables) -> frozenset[str]:
    """The regimes whose training works without a clip: no run fails, nor is the learning rate of a sweep a bad one.

    A bad one is not shown to be within `USABLE` points of the best.
    """
    runs = tables["runs"]
    free = runs[(runs["clip"] == "none") & (runs["regularization"] == "none")]
    works = {str(regime) for regime, own in free.groupby("regime", sort=False) if not fails(own)}
    bad: set[str] = set()
    for _, group in swept(tables, LR).groupby(["part_of", "others"], sort=False):
        base = _best(tables, group)
        if base is not None:
            good = _range(tables, group, "none", base).usable
            bad |= {str(regime) for at, regime in enumerate(group["regime"]) if at not in good}
    return frozenset(works - bad)
