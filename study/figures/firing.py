"""Figure of a clip's gain against how often it fires, and against its threshold in units of the unclipped norm."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from study.figures._layout import legend, log_ticks, message, page
from study.figures._style import NONE, Look, Style, by_method, styled
from study.figures._summaries import diverged_sentence, finite, less_none, present, seeds_sentence
from study.methods.labels import method_of
from study.methods.phrases import short_name
from study.results.store import Tables

NAME = "firing"
QUESTION = (
    "Does a clip gain more the more often it fires, and does a multiple of the unclipped gradient norm predict a good"
    " threshold?"
)
NEEDS = ("runs",)
SWEPT = True

GAIN = "gain in test accuracy\n(percentage points)"
THRESHOLD = r"^global_norm\(([^,=()]+)\)$"  # of the 2-norm, as the recorded norms are: another order is named beside it
NAMED = 6  # lines at most that have their regime beside them
LARGE = 10.0  # percentage points, above which the axis of gains is logarithmic outside -1 to 1


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """A point per clip and regime: gain in test accuracy against clip rate, and against the relative threshold."""
    runs = _shown(tables["runs"])
    if not (runs["clip"] != NONE).any():
        return message(style, "No clip to show: the study holds no clip but none.")
    points = _points(runs)
    if points.empty:
        return message(style, "No clip to show: none has a clip rate, and a test accuracy beside that of none.")
    looks = by_method(style).clips
    relative = points.dropna(subset="multiple")
    panels = 1 if relative.empty else 2  # without a clip to the norm beside a measured one the second has no points
    figure = page(style, 2.4 * panels)
    above = figure.add_subplot(panels, 1, 1)
    _rates(above, points, looks)
    if panels > 1:
        below = figure.add_subplot(panels, 1, 2, sharey=above)
        _thresholds(below, relative, looks, style)
        below.set_ylabel(GAIN)
    _gain_axis(above, points["difference"])
    legend(figure, _legend(points, looks), style)
    return figure


def _shown(runs: pd.DataFrame) -> pd.DataFrame:
    return runs[runs["regularization"] == NONE]


def _points(runs: pd.DataFrame) -> pd.DataFrame:
    """A row per regime and clip: mean clip rate and mean difference to none in percentage points, and the multiple.

    multiple: the threshold of a global norm over the median gradient norm without a clip, else NaN.
    """
    pairs = finite(finite(less_none(runs, "test_accuracy"), "difference"), "clip_rate")
    means = pairs.groupby(["regime", "clip"], sort=False)[["clip_rate", "difference"]].mean().reset_index()
    threshold = means["clip"].astype(str).str.extract(THRESHOLD)[0].astype(float)
    return means.assign(
        difference=100 * means["difference"],
        method=means["clip"].map(method_of),
        multiple=threshold / means["regime"].map(_norms(runs)).astype(float),
    )


def _norms(runs: pd.DataFrame) -> pd.Series:
    """The median gradient norm of a run without a clip: median over seeds, by regime, where it is above 0."""
    norms = finite(runs[runs["clip"] == NONE], "norm_median").groupby("regime")["norm_median"].median()
    return norms[norms > 0]


def _rates(axes: Axes, points: pd.DataFrame, looks: Mapping[str, Look]) -> None:
    _scatter(axes, points, 100 * points["clip_rate"], looks)
    axes.set(xlim=(-3, 103), xlabel="steps in which the clip fires (%)", ylabel=GAIN)


def _thresholds(axes: Axes, points: pd.DataFrame, looks: Mapping[str, Look], style: Style) -> None:
    axes.set_xlabel("threshold / median gradient norm of the baseline")
    middle = math.sqrt(points["multiple"].min() * points["multiple"].max())
    for regime, part in points.sort_values("multiple").groupby("regime", sort=False):
        name = f"thresholds in {regime}"
        axes.plot(part["multiple"], part["difference"], color="0.8", linewidth=0.7, zorder=1, label=name)
        if points["regime"].nunique() <= NAMED:
            low = part.sort_values("difference").iloc[0]
            _name_line(axes, style.regime(str(regime)), low["multiple"], low["difference"], low["multiple"] > middle)
    _scatter(axes, points, points["multiple"], looks)
    axes.axvline(1, color="0.3", linewidth=0.8, linestyle=":", zorder=1)
    axes.set_xscale("log")
    ticks = log_ticks(*axes.get_xlim(), 5)
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.xaxis.set_minor_locator(NullLocator())


def _name_line(axes: Axes, regime: str, x: float, y: float, on_the_right: bool) -> None:
    """Write a regime beside its lowest point, towards the middle."""
    away, side = (-3, "right") if on_the_right else (3, "left")
    name = axes.annotate(regime, (x, y), (away, -1), textcoords="offset points")
    name.set(ha=side, va="top", color="0.35")


def _scatter(axes: Axes, points: pd.DataFrame, x: pd.Series, looks: Mapping[str, Look]) -> None:
    axes.axhline(0, color="0.3", linewidth=0.8, zorder=1)
    axes.grid()
    for method, part in points.groupby("method", sort=False):
        axes.plot(x[part.index], part["difference"], label=method, **_dots(looks[str(method)]))


def _dots(look: Look) -> dict[str, Any]:
    edge = {"markeredgecolor": "white", "markeredgewidth": 0.3}
    return {"linestyle": "", "color": look.color, "marker": look.marker, "alpha": 0.8, **edge}


def _gain_axis(axes: Axes, gains: pd.Series) -> None:
    """Logarithmic outside -1 to 1 where a clip that rescues a training would squeeze all others."""
    if gains.abs().max() <= LARGE:
        return
    axes.set_yscale("symlog", linthresh=1.0, linscale=1.0)
    axes.yaxis.set_major_locator(FixedLocator([-100, -10, -1, 0, 1, 10, 100]))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(1.6 * min(float(gains.min()), -1.0), 1.6 * max(float(gains.max()), 1.0))


def _legend(points: pd.DataFrame, looks: Mapping[str, Look]) -> list[Line2D]:
    shown = present(points, "method", looks)
    return [Line2D([], [], label=short_name(one), **_dots(looks[one])) for one in shown]


def caption(tables: Tables) -> str:
    """Return the caption: how to read it, seeds, and what was left out."""
    runs = _shown(tables["runs"])
    pairs = less_none(runs, "test_accuracy")
    lost = len(pairs) - len(finite(finite(pairs, "difference"), "clip_rate"))
    left_out = (
        f" Left out: {lost} of {len(pairs)} runs, which have no accuracy, no clip rate, or no baseline with one."
        if lost
        else ""
    )
    return (
        f"{QUESTION} A point is a clip in one regime, without a regularizer. Across: how often it fires. Up: its mean"
        " gain in test accuracy over the baseline, paired by seed; the axis is logarithmic beyond ±1 point if a gain"
        f" exceeds {LARGE:g}.{_below(runs)}"
        f" {seeds_sentence(runs)} {diverged_sentence(runs)}{left_out}"
    )


def _below(runs: pd.DataFrame) -> str:
    """What the lower panel shows, where there is one."""
    multiples = _points(runs).dropna(subset="multiple") if (runs["clip"] != NONE).any() else pd.DataFrame()
    if multiples.empty:
        return ""
    joined = (
        "; grey lines join those of a regime. If one multiple were the best everywhere, all lines would peak at it;"
        " left of"
    )
    several = multiples["regime"].duplicated().any()
    return (
        " Below: thresholds of clips to the global norm as multiples of the gradient norm of the runs without a clip"
        f" (the median over steps, and of that over seeds){joined if several else '. Left of'} 1, more than half of the"
        " steps of an unclipped run exceed the threshold."
    )
