"""Gradient norm before and after the clip, one panel per clip."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from study.figures._layout import NOT_MEASURED, Block, legend, log_norm_axis, message, panel_grid
from study.figures._style import AFTER, GREY, NONE, THIN, Style, styled
from study.figures._summaries import aligned, left_out_sentence, present, regimes, seeds_sentence, without_infinities
from study.results.store import Tables

NAME = "gradient_norm"
QUESTION = "What does each clip do to the gradient norm over training?"
NEEDS = ("steps",)

COLUMNS = 5
NORMS = ["norm_before", "norm_before_min", "norm_before_max", "norm_after"]


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """Median norm over seeds before and after the clip; behind it the extremes and the baseline."""
    steps = _shown(tables["steps"])
    if steps.empty:
        return message(style, NOT_MEASURED)
    shown = regimes(steps)
    blocks = [Block(regime, (_clips(steps[steps["regime"] == regime], style),)) for regime in shown]
    figure, panels = panel_grid(blocks, style, COLUMNS, 1.25)
    parts = {regime: aligned(steps[steps["regime"] == regime]) for regime in shown}
    medians = [_medians(parts[panel.heading], panel.label) for panel in panels]
    for panel, table in zip(panels, medians, strict=True):
        baseline = _medians(parts[panel.heading], NONE)
        panel.axes.plot(baseline.index, baseline["norm_before"], color=GREY, linewidth=THIN, label="baseline")
        _curves(panel.axes, table, style.clips[panel.label].color, panel.label)
    for panel, table in zip(panels, medians, strict=True):
        log_norm_axis(panel.axes, parts[panel.heading]["norm_before"], table["norm_before_max"])
    figure.supxlabel("optimizer step")
    figure.supylabel("gradient norm")
    legend(figure, _legend(), style)
    return figure


def _shown(steps: pd.DataFrame) -> pd.DataFrame:
    return steps[steps["regularization"] == NONE]


def _clips(steps: pd.DataFrame, style: Style) -> tuple[str, ...]:
    return tuple(clip for clip in present(steps, "clip", style.clips) if clip != NONE) or (NONE,)


def _medians(steps: pd.DataFrame, clip: str) -> pd.DataFrame:
    """Median over seeds of the windows' means, and the extremes of all seeds, by first step of the window."""
    own = without_infinities(steps[steps["clip"] == clip], NORMS)
    own = own.assign(norm_before_min=own["norm_before_min"].where(own["norm_before_min"] > 0))
    means = own.groupby(["step", "seed"])[["norm_before", "norm_after"]].mean().groupby("step").median()
    by_step = own.groupby("step")
    low, high = by_step["norm_before_min"].min(), by_step["norm_before_max"].max()
    table = means.assign(norm_before_min=low, norm_before_max=high)
    return table.where(table > 0)  # a log axis has no 0


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
        Line2D([], [], color=GREY, linewidth=THIN, label="baseline, no clip"),
    ]


def caption(tables: Tables) -> str:
    """Return the caption: seeds, and what was left out."""
    steps = _shown(tables["steps"])
    return (
        f"{QUESTION} No regularization. 2-norm of the gradient of all parameters: median over seeds of the"
        " means of windows of consecutive steps; shaded: the smallest and the largest norm of any step of any"
        " seed; ↑: largest norm beyond the axis. Runs that diverged count until their last step."
        f" {seeds_sentence(steps)}{left_out_sentence(steps)}"
    )
