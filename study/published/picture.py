"""The picture of published results: each difference with its interval, in margins."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from study.figures._layout import page, wrap
from study.figures._style import FAINT, Style, styled
from study.published.truths import Rounds, Truth, Truths

COLORS = {"equivalent": "#009E73", "different": "#D55E00", "cannot tell": "0.35"}
ENDS = ("difference_low", "difference", "difference_high")
LINE = 0.42  # inches a result


def draw(truths: Truths, results: pd.DataFrame, style: Style) -> Figure:
    """Draw the difference of each result from the published mean over its margin, with the 90 % interval.

    results: as `study.published.results.judged` returns them; those without a mean are left out.
    """
    return styled(lambda tables, own: _figure(truths, tables["published"], own))({"published": results}, style)


def _figure(truths: Truths, results: pd.DataFrame, style: Style) -> Figure:
    rows = {str(row["result"]): row for row in results.dropna(subset=["ours"]).to_dict("records")}
    shown = [truth for truth in truths.all if truth.name in rows]
    figure = page(style, 0.9 + LINE * max(len(shown), 1))
    axes = figure.add_subplot()
    axes.axvspan(-1, 1, color=FAINT)
    axes.axvline(0, color="black", linewidth=0.6)
    for place, truth in enumerate(shown):
        row = rows[truth.name]
        low, middle, high = in_margins(truth, [float(row[end]) for end in ENDS])
        _one(axes, place, (low, middle, high), str(row["verdict"]))
    axes.set_yticks(range(len(shown)), [wrap(truth.what, 34) for truth in shown])
    axes.tick_params(axis="y", length=0)
    reach = max(1.6, *(abs(x) for line in axes.lines for x in np.ravel(line.get_xdata()))) * 1.15
    axes.set(xlim=(-reach, reach), ylim=(len(shown) - 0.4, -0.6))
    axes.set_xlabel("difference from the published mean, in margins [90 %]; shaded: within the margin")
    return figure


def _one(axes: Axes, place: int, difference: tuple[float, float, float], verdict: str) -> None:
    low, middle, high = difference
    color = COLORS[verdict]
    axes.plot([low, high], [place, place], color=color)
    axes.plot([middle], [place], color=color, marker="o")
    axes.text(middle, place - 0.16, verdict, color=color, ha="center", va="bottom")


def in_margins(truth: Truth, differences: list[float]) -> tuple[float, float, float]:
    """Return differences, or for rounds factors, as multiples of the margin."""
    low, middle, high = np.log(differences) if isinstance(truth, Rounds) else differences
    return low / truth.width, middle / truth.width, high / truth.width
