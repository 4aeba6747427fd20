"""The methods in order: mean rank by test accuracy, and the difference to none, each with its interval."""

import math
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from study.analysis.conventions import ALPHA
from study.figures._layout import LINE, legend, lines, message, name_rows, named, page, row_centres, title_of_block
from study.figures._style import FAINT, NONE, Look, Style, by_method, styled
from study.figures._summaries import regimes
from study.methods.phrases import short_name
from study.results.store import Tables

NAME = "ranking"
MOST_TOLD = 4  # methods named in the caption
QUESTION = "Which method comes first, and which cannot be told from it?"
NEEDS = ("ranking",)
SCORED = True


KINDS = {"clip": "clipping alone", "regularization": "regularization alone"}


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """Rows: methods in order; columns: mean rank, and paired difference to none; a block per regime and kind."""
    ranking = tables["ranking"]
    if ranking.empty:
        return message(style, "Nothing to rank: the study holds no clip and no regularization but none.")
    methods = by_method(style)
    blocks = [(regime, kind, part) for regime in regimes(ranking) for kind, part in _kinds(ranking, regime)]
    heights = [LINE * sum(lines(label) for label in _labels(part)) for _, _, part in blocks]
    figure = page(style, sum(heights) + 0.68 * len(heights))
    grid = figure.add_gridspec(len(blocks), 2, height_ratios=heights)
    for line, (regime, kind, part) in enumerate(blocks):
        left, right = (figure.add_subplot(grid[line, column]) for column in range(2))
        looks = methods.clips if kind == "clip" else methods.regularizations
        _ranks(left, part, looks)
        _effects(right, part, looks)
        title_of_block(left, f"{style.regime(regime)}: {KINDS[kind]}")
    legend(figure, _legend(), style)
    return figure


def _kinds(ranking: pd.DataFrame, regime: str) -> list[tuple[str, pd.DataFrame]]:
    of_regime = ranking[ranking["regime"] == regime]
    parts = [(kind, of_regime[of_regime["kind"] == kind].sort_values("place")) for kind in KINDS]
    return [(kind, part) for kind, part in parts if len(part)]


def _labels(part: pd.DataFrame) -> list[str]:
    return [named(label) for label in part["label"]]


def _frame(axes: Axes, part: pd.DataFrame, xlabel: str) -> list[tuple[float, dict[Hashable, Any]]]:
    labels = _labels(part)
    name_rows(axes, labels)
    axes.grid(axis="x")
    axes.set_xlabel(xlabel)
    return list(zip(row_centres(labels), part.to_dict("records"), strict=True))


def _ranks(axes: Axes, part: pd.DataFrame, looks: Mapping[str, Look]) -> None:
    for height, row in _frame(axes, part, f"mean rank by test accuracy (1 = best of {len(part)})"):
        look = looks[row["method"]]
        if row["place"] == 1 or not row["p_best_adjusted"] < ALPHA:  # nor what is untested
            half = lines(named(row["label"])) / 2
            axes.axhspan(height - half, height + half, color=FAINT, linewidth=0, zorder=0)
        axes.plot([row["rank_low"], row["rank_high"]], [height, height], color=look.color)
        _marker(axes, row["rank"], height, look, True, row["label"])
    axes.set_xlim(0.3, len(part) + 0.7)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))


def _effects(axes: Axes, part: pd.DataFrame, looks: Mapping[str, Look]) -> None:
    axes.axvline(0, color="0.3", linewidth=0.8, zorder=1)
    for height, row in _frame(axes, part, "gain in test accuracy\n(percentage points)"):
        if row["diverged"]:
            note = f"{row['diverged']}/{row['runs']} div"
            axes.text(1.02, height, note, va="center", transform=axes.get_yaxis_transform())
        if not math.isfinite(row["estimate"]):
            axes.text(0, height, " undefined", va="center", color="0.4")
            continue
        look = looks[row["method"]]
        axes.plot([100 * row["low"], 100 * row["high"]], [height, height], color=look.color)
        decided = row["label"] == NONE or row["p_adjusted"] < ALPHA
        _marker(axes, 100 * row["estimate"], height, look, decided, row["label"])
    axes.tick_params(labelleft=False)
    if not part["estimate"].abs().max() > 0:
        axes.set_xlim(-1, 1)


def _marker(axes: Axes, x: float, y: float, look: Look, filled: bool, label: str) -> None:
    inside = look.color if filled else "white"
    axes.plot([x], [y], look.marker, color=look.color, markerfacecolor=inside, label=label)


def _legend() -> list[Artist]:
    return [
        Patch(color=FAINT, label="cannot be told from the first"),
        Line2D([], [], color="0.2", marker="o", label=f"right: differs from the baseline (p < {ALPHA:.2f})"),
        Line2D([], [], color="0.2", marker="o", markerfacecolor="white", label="right: undecided"),
        Line2D([], [], linestyle="", label="k/n div: k of n runs diverged"),
    ]


def caption(tables: Tables) -> str:
    """Return the caption: how each strength was chosen, and what the markers mean."""
    ranking = tables["ranking"]
    several = ranking[ranking["strengths"] > 1]
    names = dict.fromkeys(short_name(str(name)) for name in several["method"])
    chosen = (
        f" Tried at several strengths, of which the one with the best mean validation accuracy is shown:"
        f" {', '.join(names) if len(names) <= MOST_TOLD else f'{len(names)} methods'}."
        if len(several)
        else " Each method was tried at one strength."
    )
    lost = int(ranking["n_undefined"].sum())
    left_out = f" Pairs left out because an accuracy is undefined: {lost}." if lost else ""
    counts = sorted(set(ranking["runs"]))
    seeds = f"{counts[-1]} seeds per variant." if counts and counts[-1] > 1 else "1 seed per variant, so no interval."
    return (
        f"{QUESTION} Left: rank by test accuracy among the methods of a regime, mean over seeds with the 95 % interval"
        " of a bootstrap of whole seeds; grey where the paired difference to the first is not significant. Right:"
        " paired gain over the baseline with its 95 % BCa interval; filled where it is significant. By sign-flip tests,"
        f" adjusted by Holm's method within a panel (p < {ALPHA:.2f}). Runs without a finite accuracy share the last"
        f" ranks. A method has one colour throughout.{chosen} {seeds if counts else 'No runs.'}{left_out}"
    )
