"""Train and validation accuracy by epoch, one panel per variant."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from study.figures._layout import Block, Panel, decimal, legend, panel_grid
from study.figures._style import AFTER, GREY, NONE, THIN, Look, Style, styled
from study.figures._summaries import VARIANT, alone, band, finite, present, regimes, seeds_sentence
from study.results.store import Tables

NAME = "learning_curves"
QUESTION = (
    "How do training and validation accuracy, and the distance between them, develop under each clip and each"
    " regularization alone?"
)
NEEDS = ("epochs",)

SIDES = {"train_accuracy": "-", "validation_accuracy": AFTER}
COLUMNS = 5


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """Mean accuracy with its band over seeds; behind it the baseline in grey; their last distance in the corner."""
    epochs = alone(tables["epochs"])
    parts = {regime: epochs[epochs["regime"] == regime] for regime in regimes(epochs)}
    figure, panels = panel_grid([_block(part, regime, style) for regime, part in parts.items()], style, COLUMNS, 1.05)
    for panel in panels:
        part = parts[panel.heading]
        variant, look = _of(panel, part, style)
        _baseline(panel.axes, _variant(part, NONE, NONE))
        _curves(panel.axes, variant, look.color, panel.label)
        _distance(panel.axes, variant)
        _axes(panel.axes, part)
    figure.supxlabel("epoch")
    figure.supylabel("accuracy (%)")
    legend(figure, _legend(), style)
    return figure


def _block(epochs: pd.DataFrame, regime: str, style: Style) -> Block:
    labels = present(epochs, "clip", style.clips), present(epochs, "regularization", style.regularizations)
    clips, regularizations = (tuple(label for label in group if label != NONE) for group in labels)
    return Block(regime, (clips, regularizations) if clips or regularizations else ((NONE,),))


def _of(panel: Panel, epochs: pd.DataFrame, style: Style) -> tuple[pd.DataFrame, Look]:
    """The rows and the look of the clip (first group) or the regularization (second) of a panel."""
    if panel.group == 0:
        return _variant(epochs, panel.label, NONE), style.clips[panel.label]
    return _variant(epochs, NONE, panel.label), style.regularizations[panel.label]


def _variant(epochs: pd.DataFrame, clip: str, regularization: str) -> pd.DataFrame:
    return epochs[(epochs["clip"] == clip) & (epochs["regularization"] == regularization)]


def _curves(axes: Axes, variant: pd.DataFrame, color: str, label: str) -> None:
    for side, line in SIDES.items():
        table = 100 * band(variant, ["epoch"], side)
        axes.fill_between(table.index, table["low"], table["high"], color=color, alpha=0.25, linewidth=0)
        axes.plot(table.index, table["mean"], color=color, linestyle=line, label=f"{label} {side}")


def _baseline(axes: Axes, variant: pd.DataFrame) -> None:
    for side, line in SIDES.items():
        mean = 100 * band(variant, ["epoch"], side)["mean"]
        axes.plot(mean.index, mean, color=GREY, linestyle=line, linewidth=THIN, label=f"baseline {side}")


def _distance(axes: Axes, variant: pd.DataFrame) -> None:
    last = variant[variant["epoch"] == variant["epoch"].max()]
    distance = 100 * (last["train_accuracy"] - last["validation_accuracy"])
    text = f"t − v {decimal(distance.mean())} pp" if np.isfinite(distance).any() else "undefined"
    box = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.7}
    axes.text(0.97, 0.05, text, ha="right", va="bottom", transform=axes.transAxes, bbox=box)


def _axes(axes: Axes, epochs: pd.DataFrame) -> None:
    # The first quarter would squeeze the distance into a few pixels: the axis holds what comes later.
    last = int(epochs["epoch"].max())
    late = epochs[epochs["epoch"] >= min(max(last // 4, 1), last)]
    means = pd.concat([100 * band(late, ["clip", "regularization", "epoch"], side)["mean"] for side in SIDES])
    if means.empty:
        axes.set_ylim(0, 100)
    else:
        low, high = means.min(), means.max()
        margin = 0.06 * max(high - low, 1.0)
        axes.set_ylim(low - 3 * margin, high + margin)
    axes.set_xlim(0, max(last, 1))
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.grid(axis="y")


def _legend() -> list[Line2D | Patch]:
    return [
        Line2D([], [], color="0.2", label="train"),
        Line2D([], [], color="0.2", linestyle=AFTER, label="validation"),
        Patch(facecolor="0.2", alpha=0.25, label="95 % interval over seeds"),
        Line2D([], [], color=GREY, linewidth=THIN, label="baseline"),
    ]


def caption(tables: Tables) -> str:
    """Return the caption: seeds, which intervals, and what was left out."""
    epochs = alone(tables["epochs"])
    last = epochs[epochs["epoch"] == epochs.groupby("regime")["epoch"].transform("max")]
    runs = epochs.groupby([*VARIANT, "seed"]).ngroups
    undefined = runs - len(finite(last, "train_accuracy"))
    left_out = f" Runs whose accuracy is undefined in the end: {undefined} of {runs}." if undefined else ""
    return (
        f"{QUESTION} Mean over seeds (those with a value) with Student's 95 % interval; thin: the baseline."
        " Training accuracy: on a fixed part of each"
        " seed's training digits, so it differs a little from the"
        " final scores. In the corner, t − v: train minus validation accuracy at the"
        " last epoch (pp: percentage points; the gap of the other figures is train minus test). The vertical axis"
        " spans the accuracies after the first quarter"
        f" of the epochs. {seeds_sentence(epochs)}{left_out}"
    )
