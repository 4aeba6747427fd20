"""Gradient norm before and after the clip, one panel per clip."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from study.figures.layout import Block, legend, log_norm_axis, panel_grid
from study.figures.style import AFTER, GREY, NONE, Style, Tables, styled
from study.figures.summaries import positive, present, regimes, seeds_sentence

NAME = "gradient_norm"
QUESTION = "What does each clip do to the gradient norm over training?"
NEEDS = ("steps",)

COLUMNS = 5


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """Median norm over seeds before and after the clip; behind it the extremes and the baseline."""
    steps = _shown(tables["steps"])
    shown = regimes(steps)
    blocks = [Block(regime, (_clips(steps[steps["regime"] == regime], style),)) for regime in shown]
    figure, panels = panel_grid(blocks, style, COLUMNS, 1.25)
    for panel in panels:
        regime = steps[steps["regime"] == panel.heading]
        look = style.clips[panel.label]
        baseline = _medians(regime[regime["clip"] == NONE])
        panel.axes.plot(baseline.index, baseline["norm_before"], color=GREY, linewidth=0.9, label=NONE)
        table = _medians(regime[regime["clip"] == panel.label])
        _curves(panel.axes, table, look.color, panel.label)
        log_norm_axis(panel.axes, regime["norm_before"], table["norm_before_max"])
    figure.supxlabel("optimizer step")
    figure.supylabel("gradient norm (2-norm of all parameters)")
    legend(figure, _legend(), style)
    return figure


def _shown(steps: pd.DataFrame) -> pd.DataFrame:
    return steps[steps["regularization"] == NONE]


def _clips(steps: pd.DataFrame, style: Style) -> tuple[str, ...]:
    return tuple(clip for clip in present(steps, "clip", style.clips) if clip != NONE) or (NONE,)


def _medians(steps: pd.DataFrame) -> pd.DataFrame:
    """Median over seeds of the windows' means, and the extremes of all seeds, by first step of the window."""
    by_step = positive(steps, ["norm_before", "norm_before_min", "norm_before_max", "norm_after"]).groupby(
        "step"
    )
    medians = by_step[["norm_before", "norm_after"]].median()
    return medians.assign(
        norm_before_min=by_step["norm_before_min"].min(), norm_before_max=by_step["norm_before_max"].max()
    )


def _curves(axes: Axes, table: pd.DataFrame, color: str, label: str) -> None:
    step = table.index.to_numpy()
    axes.fill_between(
        step,
        table["norm_before_min"],
        table["norm_before_max"],
        color=color,
        alpha=0.2,
        linewidth=0,
        step="post",
    )
    axes.plot(step, table["norm_before"], color=color, label=f"{label} norm_before")
    axes.plot(step, table["norm_after"], color=color, linestyle=AFTER, label=f"{label} norm_after")


def _legend() -> list[Line2D | Patch]:
    return [
        Line2D([], [], color="0.2", label="before the clip"),
        Line2D([], [], color="0.2", linestyle=AFTER, label="after the clip"),
        Patch(facecolor="0.2", alpha=0.2, label="extremes before the clip"),
        Line2D([], [], color=GREY, label="baseline, no clip"),
    ]


def caption(tables: Tables) -> str:
    """What is shown, how many seeds, and what was left out."""
    steps = _shown(tables["steps"])
    wrong = int((~np.isfinite(steps["norm_before"].astype(float))).sum())
    left_out = (
        f" {wrong} of {len(steps)} windows with a norm that is not finite are left out." if wrong else ""
    )
    return (
        f"{QUESTION} No regularization. Median over seeds of the means of windows of consecutive steps;"
        " shaded: the smallest and the largest norm of any step of any seed; ↑: largest norm beyond the axis."
        f" Seeds which diverged count until their last step. {seeds_sentence(steps)}{left_out}"
    )
