"""Budget curves: what the best of so many trials is expected to reach."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from study.figures._layout import legend
from study.figures._style import Style, styled
from study.figures._workloads import FAMILIES, NAMES_OF_FAMILIES, panels, with_methods, workloads
from study.results.store import Tables

NAME = "budget_curves"
QUESTION = "What is a method worth to someone who can afford few trials?"
NEEDS = ("budgets",)
SWEPT = True


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """Expected test accuracy by number of trials: each method thin, the baseline thick; a panel for each workload."""
    table = with_methods(tables["budgets"])
    names = workloads(table)
    figure, axes = panels(style, names, 1.7)
    for one, name in zip(axes, names, strict=True):
        _panel(one, table[table["regime"] == name])
    figure.supylabel("expected test accuracy (%)")
    kinds = [kind for kind in FAMILIES if kind in set(table["kind"])]
    widths = {kind: 1.8 if kind == "baseline" else 0.9 for kind in kinds}
    handles = [
        Line2D([], [], color=FAMILIES[kind], linewidth=widths[kind], label=NAMES_OF_FAMILIES[kind]) for kind in kinds
    ]
    legend(figure, handles, style)
    return figure


def _panel(axes: Axes, table: pd.DataFrame) -> None:
    for (kind, _), part in table.groupby(["kind", "method"], sort=False):
        strong = kind == "baseline"
        axes.plot(
            part["budget"],
            100 * part["best_test_accuracy"],
            color=FAMILIES[str(kind)],
            linewidth=1.8 if strong else 0.7,
            zorder=3 if strong else 2,
            alpha=1.0 if strong else 0.8,
        )
    axes.set(xlabel="trials", xscale="log")
    ticks = [k for k in (1, 3, 10, 25, 100) if k <= table["budget"].max()]
    axes.set_xticks(ticks, [f"{k}" for k in ticks])
    axes.minorticks_off()
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.grid(axis="y")


def caption(tables: Tables) -> str:
    """Return the caption: how expectations are computed."""
    return (
        f"{QUESTION} Expected test accuracy at the best validation epoch of the best of k trials, drawn without"
        " replacement from all that were made and chosen by validation (after Dodge et al. 2019). Every method and the"
        " baseline have the same trials of the learning rate; a method's strength is tried beside it."
        f" {int(tables['budgets']['budget'].max())} trials of each method."
    )
