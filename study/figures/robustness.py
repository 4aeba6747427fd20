"""Robustness: how many of a method's trials come near to the best, and how many diverge."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from study.figures._layout import legend, page
from study.figures._style import Style, styled
from study.figures._workloads import FAMILIES, MARKERS, with_methods, workloads
from study.results.store import Tables

NAME = "robustness"
QUESTION = "Which methods forgive a badly chosen learning rate?"
NEEDS = ("robustness",)
SWEPT = True
ROW, MOST = 0.15, 6


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """Decades of learning rate near the best and the share of runs that diverged; rows: methods, panels: workloads."""
    table = with_methods(tables["robustness"])
    names, methods = workloads(table), list(dict.fromkeys(table["method"]))
    down = -(-len(names) // MOST)
    across = -(-len(names) // down)
    figure = page(style, down * (ROW * len(methods) + 0.75) + 0.4)
    axes = figure.subplots(down, across, squeeze=False, sharey=True, sharex=True)
    flat = list(axes.flat)
    for one in flat[len(names) :]:
        one.remove()
    for one, name in zip(flat, names, strict=False):
        _panel(one, table[table["regime"] == name], methods)
        one.set_title(name.replace("_", " ").replace("=", "=\n"), loc="left")
    handles = [
        Line2D([], [], color="0.3", marker="o", linestyle="", label="decades of learning rate near the best"),
        Line2D([], [], color="0.3", marker="x", linestyle="", label="share of runs that diverged"),
    ]
    for one in flat[: len(names)]:
        one.set_xlabel("decades, or share")
    legend(figure, handles, style)
    return figure


def _panel(axes: Axes, table: pd.DataFrame, methods: list[str]) -> None:
    for one in table.to_dict("records"):
        row, color = methods.index(one["method"]), FAMILIES[one["kind"]]
        axes.plot([0, one["decades"]], [row, row], color=color, linewidth=0.8)
        axes.plot([one["decades"]], [row], MARKERS[one["kind"]], color=color)
        axes.plot([one["diverged"]], [row], "x", color="0.3")
    axes.set_yticks(range(len(methods)), methods)
    axes.set_ylim(len(methods) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")


def caption(tables: Tables) -> str:
    """Return the caption: what near means."""
    table = tables["robustness"]
    return (
        f"{QUESTION} Decades of learning rate whose trials come within 1 point of the best that the method's trials"
        " reach on the test set, at the best validation epoch: the share of trials times the decades that were tried. A"
        " method's strength is tried beside the rate. × is the share of the runs that diverged."
        f" {int(table['trials'].max())} trials of each method."
    )
