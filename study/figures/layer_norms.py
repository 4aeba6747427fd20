"""Gradient norm of each weight tensor before the clip, one panel per clip."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from study.figures._layout import NOT_MEASURED, Block, legend, log_norm_axis, message, panel_grid
from study.figures._style import LINES, NONE, Look, Style, styled
from study.figures._summaries import aligned, left_out_sentence, present, regimes, seeds_sentence, without_infinities
from study.results.store import Tables

NAME = "layer_norms"
QUESTION = "How do the layers' gradient norms compare over training, and does clipping change that?"
NEEDS = ("tensors",)

COLUMNS = 3
FEW = 12  # names of tensors in the legend
ENDS = ("nearest to the input", "nearest to the output")


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """Median norm over seeds of every weight tensor before the clip (panels: regime x clip)."""
    tensors = _shown(tables["tensors"])
    if tensors.empty:
        return message(style, NOT_MEASURED)
    shown = regimes(tensors)
    blocks = [
        Block(regime, (tuple(present(tensors[tensors["regime"] == regime], "clip", style.clips)),)) for regime in shown
    ]
    looks = {
        regime: _looks(list(tensors.loc[tensors["regime"] == regime, "tensor"].drop_duplicates())) for regime in shown
    }
    figure, panels = panel_grid(blocks, style, COLUMNS, 1.1)
    parts = {regime: aligned(tensors[tensors["regime"] == regime]) for regime in shown}
    medians = [_medians(parts[panel.heading], panel.label) for panel in panels]
    for panel, table in zip(panels, medians, strict=True):
        for name in table:
            look = looks[panel.heading][str(name)]
            panel.axes.plot(table.index, table[name], color=look.color, linestyle=look.line, label=str(name))
    for panel, table in zip(panels, medians, strict=True):
        log_norm_axis(panel.axes, parts[panel.heading]["norm_before"], table)
    figure.supxlabel("optimizer step")
    figure.supylabel("gradient norm")
    legend(figure, _legend(looks), style)
    return figure


def _shown(tensors: pd.DataFrame) -> pd.DataFrame:
    """Weights only, without regularization."""
    return tensors[(tensors["regularization"] == NONE) & tensors["tensor"].str.endswith("weight")]


def _looks(names: Sequence[str]) -> dict[str, Look]:
    # Dark to light with depth: an order, unlike the palette of the labels.
    shades = colormaps["viridis"](np.linspace(0.0, 0.85, max(len(names), 2)))
    return {
        name: Look("#" + "".join(f"{round(255 * part):02x}" for part in shade[:3]), "", LINES[number % len(LINES)])
        for number, (name, shade) in enumerate(zip(names, shades, strict=False))
    }


def _legend(looks: Mapping[str, Mapping[str, Look]]) -> list[Line2D]:
    """The tensors by name where all regimes have the same few, else the ends of the order."""
    first, *others = looks.values()
    if any(one != first for one in others) or len(first) > FEW:
        first = {name: _looks(ENDS)[name] for name in ENDS}
    return [Line2D([], [], color=look.color, linestyle=look.line, label=name) for name, look in first.items()]


def _medians(tensors: pd.DataFrame, clip: str) -> pd.DataFrame:
    """Median over seeds; rows: first step of the window; columns: tensors."""
    own = without_infinities(tensors[tensors["clip"] == clip], ["norm_before"])
    by_run = own.groupby(["step", "tensor", "seed"])["norm_before"].mean()
    table = by_run.groupby(["step", "tensor"]).median()
    return table.where(table > 0).unstack("tensor")  # noqa: PD010 - a Series has no pivot_table


def caption(tables: Tables) -> str:
    """Return the caption: seeds, and what was left out."""
    tensors = _shown(tables["tensors"])
    return (
        f"{QUESTION} Weight tensors only, from the input (dark) to the output (light), no regularization."
        " 2-norms before the clip: median over seeds of the means of windows of consecutive steps; ↑: largest"
        " median beyond the axis. Runs that diverged count until their last step."
        f" {seeds_sentence(tensors)}{left_out_sentence(tensors)}"
    )
