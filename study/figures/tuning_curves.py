"""The tuning of every method: validation loss, gap and test accuracy by strength, and which strength was chosen."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, NullLocator

from study.figures.layout import (
    HEADING,
    LINE,
    Places,
    heading,
    in_blocks,
    legend,
    lines,
    log_ticks,
    message,
    page,
    side_legend,
    wrap,
)
from study.figures.style import DARK, NONE, Look, Style, Tables, by_method, styled
from study.figures.summaries import present, without_infinities

NAME = "tuning_curves"
QUESTION = "How do loss, gap and accuracy change with each method's strength, and how good is the strength chosen?"
NEEDS = ("tuning",)
SWEPT = True

KINDS = {"clip": "clipping alone", "regularization": "regularization alone"}
RULES = {
    "minimum": "the smallest mean validation loss",
    "one_standard_error": "the strongest within one standard error of the smallest mean validation loss",
}
MOST = 8  # methods in a row of panels


@dataclass(frozen=True, slots=True)
class Quantity:
    """A column of the tuning, its title, its unit as a factor, and the column of its standard error, if any."""

    column: str
    title: str
    factor: float
    error: str = ""


QUANTITIES = (
    Quantity("validation_loss", "validation loss", 1.0, "validation_se"),
    Quantity("gap_accuracy", "accuracy gap\n(percentage points)", 100.0),
    Quantity("test_accuracy", "test accuracy (%)", 100.0),
)


@dataclass(frozen=True, slots=True)
class Mark:
    """Marks the candidates for which a column of the tuning is true; face and edge are those of the method if None."""

    column: str
    text: str
    marker: str
    size: float
    face: str | None = None
    edge: str | None = None

    def look(self, color: str) -> dict[str, Any]:
        """Its properties as a line, for a method of this colour."""
        faces = {"markerfacecolor": self.face or color, "markeredgecolor": self.edge or color}
        return {"linestyle": "", "marker": self.marker, "markersize": self.size, "markeredgewidth": 0.7, **faces}


MARKS = (  # from the largest to the smallest, so that all are seen where they meet
    Mark("chosen_by_training", "the training loss would choose this", "s", 7.5, face="none"),
    Mark("chosen", "chosen", "*", 8.0),
    Mark("best_on_test", "best on the test set", "^", 3.2, face="white", edge="black"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """The panels of some methods of a kind in one setting: their candidates and looks."""

    title: str
    table: pd.DataFrame
    methods: Sequence[str]
    looks: Mapping[str, Look]

    def chosen(self, method: str) -> pd.Series:
        """The candidate that a method takes."""
        return self.table[(self.table["method"] == method) & self.table["chosen"]].iloc[0]

    def curve(self, method: str) -> pd.DataFrame:
        """The strengths of a method in the regime of the chosen one."""
        own = self.table[(self.table["method"] == method) & (self.table["label"] != NONE)]
        return own[own["regime"] == self.chosen(method)["regime"]]


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """Rows: settings and kinds; columns: validation loss, accuracy gap, test accuracy; a line per method."""
    rows = list(_rows(tables["tuning"], by_method(style)))
    if not rows:
        return message(style, "Nothing was tuned: the study chooses no strength of any clip or regularization.")
    entries = [_entries(row) for row in rows]
    heights = [max(1.1, LINE * sum(lines(str(entry.get_label())) for entry in several)) for several in entries]
    figure = page(style, sum(heights) + (HEADING + 0.5) * len(heights))
    grid = figure.add_gridspec(
        2 * len(rows), len(QUANTITIES), height_ratios=[x for height in heights for x in (HEADING, height)]
    )
    for line, row in enumerate(rows):
        heading(figure, grid[2 * line, 0], row.title)
        places = Places.of([row.curve(method)["label"].tolist() for method in row.methods])
        panels = [figure.add_subplot(grid[2 * line + 1, column]) for column in range(len(QUANTITIES))]
        for axes, quantity in zip(panels, QUANTITIES, strict=True):
            _panel(axes, row, quantity, places)
        side_legend(panels[-1], entries[line])
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
                yield Row(f"{setting}: {KINDS[kind]}{count}", part, block, looks)


def _panel(axes: Axes, row: Row, quantity: Quantity, places: Places) -> None:
    for method in row.methods:
        _curve(axes, row.curve(method), quantity, places, row.looks[method])
    for mark in MARKS:
        _marks(axes, row, quantity, places, mark)
    _reference(axes, row.chosen(NONE), quantity)
    places.label(axes)
    _value_axis(axes, quantity)


def _curve(axes: Axes, curve: pd.DataFrame, quantity: Quantity, places: Places, look: Look) -> None:
    curve = curve.assign(x=[places.x(label) for label in curve["label"]]).sort_values("x")
    x, y = curve["x"], quantity.factor * curve[quantity.column].astype(float)
    if quantity.error:
        errors = quantity.factor * curve[quantity.error].astype(float)
        axes.errorbar(x, y, errors, fmt="none", ecolor=look.color, elinewidth=0.6)
    name = curve["method"].iloc[0]
    axes.plot(x, y, color=look.color, linestyle=look.line, marker=".", markersize=3, linewidth=1, label=name)


def _marks(axes: Axes, row: Row, quantity: Quantity, places: Places, mark: Mark) -> None:
    """Several methods may take none: in its slot their marks stand side by side."""
    slots = np.linspace(-1, 1, len(row.methods) + 2)[1:-1]
    for method, slot in zip(row.methods, slots, strict=True):
        own = row.table[(row.table["method"] == method) & row.table[mark.column]]
        x, y = [places.x(label, slot) for label in own["label"]], quantity.factor * own[quantity.column].astype(float)
        if np.isfinite(y).any():
            color = row.looks[method].color
            axes.plot(x, y, color=color, label=f"{mark.column} of {method}", **mark.look(color))


def _reference(axes: Axes, none: pd.Series, quantity: Quantity) -> None:
    """The level of none across the panel, and its standard error as a band."""
    level = quantity.factor * float(none[quantity.column])
    if not np.isfinite(level):
        return
    error = quantity.factor * float(none[quantity.error]) if quantity.error else np.nan
    if np.isfinite(error):
        axes.axhspan(level - error, level + error, color="0.88", linewidth=0, zorder=0)
    axes.axhline(level, color=DARK.color, linewidth=0.8, zorder=1, label=NONE)


def _value_axis(axes: Axes, quantity: Quantity) -> None:
    values = np.concatenate([np.asarray(line.get_ydata(), float) for line in axes.lines])
    known = values[np.isfinite(values)]
    axes.set_ylabel(quantity.title)
    axes.grid(axis="y")
    axes.margins(y=0.1)
    if not known.size:
        axes.text(0.5, 0.5, "undefined", ha="center", va="center", transform=axes.transAxes, color="0.4")
        axes.set_yticks([])
    elif quantity.error and known.min() > 0 and known.max() > 10 * known.min():  # some losses are many times others
        axes.set_yscale("log")
        ticks = log_ticks(*axes.get_ylim())
        axes.set_yticks(list(ticks), list(ticks.values()))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.yaxis.set_major_locator(MaxNLocator(4))


def _entries(row: Row) -> list[Line2D]:
    """The methods of a row with their chosen candidates."""
    return [_entry(row.chosen(method), row.looks[method]) for method in row.methods]


def _entry(chosen: pd.Series, look: Look) -> Line2D:
    strength = f"{chosen['method']}: {NONE}" if chosen["label"] == NONE else str(chosen["label"])
    setting, regime = str(chosen["setting"]), str(chosen["regime"])
    at = "" if regime == setting else f", {regime.removeprefix(f'{setting}_')}"
    return Line2D([], [], color=look.color, linestyle=look.line, linewidth=1, label=wrap(strength + at, 20))


def _legend() -> list[Line2D | Patch]:
    marks = [Line2D([], [], label=mark.text, **mark.look("0.2")) for mark in (*MARKS[1:], MARKS[0])]
    none = Line2D([], [], color=DARK.color, linewidth=0.8, label="none")
    return [*marks, none, Patch(color="0.88", label="± its standard error")]


def caption(tables: Tables) -> str:
    """What is shown, by which rule strengths were chosen, and what that costs against the best on the test set."""
    tuning = tables["tuning"]
    choices = tuning[tuning["chosen"].astype(bool) & (tuning["method"] != NONE)]
    if choices.empty:
        return f"{QUESTION} No strength is tuned. No runs."
    rules = " or ".join(RULES[rule] for rule in dict.fromkeys(choices["rule"]))
    return (
        f"{QUESTION} Left: mean validation loss of the tuning runs ({_range(tuning['n'])} for each strength) with one"
        " standard error; middle and right: means over the evaluation's seeds of train minus test accuracy and of test"
        f" accuracy. {_seeds(tuning)} Strengths stand by their first parameter on a log axis where"
        " all are numbers and of like range, else by their place in the grid; beside the panels stand the chosen ones."
        f" Chosen: {rules}. Black: none, chosen likewise."
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
        " Where other keys, such as the learning rate, are tuned along, the line of a method is drawn at the point of"
        " them that was chosen; a mark off its line belongs to another point."
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
        f"The choice is the best on the test set in {best} of {len(choices)} cases{_regret(choices)}; the training loss"
        f" would choose the same in {same}. At an end of what was tried lie {edge} of the choices."
    )


def _regret(choices: pd.DataFrame) -> str:
    known = choices[choices["regret"].notna()]
    if known.empty:
        return ""
    regret = 100 * known["regret"].astype(float)
    worst = known.iloc[int(regret.argmax())]
    where = f"{regret.max():.2f} by {worst['method']} in {worst['setting']}"
    return f", and {regret.mean():.2f} percentage points of test accuracy below it on average (at most {where})"
