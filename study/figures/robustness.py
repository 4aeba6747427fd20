"""Robustness: how many of a method's trials come near to the best, and how many diverge."""

import pandas as pd
from matplotlib.figure import Figure

from study.figures._layout import page
from study.figures._style import Style, styled
from study.figures._workloads import TableCell, cells, with_methods, workloads
from study.results.store import Tables

NAME = "robustness"
QUESTION = "Which methods forgive a badly chosen learning rate?"
NEEDS = ("robustness",)
SWEPT = True
ROW = 0.17  # inches
SHARE = 0.78  # of the page that the cells take


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """Decades of learning rate near the best, coloured by the difference to the baseline's; rows: methods."""
    table = with_methods(tables["robustness"])
    methods = list(dict.fromkeys(table["method"]))
    figure = page(style, ROW * len(methods) + 1.0)
    axes = figure.subplots()
    cells(axes, _told(table), methods, workloads(table), style.width * SHARE)
    axes.set_yticks(range(len(methods)), methods)
    axes.tick_params(axis="y", length=0)
    axes.set_title("decades of learning rate near the best (% of runs diverged)", loc="left")
    return figure


def _told(table: pd.DataFrame) -> dict[tuple[str, str], TableCell]:
    baseline = table[table["kind"] == "baseline"].set_index("regime")["decades"]
    return {
        (one["method"], one["regime"]): TableCell(
            f"{one['decades']:.1f} ({100 * one['diverged']:.0f})",
            float(one["decades"] - baseline.get(one["regime"], float("nan"))),
        )
        for one in table.to_dict("records")
    }


def caption(tables: Tables) -> str:
    """Return the caption: what near means."""
    table = tables["robustness"]
    return (
        f"{QUESTION} First number: usable decades of learning rate, that is, the share of trials within 1 point of"
        " the method's best test accuracy at the best validation epoch, times the decades tried; blue: more than the"
        " baseline's, red: fewer. A method's strength is tried beside the rate. In brackets: the share of the runs that"
        " failed, in per cent."
        f" {int(table['trials'].max())} trials of each method."
    )
