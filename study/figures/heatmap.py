"""Heat maps of the grid: mean accuracy gap and mean test accuracy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from study.figures.layout import NAMES, lines, name_columns, number, page, wrap
from study.figures.style import FAINT, Style, Tables, styled
from study.figures.summaries import diverged_sentence, finite, present, regimes, seeds_sentence

NAME = "heatmap"
QUESTION = "Which pairs of clipping and regularization overfit least, and which generalize best?"
NEEDS = ("runs",)

SIDE_BY_SIDE = 8  # with more clips than this the two metrics stand below each other


@dataclass(frozen=True, slots=True)
class Metric:
    """A column of the runs, its title, and a colour map of falling lightness (the same order in grey)."""

    column: str
    title: str
    colors: str


METRICS = (
    Metric("gap_accuracy", "accuracy gap (percentage points)", "Oranges"),
    Metric("test_accuracy", "test accuracy (%)", "Blues"),
)


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """Mean over seeds per cell (columns: clips; rows: regularizations; panels: regime x metric)."""
    runs = tables["runs"]
    parts = {regime: runs[runs["regime"] == regime] for regime in regimes(runs)}
    across = 1 if runs["clip"].nunique() > SIDE_BY_SIDE else len(METRICS)
    heights = [_height(part, style) for part in parts.values() for _ in range(len(METRICS) // across)]
    figure = page(style, sum(heights) + 1.2 * len(heights))
    grid = figure.add_gridspec(len(heights), across, height_ratios=heights)
    for number, (regime, metric) in enumerate((regime, metric) for regime in parts for metric in METRICS):
        line, column = divmod(number, across)
        axes = figure.add_subplot(grid[line, column])
        _panel(axes, parts[regime], metric, style, (style.width - NAMES) / across)
        axes.set_title(f"{regime}:\n{metric.title}", loc="left")
        axes.tick_params(labelleft=column == 0)
        if column == 0:
            axes.set_ylabel("regularization")
    return figure


def _height(runs: pd.DataFrame, style: Style) -> float:
    names = [wrap(name) for name in present(runs, "regularization", style.regularizations)]
    tallest = max(map(lines, names), default=1)
    return len(names) * max(0.27, 0.125 * tallest + 0.02)


def _panel(axes: Axes, runs: pd.DataFrame, metric: Metric, style: Style, width: float) -> None:
    clips = present(runs, "clip", style.clips)
    others = present(runs, "regularization", style.regularizations)
    values = 100 * _means(runs, metric.column, others, clips)
    known = values[np.isfinite(values)]
    low, high = (known.min(), known.max()) if known.size else (0.0, 0.0)
    # The ends of the map are left out: white would look like a missing cell, black text needs a light ground.
    span = max(high - low, 1e-9)
    norm = Normalize(low - 0.1 * span, high + 0.7 * span)
    axes.set_facecolor(FAINT)
    axes.pcolormesh(
        np.ma.masked_invalid(values), cmap=metric.colors, norm=norm, edgecolors="white", linewidth=0.8
    )
    _annotate(axes, runs, pd.DataFrame(values, others, clips))
    name_columns(axes, [column + 0.5 for column in range(len(clips))], clips, width / len(clips))
    axes.set_yticks(np.arange(len(others)) + 0.5, [wrap(name) for name in others])
    axes.set_xlabel("clipping")
    axes.invert_yaxis()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _means(runs: pd.DataFrame, column: str, rows: Sequence[str], columns: Sequence[str]) -> np.ndarray:
    table = finite(runs, column).pivot_table(
        index="regularization", columns="clip", values=column, aggfunc="mean"
    )
    return table.reindex(index=list(rows), columns=list(columns)).to_numpy(dtype=float)


def _annotate(axes: Axes, runs: pd.DataFrame, values: pd.DataFrame) -> None:
    lost = runs["status"].eq("diverged").groupby([runs["regularization"], runs["clip"]]).agg(["sum", "size"])
    counts = {cell: (int(diverged), int(n)) for cell, diverged, n in lost.itertuples(name=None)}
    for (row, column), value in np.ndenumerate(values.to_numpy()):
        diverged, n = counts.get((values.index[row], values.columns[column]), (0, 0))
        if n == 0:
            continue
        text = number(value) if np.isfinite(value) else "−"
        text += f"\n†{diverged}/{n}" if diverged else ""
        axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", linespacing=0.95)


def caption(tables: Tables) -> str:
    """What is shown, how many seeds, and how diverged runs count."""
    runs = tables["runs"]
    undefined = len(runs) - len(finite(runs, "gap_accuracy"))
    left_out = f", without the {undefined} runs whose gap is undefined" if undefined else ""
    return (
        f"{QUESTION} Gap: train minus test accuracy. Means over seeds at the last epoch{left_out}; each panel has a colour scale of its own,"
        f" from its lowest (light) to its highest value (dark). {seeds_sentence(runs)}"
        f" {diverged_sentence(runs)} †k/n: k of the n runs of a cell diverged; −: no run has a value."
    )
