"""Map of learning rate against threshold: is a clip more than a smaller step?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from study.analysis.statistics import Floats
from study.figures._layout import message
from study.figures._style import FAINT, NONE, Style, styled
from study.figures._summaries import seeds_sentence
from study.figures._workloads import panels
from study.results.store import Tables

NAME = "lr_map"
QUESTION = "Is a clip by the norm more than a smaller learning rate?"
NEEDS = ("runs", "regimes")
SWEPT = True
RATE, CLIP = "optimizer.lr", "global_norm"
SPAN = 15.0  # points below the best that colours tell apart


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """Test accuracy at the best epoch by learning rate (x) and threshold (y); a panel for each sweep."""
    maps = _maps(tables)
    if not maps:
        return message(style, "No sweep of the learning rate has a clip by the norm at two thresholds or more.")
    figure, axes = panels(style, list(maps), 2.6, most=2)
    for one, table in zip(axes, maps.values(), strict=True):
        _panel(one, table)
        if len(maps) == 1:
            one.set_title("", loc="left")  # the sweep's name tells no reader anything
    return figure


def _maps(tables: Tables) -> dict[str, pd.DataFrame]:
    """For each sweep of rates the mean accuracy in %, by threshold (rows, infinite without a clip) and rate."""
    regimes = tables["regimes"]
    rates = regimes[regimes["axis"] == RATE]
    alone = rates[~rates["regime"].isin(regimes.loc[regimes["axis"].notna() & (regimes["axis"] != RATE), "regime"])]
    runs = tables["runs"]
    runs = runs[(runs["regularization"] == NONE) & runs["clip_method"].isin([CLIP, NONE])]
    joined = runs.merge(alone[["regime", "part_of", "number"]], on="regime")
    joined = joined.assign(threshold=joined["clip_strength"].where(joined["clip_method"] == CLIP, np.inf))
    found = {
        str(name): 100 * part.pivot_table(index="threshold", columns="number", values="best_test_accuracy")
        for name, part in joined.groupby("part_of", sort=False)
    }
    return {
        name: table
        for name, table in found.items()
        if min(np.isfinite(table.index.to_numpy(float)).sum(), len(table.columns)) > 1
    }


def _panel(axes: Axes, table: pd.DataFrame) -> None:
    values = table.to_numpy(float)
    best = np.nanmax(values)
    axes.set_facecolor(FAINT)
    mesh = axes.pcolormesh(
        np.ma.masked_invalid(values), cmap="Blues", vmin=best - SPAN, vmax=best + SPAN, edgecolors="white"
    )
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            ground = {"facecolor": mesh.to_rgba(value), "edgecolor": "none", "pad": 1.0}  # a line passes below
            axes.text(column + 0.5, row + 0.5, f"{value:.1f}", ha="center", va="center", bbox=ground)
    _diagonals(axes, table)
    thresholds = [f"{value:g}" if np.isfinite(value) else "no clip" for value in table.index]
    axes.set_xticks(np.arange(values.shape[1]) + 0.5, [f"{rate:g}" for rate in table.columns])
    axes.set_yticks(np.arange(values.shape[0]) + 0.5, thresholds)
    axes.set(xlabel="learning rate", ylabel="threshold of the gradient norm")
    axes.tick_params(length=0)


def _diagonals(axes: Axes, table: pd.DataFrame) -> None:
    """Lines along which the product of rate and threshold, the longest step, is the same; between steps of the grid."""
    rates = np.log10(table.columns.to_numpy(float))
    thresholds = np.log10(_finite(table))
    columns, rows = np.arange(len(rates)) + 0.5, np.arange(len(thresholds)) + 0.5
    for product in range(int(np.floor(rates[0] + thresholds[0])), int(np.ceil(rates[-1] + thresholds[-1])) + 1):
        steps = np.linspace(rates[0], rates[-1], 200)
        other = product - steps
        inside = (other >= thresholds[0]) & (other <= thresholds[-1])
        if inside.sum() > 1:
            x = np.interp(steps[inside], rates, columns)
            y = np.interp(other[inside], thresholds, rows)
            axes.plot(x, y, color="#D55E00", linewidth=0.7, linestyle="--")


def _finite(table: pd.DataFrame) -> Floats:
    """The thresholds of the rows that have one."""
    thresholds = table.index.to_numpy(np.float64)
    return thresholds[np.isfinite(thresholds)]


def caption(tables: Tables) -> str:
    """Return the caption: what is shown, and what the diagonals are."""
    return (
        f"{QUESTION} Test accuracy (%) at the best validation epoch, means over seeds; the top row is without a clip."
        " Along a dashed line the product of rate and threshold, the longest possible step, is about a power of ten:"
        " where every step is clipped, plain gradient descent is the same along it."
        f" {seeds_sentence(tables['runs'])}"
    )
