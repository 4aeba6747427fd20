"""Gradient norm of each weight tensor before the clip, one panel per clip."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from study.figures.layout import Block, legend, log_norm_axis, panel_grid
from study.figures.style import LINES, NONE, Look, Style, Tables, styled
from study.figures.summaries import positive, present, regimes, seeds_sentence

NAME = "layer_norms"
QUESTION = "How do the layers' gradient norms compare over training, and does clipping change that?"
NEEDS = ("tensors",)

COLUMNS = 3


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """Median norm over seeds of every weight tensor before the clip (panels: regime x clip)."""
    tensors = _shown(tables["tensors"])
    shown = regimes(tensors)
    blocks = [
        Block(regime, (tuple(present(tensors[tensors["regime"] == regime], "clip", style.clips)),))
        for regime in shown
    ]
    looks = _looks(list(tensors["tensor"].drop_duplicates()))
    figure, panels = panel_grid(blocks, style, COLUMNS, 1.1)
    for panel in panels:
        regime = tensors[tensors["regime"] == panel.heading]
        medians = _medians(regime[regime["clip"] == panel.label])
        for name, look in looks.items():
            if name in medians:
                panel.axes.plot(
                    medians.index, medians[name], color=look.color, linestyle=look.line, label=name
                )
        log_norm_axis(panel.axes, regime["norm_before"], medians.to_numpy(dtype=float).ravel())
    figure.supxlabel("optimizer step")
    figure.supylabel("gradient norm before the clip (2-norm of the tensor)")
    handles = [
        Line2D([], [], color=look.color, linestyle=look.line, label=name) for name, look in looks.items()
    ]
    legend(figure, handles, style)
    return figure


def _shown(tensors: pd.DataFrame) -> pd.DataFrame:
    """Weights only, without regularization."""
    return tensors[(tensors["regularization"] == NONE) & tensors["tensor"].str.endswith("weight")]


def _looks(names: Sequence[str]) -> dict[str, Look]:
    # Dark to light with depth: an order, unlike the palette of the labels.
    shades = colormaps["viridis"](np.linspace(0.0, 0.85, max(len(names), 2)))
    return {
        name: Look(
            "#" + "".join(f"{round(255 * part):02x}" for part in shade[:3]), "", LINES[number % len(LINES)]
        )
        for number, (name, shade) in enumerate(zip(names, shades, strict=False))
    }


def _medians(tensors: pd.DataFrame) -> pd.DataFrame:
    """Median over seeds; rows: first step of the window; columns: tensors."""
    table = positive(tensors, ["norm_before"]).groupby(["step", "tensor"])["norm_before"].median()
    return table.unstack("tensor")  # noqa: PD010 - a Series has no pivot_table


def caption(tables: Tables) -> str:
    """What is shown, how many seeds, and what was left out."""
    tensors = _shown(tables["tensors"])
    wrong = int((~np.isfinite(tensors["norm_before"].astype(float))).sum())
    left_out = (
        f" {wrong} of {len(tensors)} windows with a norm that is not finite are left out." if wrong else ""
    )
    return (
        f"{QUESTION} Weight tensors only, from the input (dark) to the output (light), no regularization."
        " Median over seeds of the means of windows of consecutive steps; ↑: largest median beyond the axis."
        f" Seeds which diverged count until their last step. {seeds_sentence(tensors)}{left_out}"
    )
