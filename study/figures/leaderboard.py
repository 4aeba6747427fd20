"""Leaderboard: every method on every workload, in the order of mean ranks."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from study.figures._layout import message, page
from study.figures._style import Style, styled
from study.figures._workloads import FAMILIES, MARKERS, TableCell, cells, seeds_of, with_methods, workloads
from study.results.store import Tables
from study.utils.text import signed

NAME = "leaderboard"
QUESTION = "Which methods are better than the baseline, each as well tuned, and where?"
NEEDS = ("leaderboard", "gains")
SWEPT = True

MARKS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "supported": ("", {"weight": "bold"}),
    "harm": ("", {"weight": "bold"}),
    "no gain found": ("", {}),
    "undecided": ("?", {"color": "0.35"}),
    "not tested": ("×", {}),
}
"""What follows a gain of each verdict, and how both are written."""
ROW = 0.17  # inches
WIDEST = 0.62  # of the columns, as a share of the page


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """Mean rank with its interval beside gains by workload (columns); rows: methods."""
    board = with_methods(tables["leaderboard"])
    gains = with_methods(tables["gains"])
    gains = gains[gains["primary"]]
    if gains.empty:
        return message(style, "No method stands beside a baseline.")
    names = list(board["method"])
    figure = page(style, ROW * len(names) + 1.3)
    share = min(WIDEST, 0.07 * gains["regime"].nunique() + 0.1)
    ranks, beside = figure.subplots(1, 2, width_ratios=(0.78 - share, share))
    _ranks(ranks, board)
    _gains(beside, gains, names, style.width * share)
    return figure


def _ranks(axes: Axes, board: pd.DataFrame) -> None:
    for row, one in enumerate(board.to_dict("records")):
        color = FAMILIES[one["kind"]]
        axes.plot([one["low"], one["high"]], [row, row], color=color)
        axes.plot([one["mean_rank"]], [row], MARKERS[one["kind"]], color=color)
    axes.set_yticks(range(len(board)), list(board["method"]))
    axes.set(xlabel="mean rank", ylim=(len(board) - 0.5, -0.5))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")


def _gains(axes: Axes, gains: pd.DataFrame, names: list[str], width: float) -> None:
    accuracy = str(gains["metric"].iloc[0]).endswith("accuracy")
    told = dict[tuple[str, str], TableCell]()
    for one in gains.to_dict("records"):
        value, (mark, look) = (100 if accuracy else 1) * float(one["gain"]), MARKS[one["verdict"]]
        shown = signed(value, 1 if accuracy else 2) if math.isfinite(value) else ""
        told[one["method"], one["regime"]] = TableCell(shown + mark, value, look)
    cells(axes, told, names, workloads(gains), width)
    axes.set_yticks([])
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
        f"{QUESTION} Left: mean over workloads of the place by {what} {epoch}; 0: the best, 1: the last. Compare"
        " methods tried on few workloads with care. Bars: 95 % intervals over resampled seeds; squares: clips,"
        " triangles: regularizers, diamonds: pairs, circle: the baseline. Right: gain"
        f" over the baseline. Bold: gains, or loses, more than {told}; plain: a gain of so much is ruled out; ?:"
        " undecided; ×: not comparable; by 95 % intervals and sign-flip tests adjusted by Holm's method within a"
        " workload."
        f" {seeds_of(own)}"
    )
