"""Heat maps of the grid: mean accuracy gap and mean test accuracy."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from study.figures._layout import CELL, NAME_WIDTH, cell_height, columns_height, decimal, in_blocks, name_cells, page
from study.figures._style import FAINT, NONE, Style, styled
from study.figures._summaries import diverged_sentence, finite, present, regimes, seeds_sentence
from study.methods.phrases import phrase
from study.results.store import Tables

NAME = "heatmap"
QUESTION = "Which pairs of clipping and regularization overfit least, and which generalize best?"
NEEDS = ("runs",)
SCORED = True


@dataclass(frozen=True, slots=True)
class Metric:
    """A column of the runs, its title, and a colour map of falling lightness (the same order in grey)."""

    column: str
    title: str
    colors: str


MAPS = (
    Metric("gap_accuracy", "accuracy gap (percentage points)", "Oranges"),
    Metric("test_accuracy", "test accuracy (%)", "Blues"),
)


@dataclass(frozen=True, slots=True)
class Part:
    """One panel: a regime, a metric, and the clips and regularizations in it."""

    regime: str
    metric: Metric
    clips: list[str]
    others: list[str]


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """Mean over seeds per cell (columns: clips; rows: regularizations; panels: regime x metric)."""
    runs = _with_pairs(tables["runs"])
    room = style.width - NAME_WIDTH
    most = runs.groupby("regime")["clip"].nunique().max()
    across = len(MAPS) if most * len(MAPS) * CELL <= room else 1
    parts = [part for regime in regimes(runs) for part in _parts(runs, regime, style, int(room / across / CELL))]
    heights = [len(part.others) * cell_height(part.others) for part in parts[::across]]
    below = [columns_height([phrase("clip", clip) for clip in part.clips], room / across) for part in parts[::across]]
    figure = page(style, sum(heights) + sum(below) + 0.55 * len(heights))  # two lines of title, the axis' name
    grid = figure.add_gridspec(len(heights), across, height_ratios=heights)
    for number, part in enumerate(parts):
        line, column = divmod(number, across)
        axes = figure.add_subplot(grid[line, column])
        _panel(axes, runs[runs["regime"] == part.regime], part)
        name_cells(axes, part.clips, part.others, room / across)
        axes.set_title(f"{style.regime(part.regime)}:\n{part.metric.title}", loc="left")
        axes.set_ylabel("regularization" if column == 0 else "")
        axes.tick_params(labelleft=column == 0)
    return figure


def _with_pairs(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs of regimes in which a clip meets a regularization, all where there are none: others have no pairs."""
    pairs = runs[(runs["clip"] != NONE) & (runs["regularization"] != NONE)]
    return runs[runs["regime"].isin(pairs["regime"])] if len(pairs) else runs


def _parts(runs: pd.DataFrame, regime: str, style: Style, most: int) -> list[Part]:
    own = runs[runs["regime"] == regime]
    others = present(own, "regularization", style.regularizations)
    blocks = in_blocks(present(own, "clip", style.clips), most)
    return [Part(regime, metric, block, others) for metric in MAPS for block in blocks]


def _panel(axes: Axes, runs: pd.DataFrame, part: Part) -> None:
    means = 100 * finite(runs, part.metric.column).groupby(["regularization", "clip"])[part.metric.column].mean()
    low, high = (means.min(), means.max()) if len(means) else (0.0, 0.0)
    # The ends of the map are left out: white would look like a missing cell, black text needs a light ground.
    span = max(high - low, 1e-9)
    norm = Normalize(low - 0.1 * span, high + 0.7 * span)
    index = pd.MultiIndex.from_product([part.others, part.clips])
    values = means.reindex(index).to_numpy(dtype=float).reshape(len(part.others), len(part.clips))
    edges = (np.arange(size + 1) - 0.5 for size in reversed(values.shape))
    axes.set_facecolor(FAINT)
    axes.pcolormesh(
        *edges,
        np.ma.masked_invalid(values),
        cmap=part.metric.colors,
        norm=norm,
        edgecolors="white",
        linewidth=0.8,
    )
    _annotate(axes, runs, pd.DataFrame(values, part.others, part.clips))


def _annotate(axes: Axes, runs: pd.DataFrame, values: pd.DataFrame) -> None:
    lost = runs["status"].eq("diverged").groupby([runs["regularization"], runs["clip"]]).agg(["sum", "size"])
    counts = {cell: (int(diverged), int(n)) for cell, diverged, n in lost.itertuples(name=None)}
    for (row, column), value in np.ndenumerate(values.to_numpy()):
        diverged, n = counts.get((values.index[row], values.columns[column]), (0, 0))
        if n == 0:
            continue
        text = decimal(value) if np.isfinite(value) else "−"
        text += f"\n†{diverged}/{n}" if diverged else ""
        axes.text(column, row, text, ha="center", va="center", linespacing=0.95)


def caption(tables: Tables) -> str:
    """Return the caption: seeds, and how diverged runs count."""
    runs = _with_pairs(tables["runs"])
    undefined = len(runs) - len(finite(runs, "gap_accuracy"))
    left_out = f" Runs left out because their gap is undefined: {undefined}." if undefined else ""
    return (
        f"{QUESTION} Gap: train minus test accuracy. Means over seeds; each panel has a"
        " colour scale of its own, from its lowest (light) to its highest value (dark)."
        f" {seeds_sentence(runs)} {diverged_sentence(runs)}{left_out}"
        " †k/n: k of the n runs of a cell diverged; −: no run has a value."
    )
