"""Leaderboard: every method on every workload, in the order of mean ranks."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from study.figures._layout import message, name_columns, page
from study.figures._style import FAINT, Style, styled
from study.figures._workloads import FAMILIES, MARKERS, limits, seeds_of, with_methods, workloads
from study.results.store import Tables

NAME = "leaderboard"
QUESTION = "Which methods are better than the baseline, each as well tuned, and where?"
NEEDS = ("leaderboard", "gains")
SWEPT = True

SIGNS = {"supported": "+", "harm": "−", "no gain found": "=", "undecided": "?", "not tested": "×"}
ROW = 0.17  # inches


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """Mean rank with its interval beside gains by workload (columns); rows: methods."""
    board = with_methods(tables["leaderboard"])
    gains = with_methods(tables["gains"])
    gains = gains[gains["primary"]]
    if gains.empty:
        return message(style, "No method stands beside a baseline.")
    names, places = list(board["method"]), workloads(gains)
    figure = page(style, ROW * len(names) + 1.3)
    ranks, cells = figure.subplots(1, 2, width_ratios=(2.0, max(1.5, 0.55 * len(places))))
    _ranks(ranks, board)
    _cells(cells, gains, names, places, style.width * 0.45)
    return figure


def _ranks(axes: Axes, board: pd.DataFrame) -> None:
    for row, one in enumerate(board.to_dict("records")):
        color = FAMILIES[one["kind"]]
        axes.plot([one["low"], one["high"]], [row, row], color=color)
        axes.plot([one["mean_rank"]], [row], MARKERS[one["kind"]], color=color)
    axes.set_yticks(range(len(board)), list(board["method"]))
    axes.set(xlabel="mean rank (0 best, 1 last)", ylim=(len(board) - 0.5, -0.5))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")


def _cells(axes: Axes, gains: pd.DataFrame, names: list[str], places: list[str], width: float) -> None:
    accuracy = str(gains["metric"].iloc[0]).endswith("accuracy")
    table = gains.pivot_table(index="method", columns="regime", values="gain", sort=False).reindex(names)[places]
    values = (100 if accuracy else 1) * table.to_numpy(float)
    extent = limits(np.nanquantile(np.abs(values), [0.9]) if np.isfinite(values).any() else [], 1e-9)
    axes.set_facecolor(FAINT)
    axes.pcolormesh(
        *(np.arange(size + 1) - 0.5 for size in reversed(values.shape)),
        np.ma.masked_invalid(np.clip(values, -extent, extent)),
        cmap="RdBu",
        norm=TwoSlopeNorm(0, -1.6 * extent, 1.6 * extent),
        edgecolors="white",
        linewidth=0.8,
    )
    verdicts = {(row["method"], row["regime"]): row["verdict"] for row in gains.to_dict("records")}
    for (row, column), value in np.ndenumerate(values):
        if verdict := verdicts.get((names[row], places[column])):
            text = f"{value:+.1f}" if accuracy else f"{value:+.2f}"
            shown = text.replace("-", "−") if np.isfinite(value) else ""
            axes.text(column, row, f"{shown} {SIGNS[verdict]}".strip(), ha="center", va="center")
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks([])
    name_columns(axes, [place.replace("_", " ") for place in places], width / len(places))
    axes.set_title("gain in percentage points" if accuracy else "gain in loss", loc="left")


def caption(tables: Tables) -> str:
    """Return the caption: what is ranked, and how gains are decided."""
    board, gains = tables["leaderboard"], tables["gains"]
    own = gains[gains["primary"]]
    if own.empty:
        return QUESTION
    metric, margin = str(board["metric"].iloc[0]), float(own["margin"].iloc[0])
    what = "test accuracy" if metric.endswith("accuracy") else "test loss"
    epoch = "at the best validation epoch" if metric.startswith("best_") else "at the last epoch"
    told = f"{100 * margin:g} points" if metric.endswith("accuracy") else f"{margin:g}"
    return (
        f"{QUESTION} Left: mean over workloads of the place by {what} {epoch}, from 0, the best there, to 1,"
        " the last; methods of few workloads compare with care; bars: 95 % intervals over"
        " resampled seeds; squares: clips, triangles: regularizers, diamonds: pairs, circle: the baseline. Right: gain"
        f" over the baseline. + gains and − loses more than {told}, = gains less than that, ? is undecided,"
        " × was not comparable; by 95 % intervals and sign-flip tests adjusted by Holm's method within a workload."
        f" {seeds_of(own)}"
    )
