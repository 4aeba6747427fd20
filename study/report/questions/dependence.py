"""Whether what a method does depends on the data or on the net: along every sweep over a key, at equal strength."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from study.figures._style import Tables
from study.report.format import number, percent, several
from study.report.questions.base import Answer, Row, axis_name, cell, count, listed, place, point, swept
from study.report.questions.differences import Difference

DATA = ("data.train_size", "data.label_noise")
WORDS = {"reverses": "reversed", "changes": "different in size", "same": "the same", "undecided": "undecided",
         "nothing": "not to be compared"}  # fmt: skip
NET = ("depth", "model.hidden", "model.units", "model.activation", "model.init", "net")


@dataclass(frozen=True)
class Series:
    """What one method gains in test accuracy at each point of a sweep over one key: regime, value, difference."""

    axis: str
    sweep: str
    label: str
    points: tuple[tuple[str, str, Difference], ...]

    @property
    def compared(self) -> list[tuple[str, Difference]]:
        return [(name, one) for _, name, one in self.points if one.compared]

    @property
    def verdict(self) -> str:
        """reverses: better here and worse there; changes: two intervals do not overlap; same: all have one verdict.

        nothing: fewer than two points are compared; undecided: all else.
        """
        found = [one for _, one in self.compared]
        verdicts = {one.verdict for one in found}
        if len(found) < 2:
            return "nothing"
        if {"better", "worse"} <= verdicts:
            return "reverses"
        if max(one.interval[0] for one in found) > min(one.interval[1] for one in found):
            return "changes"
        return "same" if len(verdicts) == 1 and verdicts != {"undecided"} else "undecided"

    @property
    def text(self) -> str:
        """`global_norm(0.1)` in `sizes` (worse by −18.2 points at 500 ...)."""
        ends = [f"{number(one.mean, sign=True)} at {name}" for name, one in self.compared]
        return f"`{self.label}` in {self.sweep} ({', '.join(ends)} points)"


def on_data(tables: Tables) -> Answer:
    """What clips and regularizers gain by training size and by the share of wrong labels."""
    return _answer(tables, "Does it depend on the training size and the label noise?", DATA)


def on_net(tables: Tables) -> Answer:
    """What clips and regularizers gain by depth, activation and initialisation."""
    return _answer(tables, "Does it depend on the depth, the activation and the initialisation?", NET)


def _answer(tables: Tables, question: str, axes: tuple[str, ...]) -> Answer:
    found = [one for axis in axes for one in series(tables, axis)]
    return Answer(
        question,
        " ".join(_short(axis, own) for axis in axes if (own := [one for one in found if one.axis == axis])),
        " ".join(
            filter(None, [*(_words(axis, [x for x in found if x.axis == axis]) for axis in axes), _left_out(found)])
        ),
        "Each method alone at a given strength, which was not tuned anew at each point, less none at the same point, in"
        " test accuracy. Different in size: two of the 95 % intervals do not overlap; reversed: better at one point,"
        " worse at another. What else differs between points, such as the number of steps, is as the regimes say.",
        ("sweeps",),
        _rows(tables, found),
    )


def series(tables: Tables, axis: str) -> Iterator[Series]:
    """Every method that stands alone at every point of a sweep over the key, for each value of the other keys."""
    for (part_of, others), group in swept(tables, axis).groupby(["part_of", "others"], sort=False):
        sweep = f"`{part_of}`" + (f" at {others}" if others else "")
        for clip, regularization in _methods(tables, group):
            points = tuple(
                (
                    regime,
                    point(row),
                    Difference.between(cell(tables, regime, clip, regularization), cell(tables, regime)),
                )
                for row in group.to_dict("records")
                if (regime := str(row["regime"]))
            )
            yield Series(axis, sweep, clip if regularization == "none" else regularization, points)


def _methods(tables: Tables, group: pd.DataFrame) -> list[tuple[str, str]]:
    runs = tables["runs"]
    own = runs[runs["regime"].isin(group["regime"]) & ((runs["clip"] == "none") | (runs["regularization"] == "none"))]
    counts = own.groupby(["clip", "regularization"], sort=False)["regime"].nunique()
    rows = counts.reset_index().itertuples(index=False)
    whole = [(str(clip), str(regularization)) for clip, regularization, n in rows if n == len(group) > 1]
    return [pair for pair in whole if pair != ("none", "none")] if ("none", "none") in whole else []


def _rows(tables: Tables, found: list[Series]) -> list[Row]:
    """A row for each method and regime in which it was compared, once where two keys are swept."""
    rows: dict[tuple[str, str], Row] = {}
    for one in found:
        for regime, _, difference in one.points:
            if difference.compared:
                rows[regime, one.label] = {
                    "regime": place(tables, regime),
                    "method": f"`{one.label}`",
                    "none": percent(cell(tables, regime)["test_accuracy"].mean()),
                    "gain (points)": difference.text,
                    "verdict": difference.verdict,
                }
    return list(rows.values())


def _short(axis: str, found: list[Series]) -> str:
    counts = {word: n for word in WORDS if (n := sum(one.verdict == word for one in found))}
    start = "yes" if {"reverses", "changes"} & set(counts) else "not seen" if list(counts) == ["same"] else "undecided"
    told = listed([f"{n} {WORDS[word]}" for word, n in counts.items()])
    return f"On the {axis_name(axis)}: {start}; of {count(len(found), 'series', 'series')} (method × sweep), {told}."


def _words(axis: str, found: list[Series]) -> str:
    groups = {word: [one.text for one in found if one.verdict == word] for word in WORDS if word != "nothing"}
    parts = [f"{WORDS[word]}: {several(texts, 6)}" for word, texts in groups.items() if texts]
    return f"By {axis_name(axis)}, {'; '.join(parts)}." if parts else ""


def _left_out(found: list[Series]) -> str:
    cells = {(regime, one.label): difference for one in found for regime, _, difference in one.points}
    left = sum(not one.compared for one in cells.values())
    words = f"{count(left, 'case is', 'cases are')} left out: neither trains, or no seed has numbers for both."
    return words if left else "No case is left out."
