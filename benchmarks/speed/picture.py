"""The figure: how long a step takes by each way, and how that changes with the seeds that are trained together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.speed.engine_ways import ENGINE, LIMIT, PLAIN_ENGINE
from benchmarks.speed.other_ways import JAX
from benchmarks.speed.tables import columns, ms
from benchmarks.speed.torch_ways import ENSEMBLE, IN_MEMORY
from study.figures._layout import page, wrap
from study.figures._style import FAINT, GREY, Style, style_for, styled
from study.figures._style import save as save_figure

OWN, OWN_OFF, OTHER = "#0072B2", "#56B4E9", "#BBBBBB"
CUT = 2.2  # milliseconds: a longer bar is cut and says how long it is
LINES = {ENGINE: (OWN, "o"), PLAIN_ENGINE: (OWN_OFF, "s"), JAX: ("#D55E00", "^"), ENSEMBLE: ("#009E73", "D")}


def save(found: Mapping[str, Any], stem: Path) -> None:
    """Draw what was found in the tutorial's setting to <stem>.png and .svg."""
    save_figure(draw(found, style_for([], [])), stem, ("svg", "png"))


@styled
def draw(found: Mapping[str, Any], style: Style) -> Figure:
    """Left: bars at 10 seeds, the limit a line; right: lines over the number of seeds."""
    figure = page(style, 3.6)
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    times = columns(found["seeds"])
    bars(left, {way: each["10 seeds"] for way, each in times.items()})
    lines(right, times)
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower right", ncols=2)
    return figure


def bars(axes: Axes, times: Mapping[str, float]) -> None:
    limit = times[LIMIT.name]
    ways = sorted((way for way in times if way != LIMIT.name), key=lambda way: times[way])
    colors = [{ENGINE.name: OWN, PLAIN_ENGINE.name: OWN_OFF}.get(way, OTHER) for way in ways]
    axes.barh(range(len(ways)), [min(times[way], CUT) for way in ways], color=colors, height=0.65)
    for place, way in enumerate(ways):
        arrow = " →" if times[way] > CUT else ""
        axes.text(min(times[way], CUT) + 0.03, place, f"{ms(times[way])}{arrow}", va="center")
    axes.axvline(limit, color="black", linewidth=0.8, linestyle=(0, (2.5, 1.2)))
    axes.text(limit, -0.62, f" products alone {ms(limit)}", va="bottom", ha="left")
    axes.set_yticks(range(len(ways)), [wrap(way, 30) for way in ways])
    axes.tick_params(axis="y", length=0)
    axes.set(xlim=(0, CUT * 1.18), ylim=(len(ways) - 0.4, -1.0), xlabel="ms per step and model, 10 seeds")


def lines(axes: Axes, times: Mapping[str, Mapping[str, float]]) -> None:
    counts = [int(of.split()[0]) for of in times[LIMIT.name]]
    for way, (color, marker) in LINES.items():
        axes.plot(counts, list(times[way.name].values()), color=color, marker=marker, label=way.name)
    axes.plot(
        counts, list(times[IN_MEMORY.name].values()), color=GREY, linestyle=":", label=f"{IN_MEMORY.name}, one by one"
    )
    axes.plot(counts, list(times[LIMIT.name].values()), color="black", linestyle=(0, (2.5, 1.2)), label=LIMIT.name)
    axes.set_xscale("log")
    axes.set_xticks(counts, map(str, counts))
    axes.set_xticks([], minor=True)
    axes.grid(axis="y", color=FAINT)
    axes.set(xlabel="seeds trained together", ylabel="ms per step and model")
    axes.set_ylim(0, None)
