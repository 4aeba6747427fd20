"""Plane of two changes: the accuracy gap against the test accuracy, a point a method."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from study.figures._layout import legend, message
from study.figures._style import FAINT, GREY, Style, styled
from study.figures._workloads import FAMILIES, MARKERS, NAMES_OF_FAMILIES, panels, seeds_of, with_methods, workloads
from study.results.store import Tables

NAME = "gap_plane"
QUESTION = "Which methods lower the gap and keep the test accuracy?"
NEEDS = ("gains",)
SWEPT = True
ACROSS, UP = "best_gap_accuracy", "best_test_accuracy"


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """Fall of the gap (x) against the rise of the accuracy (y); a panel for each workload."""
    table = with_methods(tables["gains"])
    if table.empty:
        return message(style, "No method stands beside a baseline.")
    names = workloads(table)
    figure, axes = panels(style, names, 2.0)
    for one, name in zip(axes, names, strict=True):
        _panel(one, table[table["regime"] == name])
    figure.supylabel("gain in test accuracy (percentage points)")
    kinds = [kind for kind in FAMILIES if kind in set(table["kind"])]
    handles = [
        Line2D([], [], color=FAMILIES[k], marker=MARKERS[k], linestyle="", label=NAMES_OF_FAMILIES[k]) for k in kinds
    ]
    legend(figure, handles, style)
    return figure


def _panel(axes: Axes, table: pd.DataFrame) -> None:
    keys = ["method", "kind"]
    points = {metric: part.set_index(keys)["gain"] for metric, part in table.groupby("metric")}
    margin = 100 * float(table.loc[table["metric"] == UP, "margin"].iloc[0])
    axes.axhspan(-margin, margin, color=FAINT, zorder=0)
    axes.axhline(0, color=GREY, linewidth=0.5)
    axes.axvline(0, color=GREY, linewidth=0.5)
    for key in points[UP].index:
        x, y = (100 * float(points[metric].loc[key]) for metric in (ACROSS, UP))
        axes.plot([x], [y], MARKERS[key[1]], color=FAMILIES[key[1]], markersize=3.5)
    axes.set_xlabel("lower gap (percentage points)")


def caption(tables: Tables) -> str:
    """Return the caption: where a method should lie."""
    return (
        f"{QUESTION} Mean changes against the baseline at the best validation epoch, both as tuned; right: a lower"
        " accuracy gap, up: a higher test accuracy. The shaded band is the margin: above it the accuracy is better,"
        f" below it worse. {seeds_of(tables['gains'])}"
    )
