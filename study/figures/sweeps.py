"""Test accuracy and divergence along every sweep, with each clip and with each regularization."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator

from study.figures._layout import (
    HEADING,
    LINE,
    heading,
    in_blocks,
    lines,
    log_ticks,
    message,
    name_columns,
    named,
    page,
    side_legend,
)
from study.figures._style import NONE, Look, Style, styled
from study.figures._summaries import alone, band, diverged_sentence, finite, present, seeds_sentence, swept
from study.methods.labels import method_of
from study.methods.phrases import key_name
from study.results.cells import failed
from study.results.store import Tables

NAME = "sweeps"
QUESTION = (
    "How do test accuracy and divergence change along each sweep, and what does each method alone change about it?"
)
NEEDS = ("runs", "regimes")
SWEPT = True
SCORED = True

KINDS = {"clip": "clipping alone", "regularization": "regularization alone"}
OTHER = {"clip": "regularization", "regularization": "clip"}
MOST = 6  # labels in a row of panels, beside none
ACROSS = 3  # panels in a row
WIDE = 30.0  # times the smallest value, above which an axis is logarithmic
ROOM = 4.6  # inches which the panels of a row have


@dataclass(frozen=True, slots=True)
class Sweep:
    """One sweep: the axis drawn along, its values in words (none where they are numbers), and every regime's place.

    points: columns regime, x (the number, or the place among the words) and facet (the values of the other axes).
    """

    name: str
    axis: str
    words: Sequence[str]
    points: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Row:
    """A row of panels: some labels of one kind, and for each panel its quantity and facet."""

    sweep: Sweep
    kind: str
    labels: Sequence[str]
    cells: Sequence[tuple[str, str]]
    first: bool


def _accuracy(runs: pd.DataFrame) -> pd.DataFrame:
    return 100 * band(runs, ["x"], "test_accuracy")


def _lost(runs: pd.DataFrame) -> pd.DataFrame:
    share = 100 * failed(runs).groupby(runs["x"]).mean()
    return pd.DataFrame({"mean": share, "low": np.nan, "high": np.nan})


QUANTITIES: Mapping[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "test accuracy (%)": _accuracy,
    "diverged runs (%)": _lost,
}


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """A line per label against the swept value; columns: quantities, or the values of a second axis."""
    runs = alone(tables["runs"])
    rows = [row for sweep in _sweeps(tables["regimes"]) for row in _rows(sweep, runs, style)]
    if not rows:
        return message(style, "No sweep to show: no regime of the study is a point of one.")
    heights = [max(1.15, LINE * sum(lines(named(label, 22)) for label in row.labels)) for row in rows]
    below = [0.65 if row.sweep.words else 0.45 for row in rows]
    figure = page(style, sum(heights) + sum(below) + HEADING * sum(row.first for row in rows))
    pairs = zip(rows, heights, strict=True)
    ratios = [ratio for row, height in pairs for ratio in ([HEADING, height] if row.first else [height])]
    grid = figure.add_gridspec(len(ratios), 2 * ACROSS, height_ratios=ratios)
    top = 0
    for row in rows:
        if row.first:
            heading(figure, grid[top, 0], f"{style.regime(row.sweep.name)}: {KINDS[row.kind]}")
            top += 1
        _row(figure, grid, top, row, runs, style)
        top += 1
    return figure


def _sweeps(regimes: pd.DataFrame) -> list[Sweep]:
    return [_sweep(str(name), part) for name, part in swept(regimes).groupby("part_of", sort=False)]


def _sweep(name: str, part: pd.DataFrame) -> Sweep:
    numbers = part["number"].astype(float)
    words = numbers.map("{:g}".format).where(np.isfinite(numbers), part["value"].astype(str))
    axis, *others = part["axis"].drop_duplicates()
    along = part[part["axis"] == axis].sort_values("position").set_index("regime")
    numeric = bool(np.isfinite(along["number"].astype(float)).all())
    order = along["position"].rank(method="dense").astype(int) - 1
    named = part.assign(word=words).set_index(["regime", "axis"])["word"]
    points = pd.DataFrame({"regime": part["regime"].drop_duplicates()})
    facets = [_facet(named[regime], others) for regime in points["regime"]]
    x = (along["number"].astype(float) if numeric else order).loc[points["regime"]].to_numpy()
    texts = [] if numeric else list(dict.fromkeys(named.xs(axis, level="axis")[along.index]))
    return Sweep(name, str(axis), texts, points.assign(x=x, facet=facets))


def _facet(words: pd.Series, axes: Sequence[str]) -> str:
    return ", ".join(f"{key_name(axis)} {words[axis]}" for axis in axes)


def _rows(sweep: Sweep, runs: pd.DataFrame, style: Style) -> Iterator[Row]:
    own = runs[runs["regime"].isin(sweep.points["regime"])]
    if own.empty:
        return
    found = {kind: present(own, kind, _looks(kind, style)) for kind in KINDS}
    kinds = [kind for kind in KINDS if set(found[kind]) != {NONE}] or ["clip"]
    for kind in kinds:
        others = [label for label in found[kind] if label != NONE]
        first = True
        for block in _blocks(others) or [[]]:
            for cells in _cells(sweep):
                yield Row(sweep, kind, [NONE, *block], cells, first)
                first = False


def _blocks(labels: Sequence[str]) -> list[list[str]]:
    """At most `MOST` labels in each; the strengths of a method stay together, as far as they fit."""
    blocks: list[list[str]] = []
    for _, group in groupby(labels, method_of):
        for part in in_blocks(list(group), MOST):
            if blocks and len(blocks[-1]) + len(part) <= MOST:
                blocks[-1] += part
            else:
                blocks.append(part)
    return blocks


def _looks(kind: str, style: Style) -> Mapping[str, Look]:
    return style.clips if kind == "clip" else style.regularizations


def _cells(sweep: Sweep) -> list[list[tuple[str, str]]]:
    """The panels of each row: both quantities side by side, or one below the other with the facets side by side."""
    facets = list(sweep.points["facet"].drop_duplicates())
    if len(facets) == 1:
        return [[(quantity, facets[0]) for quantity in QUANTITIES]]
    return [[(quantity, facet) for facet in block] for quantity in QUANTITIES for block in in_blocks(facets, ACROSS)]


def _row(figure: Figure, grid: GridSpec, top: int, row: Row, runs: pd.DataFrame, style: Style) -> None:
    looks, own = _looks(row.kind, style), runs[runs[OTHER[row.kind]] == NONE].merge(row.sweep.points, on="regime")
    wide = 2 * ACROSS // len(row.cells)
    panels: list[Axes] = []
    for column, (quantity, facet) in enumerate(row.cells):
        alike = panels and quantity == row.cells[0][0]
        place = grid[top, wide * column : wide * (column + 1)]
        axes = figure.add_subplot(place, sharey=panels[0] if alike else None)
        axes.set(title=facet, ylabel="" if alike else quantity)
        axes.tick_params(labelleft=not alike)
        _panel(axes, row, quantity, own[own["facet"] == facet], looks)
        panels.append(axes)
    for (quantity, _), axes in zip(row.cells, panels, strict=True):  # when all that share an axis are drawn
        _value_axis(axes, quantity)
    side_legend(panels[-1], [_entry(label, looks[label], _widths(row.labels)[label]) for label in row.labels])


def _panel(axes: Axes, row: Row, quantity: str, runs: pd.DataFrame, looks: Mapping[str, Look]) -> None:
    for label, width in _widths(row.labels).items():
        _curve(axes, QUANTITIES[quantity](runs[runs[row.kind] == label]), looks[label], label, width)
    _swept_axis(axes, row.sweep, ROOM / len(row.cells))


def _widths(labels: Sequence[str]) -> dict[str, float]:
    """How wide each line is: those drawn first, below, are wider, so that one that coincides with another is seen."""
    order = sorted(labels, key=lambda label: label == NONE)
    step = 2.4 / max(len(order) - 1, 2)
    return {label: 1.0 + step * (len(order) - 1 - place) for place, label in enumerate(order)}


def _curve(axes: Axes, table: pd.DataFrame, look: Look, label: str, width: float) -> None:
    above = 3.0 if label == NONE else 2.0
    half = table["mean"] - table["low"]
    if half.notna().any():
        axes.errorbar(table.index, table["mean"], half, fmt="none", ecolor=look.color, elinewidth=0.7, zorder=above)
    axes.plot(table.index, table["mean"], label=label, zorder=above, **_looks_of(look, width))


def _looks_of(look: Look, width: float) -> dict[str, Any]:
    size = {"markersize": 2.2 + width, "linewidth": width}
    return {"color": look.color, "linestyle": look.line, "marker": look.marker, **size}


def _entry(label: str, look: Look, width: float) -> Line2D:
    return Line2D([], [], label=named(label, 22), **_looks_of(look, width))


def _swept_axis(axes: Axes, sweep: Sweep, width: float) -> None:
    axes.set_xlabel(f"{key_name(sweep.axis)} (swept)")
    if sweep.words:
        name_columns(axes, sweep.words, width / len(sweep.words))
        axes.set_xlim(-0.4, len(sweep.words) - 0.6)
        return
    values = np.unique(sweep.points["x"].to_numpy(float))
    log = values[0] > 0 and values[-1] > WIDE * values[0]
    ticks = {float(value): f"{value:g}" for value in values}
    if log:
        axes.set_xscale("log")
    if _crowded(np.log10(values) if log else values, list(ticks.values()), 72 * width):
        ticks = (
            log_ticks(values[0], values[-1], 5)
            if log
            else {
                x: f"{x:g}" for x in MaxNLocator(4).tick_values(values[0], values[-1]) if values[0] <= x <= values[-1]
            }
        )
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.xaxis.set_minor_locator(NullLocator())


def _crowded(places: np.ndarray, texts: Sequence[str], width: float) -> bool:
    """Whether texts of 7 pt, on a panel of this width in points, would touch."""
    room = 0.9 * width * np.diff(places) / max(float(np.ptp(places)), 1e-12)
    lengths = np.array([4.5 * len(text) for text in texts])
    return bool((room < (lengths[1:] + lengths[:-1]) / 2 + 4).any())


def _value_axis(axes: Axes, quantity: str) -> None:
    axes.grid(axis="y")
    if not any(np.isfinite(np.asarray(line.get_ydata(), float)).any() for line in axes.lines):
        axes.text(0.5, 0.5, "undefined", ha="center", va="center", transform=axes.transAxes, color="0.4")
        axes.set_ylim(0, 100)
    if QUANTITIES[quantity] is _lost:
        axes.set_ylim(-5, 105)
        axes.set_yticks(range(0, 101, 25))
    else:
        low, high = axes.get_ylim()
        axes.set_ylim(max(low, -2.0), min(high, 102.0))  # an interval may reach farther, an accuracy not
        axes.yaxis.set_major_locator(MaxNLocator(4))


def caption(tables: Tables) -> str:
    """Return the caption: seeds, and what was left out."""
    runs, points = alone(tables["runs"]), swept(tables["regimes"])["regime"]
    own = runs[runs["regime"].isin(points)]
    if own.empty:
        return f"{QUESTION} No regime is a point of a sweep. No runs."
    undefined = len(own) - len(finite(own, "test_accuracy"))
    left_out = f" Runs left out of the mean because their accuracy is undefined: {undefined}." if undefined else ""
    others = runs.loc[~runs["regime"].isin(points), "regime"].nunique()
    outside = f" Regimes outside any sweep, not shown: {others}." if others else ""
    return (
        f"{QUESTION} Mean test accuracy over seeds with Student's 95 % interval, and the share of runs that"
        " failed; a line joins the points of one method; wider lines lie below narrower ones, so that coinciding"
        " lines stay visible. An axis of numbers is logarithmic where the largest is more"
        f" than {WIDE:g} times the smallest; where two keys are swept, a panel stands for each value of the second."
        f" {seeds_sentence(own)} {diverged_sentence(own)}{left_out}{outside}"
    )
