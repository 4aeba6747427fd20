"""Learning curves of the baseline and of clips, with the epoch at which early stopping would have ended each."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from study.figures._layout import legend, message
from study.figures._style import NONE, Style, styled
from study.figures._workloads import panels, seeds_of, with_methods, workloads
from study.results.store import Tables
from study.utils.text import signed

NAME = "early_stopping"
QUESTION = "Does a clip still help a baseline that stops early?"
NEEDS = ("epochs", "runs", "gains")
SWEPT = True
COLORS = {"none": "#1a1a1a", "global_norm": "#0072B2", "per_sample": "#D55E00", "per_sample_adaptive": "#CC79A7"}
METHODS = {
    "none": "baseline",
    "global_norm": "clip of the batch",
    "per_sample": "clip of each sample",
    "per_sample_adaptive": "adaptive clip of each sample",
}
SHOWN = tuple(METHODS)  # a clip of the batch and two of samples beside the baseline


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """Mean accuracy after each epoch, the mean best validation epoch marked; a panel for each workload."""
    runs = tables["runs"]
    runs = runs[(runs["regularization"] == NONE) & runs["clip_method"].isin(SHOWN)]
    runs = runs[runs["regime"].isin(workloads(tables["gains"]))]
    clipped = runs.loc[runs["clip_method"] != NONE, "regime"]
    names = [name for name in workloads(runs) if name in set(clipped)]
    if not names:
        return message(style, "No workload has a clip of the batch or of samples beside the baseline.")
    figure, axes = panels(style, names, 1.7)
    known = _part(tables)
    for one, name in zip(axes, names, strict=True):
        _panel(one, tables["epochs"], runs[runs["regime"] == name], known)
    figure.supylabel(f"{known} accuracy (%)")
    shown = [method for method in SHOWN if method in set(runs["clip_method"])]
    handles = [Line2D([], [], color=COLORS[method], label=METHODS[method]) for method in shown]
    legend(figure, [*handles, Line2D([], [], color="0.3", marker="o", linestyle="", label="best epoch")], style)
    return figure


def _part(tables: Tables) -> str:
    """The part of the data whose accuracy is known after each epoch: a lean study scores the test set only twice."""
    return "test" if tables["epochs"]["test_accuracy"].notna().any() else "validation"


def _panel(axes: Axes, epochs: pd.DataFrame, runs: pd.DataFrame, part: str) -> None:
    regime, metric = runs["regime"].iloc[0], f"{part}_accuracy"
    for method, several in runs.groupby("clip_method", sort=False):
        clip, color = several["clip"].iloc[0], COLORS[str(method)]
        own = epochs[(epochs["regime"] == regime) & (epochs["clip"] == clip) & (epochs["regularization"] == NONE)]
        curve = 100 * own[own["epoch"] > 0].groupby("epoch")[metric].mean()
        axes.plot(curve.index, curve, color=color)
        axes.plot([several["best_epoch"].mean()], [100 * several[f"best_{metric}"].mean()], "o", color=color)
    axes.set_xlabel("epoch")
    axes.grid(axis="y")


def caption(tables: Tables) -> str:
    """Return the caption: the gains at both epochs, in numbers."""
    gains = with_methods(tables["gains"])
    own = gains[(gains["regularization_method"] == NONE) & gains["clip_method"].isin(SHOWN)]
    told = []
    for method, part in own.groupby("clip_method", sort=False):
        last, best = (
            100 * part.loc[part["metric"] == key, "gain"].mean() for key in ("test_accuracy", "best_test_accuracy")
        )
        told.append(
            f"the {METHODS[str(method)]} {signed(last, 1)} and {signed(best, 1)} ({part['regime'].nunique()} workloads)"
        )
    means = " Mean gain in test accuracy, in points, at the last and at the best epoch: "
    gained = f"{means}{'; '.join(told)}." if told else ""
    return (
        f"{QUESTION} Mean {_part(tables)} accuracy over seeds, each method at what its trials chose. Points: mean epoch"
        f" of the least validation loss, and the accuracy there.{gained} {seeds_of(gains)}"
    )
