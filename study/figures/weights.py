"""Distribution of the final weights, and how many of them are zero or nearly so."""

import math
from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from study.figures._layout import HEADING, LINE, heading, legend, lines, name_rows, named, page, row_centres, wrap
from study.figures._style import NONE, Look, Style, styled
from study.figures._summaries import diverged_sentence, finite, present, regimes, seeds_sentence
from study.results.store import Tables

NAME = "weights"
QUESTION = "Which regularizations make weights small, and which make them exactly zero?"
NEEDS = ("weights", "runs")

SMALL = 1e-3
NARROW = 20  # characters of a row label beside the shares
EVERY = 8  # bins between two markers of a curve


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """Cumulative share by magnitude in the first and last tensor; shares of (near) zeros of all weights."""
    runs, weights = _shown(tables["runs"]), _shown(tables["weights"])
    parts = {regime: runs[runs["regime"] == regime] for regime in regimes(runs)}
    names = {regime: present(part, "regularization", style.regularizations) for regime, part in parts.items()}
    heights = [max(LINE * sum(lines(named(name, NARROW)) for name in own), 1.1) for own in names.values()]
    figure = page(style, sum(heights) + (0.6 + HEADING) * len(heights))
    rows = [ratio for height in heights for ratio in (HEADING, height)]
    grid = figure.add_gridspec(len(rows), 3, height_ratios=rows)
    for line, (regime, part) in zip(range(1, len(rows), 2), parts.items(), strict=True):
        heading(figure, grid[line - 1, 0], style.regime(regime), whole=True)
        own = weights[weights["regime"] == regime]
        tensors = list(own["tensor"].drop_duplicates())
        for column, tensor in enumerate(dict.fromkeys([*tensors[:1], *tensors[-1:]])):
            axes = figure.add_subplot(grid[line, column])
            _distribution(axes, own[own["tensor"] == tensor], names[regime], style)
            axes.set_title(wrap(tensor, 28), loc="left")
        axes = figure.add_subplot(grid[line, 2])
        _shares(axes, part, names[regime], style)
        axes.set_title("all weights", loc="left")
    legend(figure, _legend(), style)  # the methods have their marks beside their names on the right
    return figure


def _shown(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["clip"] == NONE]


def _cumulative(weights: pd.DataFrame) -> pd.Series:
    """Mean over seeds of the share of weights up to each magnitude (by upper edge of the bin)."""
    known = finite(weights, "share").sort_values("high")
    known = known.assign(share=known.groupby("seed")["share"].cumsum())
    table = known.pivot_table(index="high", columns="seed", values="share")
    return table.ffill().fillna(0.0).mean(axis="columns")  # seeds may have edges of their own


def _distribution(axes: Axes, weights: pd.DataFrame, names: Sequence[str], style: Style) -> None:
    for number, name in enumerate(names):
        share = 100 * _cumulative(weights[weights["regularization"] == name])
        share = share[share.index > 0]
        # Markers start at different bins, so that curves which coincide can be told apart.
        (curve,) = axes.plot(share.index, share, markevery=(number % EVERY, EVERY), label=name)
        _dress(curve, style.regularizations[name])
    axes.axvline(SMALL, color="0.4", linewidth=0.6, linestyle=":")
    axes.set_xscale("log")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(*_magnitudes(weights))
    axes.set_ylim(-3, 103)
    axes.set_xlabel("weight magnitude |w|")
    axes.set_ylabel("weights up to |w| (%)")
    axes.grid()


def _dress(line: Line2D, look: Look) -> None:
    line.set(color=look.color, marker=look.marker, linestyle=look.line)


def _magnitudes(weights: pd.DataFrame) -> tuple[float, float]:
    """The range of |w| which holds more than a thousandth of some histogram, and always 0.0001 to 1."""
    held = weights.loc[(weights["share"] > 1e-3) & (weights["high"] > 0), ["low", "high"]]
    edges = [*held["low"][held["low"] > 0], *held["high"], SMALL / 10, 1.0]
    return min(edges), max(edges)


def _shares(axes: Axes, runs: pd.DataFrame, names: Sequence[str], style: Style) -> None:
    labels = [named(name, NARROW) for name in names]
    name_rows(axes, labels)
    for height, name in zip(row_centres(labels), names, strict=True):
        color, marker = style.regularizations[name].color, style.regularizations[name].marker
        own = runs[runs["regularization"] == name]
        zero, small = (100 * float(finite(own, key)[key].mean()) for key in ("weight_zero", "weight_small"))
        if math.isnan(zero):
            axes.text(0, height, "undefined", va="center", color="0.4")
        axes.plot([zero, small], [height, height], color=color, linewidth=0.7)
        axes.plot([small], [height], marker, color=color, markerfacecolor="white", label=f"{name} small")
        axes.plot([zero], [height], marker, color=color, label=f"{name} zero")
    axes.set_xlim(-4, 104)
    axes.set_xlabel("share of weights (%)")
    axes.grid(axis="x")


def _legend() -> list[Line2D]:
    zero = Line2D([], [], color="0.2", marker="o", linestyle="", label="exactly 0")
    small = Line2D([], [], color="0.2", marker="o", linestyle="", markerfacecolor="white", label="|w| < 0.001")
    return [zero, small]


def caption(tables: Tables) -> str:
    """Return the caption: seeds, and what was left out."""
    runs = _shown(tables["runs"])
    undefined = len(runs) - len(finite(runs, "weight_zero"))
    left_out = f" Runs left out because their weights are not finite: {undefined}." if undefined else ""
    return (
        f"{QUESTION} No clipping, weights at the last epoch. Left: share of the weights of the first and"
        " last tensor up to a magnitude (a curve starts at its share of exact zeros; dotted: |w| = 0.001)."
        " Right: shares among all weights; the marks are those of the curves. Means over seeds, no interval."
        f" {seeds_sentence(runs)} {diverged_sentence(runs)}{left_out}"
    )
