"""Rounds of federated training: accuracy, how far clients are apart, and how many updates are clipped."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from study.figures._layout import FAR, HEADING, heading, legend, log_ticks, message, page
from study.figures._style import NONE, Look, Style, styled
from study.figures._summaries import alone, band, finite, regimes, seeds_sentence
from study.methods.phrases import cell_phrase
from study.results.store import Tables

NAME = "clients"
QUESTION = "How does federated training go from round to round, and how far do the clients' updates lie apart?"
NEEDS = ("epochs",)

# Column of the table, label of the axis, factor.
QUANTITIES = (
    ("validation_accuracy", "validation\naccuracy (%)", 100.0),
    ("update_norm", "norm of updates", 1.0),
    ("client_cosine", "cosine between\nclients", 1.0),
    ("update_clipped", "updates\nclipped (%)", 100.0),
)
LOGARITHMIC = "update_norm"  # blows up by orders of magnitude, of which an arithmetic mean would show one seed alone
HEIGHT = 1.25  # inches of a row of panels
NO_CLIENTS = "No runs. The study has no federated training."


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """A row of panels per regime, a quantity per column; means over seeds with their bands."""
    epochs = federated(tables)
    if epochs.empty:
        return message(style, NO_CLIENTS)
    names = regimes(epochs)
    figure = page(style, 0.2 + (HEIGHT + HEADING) * len(names))
    ratios = [ratio for _ in names for ratio in (HEADING, HEIGHT)]
    grid = figure.add_gridspec(2 * len(names), len(QUANTITIES), height_ratios=ratios)
    shown: dict[str, Look] = {}
    for row, regime in enumerate(names):
        heading(figure, grid[2 * row, :], style.regime(regime), whole=True)
        part = epochs[epochs["regime"] == regime]
        for column, (name, label, factor) in enumerate(QUANTITIES):
            axes = figure.add_subplot(grid[2 * row + 1, column])
            shown |= _panel(axes, part, name, factor, style)
            axes.set(ylabel=label, xlim=(0, max(int(part["epoch"].max()), 1)))
            _scale(axes, name, label)
    figure.supxlabel("round")
    lines = [Line2D([], [], color=one.color, linestyle=one.line, label=name) for name, one in shown.items()]
    legend(figure, lines, style)
    return figure


def _scale(axes: Axes, name: str, label: str) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.grid(axis="y")
    if "%" in label:
        axes.set(ylim=(-3, 103), yticks=(0, 50, 100))
    elif name == LOGARITHMIC:
        _powers(axes)


def _powers(axes: Axes) -> None:
    """A log axis for the lines, whatever their bands do; one that explodes leaves it, for the others to be seen."""
    values = np.concatenate([np.asarray(line.get_ydata(), float) for line in axes.lines])
    values = values[np.isfinite(values) & (values > 0)]
    if not values.size:
        return
    axes.set_yscale("log")
    axes.set_ylim(values.min() / 2, 2 * min(values.max(), FAR * float(np.median(values))))
    ticks = log_ticks(*axes.get_ylim())
    axes.set_yticks(list(ticks), list(ticks.values()))
    axes.minorticks_off()


def federated(tables: Tables) -> pd.DataFrame:
    """The rows of federated regimes, of clips and regularizers alone."""
    epochs = alone(tables["epochs"])
    if "update_norm" not in epochs:
        return epochs.iloc[:0]
    known = epochs.groupby("regime")["update_norm"].transform(lambda column: column.notna().any())
    return epochs[known.astype(bool)]


def _panel(axes: Axes, part: pd.DataFrame, name: str, factor: float, style: Style) -> dict[str, Look]:
    """One quantity of each variant; the looks that were drawn, by the names of their variants."""
    shown: dict[str, Look] = {}
    for names, variant in part.groupby(["clip", "regularization"], sort=False):
        clip, regularization = map(str, names)
        label, looks = (clip, style.clips) if regularization == NONE else (regularization, style.regularizations)
        look, table = looks[label], _means(variant, name, factor)
        axes.fill_between(table.index, table["low"], table["high"], color=look.color, alpha=0.2, linewidth=0)
        axes.plot(table.index, table["mean"], color=look.color, linestyle=look.line, label=label)
        shown[cell_phrase(clip, regularization)] = look
    return shown


def _means(variant: pd.DataFrame, name: str, factor: float) -> pd.DataFrame:
    """Mean and interval by round: of the logarithms where the axis is one of them."""
    if name != LOGARITHMIC:
        return factor * band(variant, ["epoch"], name)
    with np.errstate(divide="ignore", invalid="ignore"):
        return band(variant.assign(logarithm=np.log(variant[name])), ["epoch"], "logarithm").map(np.exp)


def caption(tables: Tables) -> str:
    """Return the caption: seeds, which intervals, and what was left out."""
    epochs = federated(tables)
    if epochs.empty:
        return f"{QUESTION} {NO_CLIENTS}"
    last = epochs[epochs["epoch"] == epochs.groupby("regime")["epoch"].transform("max")]
    runs = epochs.groupby(["regime", "clip", "regularization", "seed"]).ngroups
    missing = runs - len(finite(last, "validation_accuracy"))
    lost = f" Runs that did not reach the last round with a finite loss: {missing} of {runs}." if missing else ""
    return (
        f"{QUESTION} Mean over seeds (geometric for norms) with Student's 95 % interval. A per-sample clip of"
        " updates treats each client as a sample. Norm and cosine are of the clients' updates before"
        " a clip of updates: the distance from the server's weights to those that a client comes to in a round, and"
        f" the mean cosine between the updates of two clients. {seeds_sentence(epochs)}{lost}"
    )
