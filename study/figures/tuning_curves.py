"""The tuning of every method: validation loss, gap and test accuracy by strength, and which strength was chosen."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, NullLocator

from study.figures._layout import HEADING, heading, in_blocks, legend, lines, log_ticks, message, page
from study.figures._style import DARK, NONE, Style, by_method, styled
from study.figures._summaries import present, without_infinities
from study.figures._tuning_table import MARKS, ROW_HEIGHT, Row, draw_choices
from study.methods.phrases import short_name
from study.results.store import Tables

NAME = "tuning_curves"
QUESTION = "How do loss, gap and accuracy change with each method's strength, and how good is the strength chosen?"
NEEDS = ("tuning",)
SWEPT = True
SCORED = True

KINDS = {"clip": "clipping alone", "regularization": "regularization alone"}
RULES = {
    "minimum": "the smallest mean validation loss",
    "one_standard_error": "the strongest within one standard error of the smallest mean validation loss",
}
MOST = 8  # methods in a row of panels
MOST_TICKS = 6  # places that are named under a panel, none aside
REACH = 1.5  # how far beyond none a panel goes, in distances between none and the best strength,
LEAST = 0.1  # which counts at least as this share of none


@dataclass(frozen=True, slots=True)
class Quantity:
    """A column of the tuning, its title, its unit as a factor, the column of its standard error, if any.

    better: 1 where more is better, -1 where less is, 0 where neither is.
    """

    column: str
    title: str
    factor: float
    better: int
    error: str = ""


QUANTITIES = (
    Quantity("validation_loss", "validation loss", 1.0, -1, "validation_se"),
    Quantity("gap_accuracy", "train \N{MINUS SIGN} test accuracy\n(percentage points)", 100.0, 0),
    Quantity("test_accuracy", "test accuracy (%)", 100.0, 1),
)


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """A row per setting and kind: three panels with a line per method, and a table of strengths and choices."""
    rows = list(_rows(tables["tuning"], by_method(style)))
    if not rows:
        return message(style, "Nothing was tuned: the study chooses no strength of any clip or regularization.")
    cells = max(1 + row.longest for row in rows)
    heights = [max(1.0, ROW_HEIGHT * sum(map(lines, row.names))) for row in rows]
    figure = page(style, sum(heights) + (HEADING + 0.62) * len(heights))
    grid = figure.add_gridspec(
        2 * len(rows),
        len(QUANTITIES) + 1,
        height_ratios=[x for height in heights for x in (HEADING, height)],
        width_ratios=[*[1.0] * len(QUANTITIES), 2.1],
    )
    for line, (row, height) in enumerate(zip(rows, heights, strict=True)):
        heading(figure, grid[2 * line, 0], row.title)
        for column, quantity in enumerate(QUANTITIES):
            _panel(figure.add_subplot(grid[2 * line + 1, column]), row, quantity)
        draw_choices(figure.add_subplot(grid[2 * line + 1, len(QUANTITIES)]), row, height, cells)
    legend(figure, _legend(), style)
    return figure


def _rows(tuning: pd.DataFrame, style: Style) -> Iterator[Row]:
    known = without_infinities(tuning, ["validation_loss", "validation_se"])
    for setting in known["setting"].drop_duplicates():
        for kind, looks in zip(KINDS, (style.clips, style.regularizations), strict=True):
            part = known[(known["setting"] == setting) & (known["kind"] == kind)]
            methods = [method for method in present(part, "method", looks) if method != NONE]
            blocks = in_blocks(methods, MOST) if methods else []
            for number, block in enumerate(blocks, 1):
                count = f" ({number} of {len(blocks)})" if len(blocks) > 1 else ""
                yield Row(f"{style.regime(setting)}: {KINDS[kind]}{count}", part, block, looks)


def _panel(axes: Axes, row: Row, quantity: Quantity) -> None:
    for method in row.methods:
        _curve(axes, row, method, quantity)
    _reference(axes, row.chosen(NONE), quantity)
    axes.set_title(quantity.title, loc="left")
    (_decades if row.to_scale else _places)(axes, row)
    _value_axis(axes, row, quantity)


def _decades(axes: Axes, row: Row) -> None:
    """Name the strengths' axis, logarithmic, in multiples of the weakest."""
    furthest = max(decade for method in row.methods for decade in row.decades(method))
    ticks = log_ticks(1.0, 10**furthest, MOST_TICKS // 2) if furthest > LEAST else {1.0: "1"}
    axes.set_xticks(
        [row.none_at, *map(math.log10, ticks)],
        [NONE, *(f"{one:g}" if one < 1e4 else text for one, text in ticks.items())],
    )
    margin = 0.3 * abs(row.none_at)
    axes.set_xlim(row.none_at - margin, furthest + margin)
    axes.set_xlabel("strength / weakest")


def _places(axes: Axes, row: Row) -> None:
    """Name the places of strengths that are no numbers."""
    step = math.ceil(row.longest / MOST_TICKS)
    first = step if row.longest < MOST_TICKS - 1 else max(step, 2)  # "none" is a longer word than a number
    named = range(first, row.longest + 1, step)
    axes.set_xticks([0, *named], [NONE, *map(str, named)])
    axes.set_xlim(-0.4, row.longest + 0.4)
    axes.set_xlabel("place in the grid")


def _curve(axes: Axes, row: Row, method: str, quantity: Quantity) -> None:
    """The line of a method from none on; the strength it takes, or none, stands out."""
    curve, look = row.curve(method), row.looks[method]
    x, y = np.array(row.positions(method)), quantity.factor * curve[quantity.column].astype(float)
    if quantity.error:
        errors = quantity.factor * curve[quantity.error].astype(float)
        axes.errorbar(x, y, errors, fmt="none", ecolor=look.color, elinewidth=0.6)
    axes.plot(x, y, color=look.color, linestyle=look.line, marker=".", markersize=3, linewidth=1, label=method)
    own = curve["chosen"].astype(bool)
    if np.isfinite(y[own]).any():
        style: dict[str, Any] = {
            "marker": look.marker,
            "markersize": 5,
            "markeredgecolor": "black",
            "markeredgewidth": 0.6,
        }
        axes.plot(x[own], y[own], linestyle="", color=look.color, label=f"chosen of {method}", **style)


def _reference(axes: Axes, none: pd.Series, quantity: Quantity) -> None:
    """The level of none across the panel, and its standard error as a band."""
    level = quantity.factor * float(none[quantity.column])
    if not np.isfinite(level):
        return
    error = quantity.factor * float(none[quantity.error]) if quantity.error else np.nan
    if np.isfinite(error):
        axes.axhspan(level - error, level + error, color="0.88", linewidth=0, zorder=0)
    axes.axhline(level, color=DARK.color, linewidth=0.8, zorder=1, label=NONE)


def _value_axis(axes: Axes, row: Row, quantity: Quantity) -> None:
    values = np.concatenate([np.asarray(line.get_ydata(), float) for line in axes.lines])
    known = values[np.isfinite(values)]
    axes.grid(axis="y")
    if not known.size:
        axes.text(0.5, 0.5, "undefined", ha="center", va="center", transform=axes.transAxes, color="0.4")
        axes.set_yticks([])
        return
    low, high = _focus(axes, known, quantity)
    margin = 0.08 * (high - low) or 0.1 * abs(high) or 0.1
    if quantity.error and low > 0 and high > 10 * low:  # some losses are many times others
        axes.set_yscale("log")
        axes.set_ylim(low / 1.2, high * 1.2)
        ticks = log_ticks(*axes.get_ylim())
        axes.set_yticks(list(ticks), list(ticks.values()))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.set_ylim(low - margin, high + margin)
        axes.yaxis.set_major_locator(MaxNLocator(4))


def _focus(axes: Axes, known: np.ndarray, quantity: Quantity) -> tuple[float, float]:
    """What of the values is shown: strengths much worse than none would squeeze all others into a line."""
    low, high = float(known.min()), float(known.max())
    values = {str(line.get_label()): np.asarray(line.get_ydata(), float) for line in axes.lines}
    none = values.pop(NONE, np.array([np.nan]))[0]
    strengths = np.concatenate([*values.values(), [none]])[:-1]
    strengths = strengths[np.isfinite(strengths)]
    if not quantity.better or not np.isfinite(none) or not strengths.size:
        return low, high
    best = strengths.max() if quantity.better > 0 else strengths.min()
    worst = float(none - quantity.better * REACH * max(abs(best - none), LEAST * abs(none)))
    return (max(low, worst), high) if quantity.better > 0 else (low, min(high, worst))


def _legend() -> list[Line2D | Patch]:
    marks = [Patch(label=mark.text, **mark.look("0.4")) for mark in MARKS]
    none = Line2D([], [], color=DARK.color, linewidth=0.8, label="none")
    return [*marks, none, Patch(color="0.88", label="± its standard error")]


def caption(tables: Tables) -> str:
    """Return the caption: the rule of choice, and what it costs against the best on the test set."""
    tuning = tables["tuning"]
    choices = tuning[tuning["chosen"].astype(bool) & (tuning["method"] != NONE)]
    if choices.empty:
        return f"{QUESTION} No strength is tuned. No runs."
    rules = " or ".join(RULES[rule] for rule in dict.fromkeys(choices["rule"]))
    return (
        f"{QUESTION} Left: mean validation loss of the tuning runs ({_range(tuning['n'])} for each strength) with one"
        " standard error; then means over the evaluation's seeds of train minus test accuracy and of test accuracy."
        f" {_seeds(tuning)} Left end: the baseline; then strengths as multiples of the weakest, to a logarithmic scale,"
        " or by place where they are no numbers. Large marks: what was chosen, at the baseline if no strength was."
        " Lines leave the panel where results are much worse than the baseline."
        f" Chosen: {rules}. Black: the baseline, chosen likewise."
        f"{_along(tuning)}{_undefined(tuning)} {_worth(choices)}"
    )


def _range(counts: pd.Series) -> str:
    low, high = int(counts.min()), int(counts.max())
    return f"{high}" if low == high else f"{low} to {high}"


def _seeds(tuning: pd.DataFrame) -> str:
    seeds = int(tuning["test_n"].max())
    return "1 seed per variant, so no interval." if seeds == 1 else f"At most {seeds} seeds per variant."


def _along(tuning: pd.DataFrame) -> str:
    several = tuning.groupby(["setting", "kind", "method"])["regime"].nunique().max() > 1
    told = (
        " Where the learning rate or another key was tuned too, a line is drawn at the value chosen; other marks in the"
        " table may be at another value."
    )
    return told if several else ""


def _undefined(tuning: pd.DataFrame) -> str:
    candidates = tuning.drop_duplicates(["setting", "kind", "regime", "label"])
    lost = int((~np.isfinite(candidates["validation_loss"].astype(float))).sum())
    return f" Strengths without a finite validation loss, left out: {lost} of {len(candidates)}." if lost else ""


def _worth(choices: pd.DataFrame) -> str:
    """How often choices agree, and what the best would have given."""
    best, same = int(choices["best_on_test"].sum()), int(choices["chosen_by_training"].sum())
    edge = int((choices["edge"].notna() & (choices["edge"] != "")).sum())
    return (
        f"The choice is the best on the test set in {best} of {len(choices)} cases{_regret(choices)}; the"
        " training loss"
        f" would choose the same in {same}. {edge} of the choices lie at an end of what was tried, or have no grid."
    )


def _regret(choices: pd.DataFrame) -> str:
    known = choices[choices["regret"].notna()]
    if known.empty:
        return ""
    regret = 100 * known["regret"].astype(float)
    worst = known.iloc[int(regret.argmax())]
    where = f"{regret.max():.2f}, by {short_name(str(worst['method']))}"
    return f", and {regret.mean():.2f} percentage points of test accuracy below it on average (at most {where})"
