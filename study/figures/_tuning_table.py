"""The candidates of tuned methods as the figure of the tuning shows them, and the table of what was chosen."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from study.figures._layout import row_centres, wrap
from study.figures._style import NONE, Look
from study.figures._summaries import numbers_of
from study.methods.phrases import short_name

ROW_HEIGHT = 0.17  # inches which a row of the table of choices needs
NAME_LETTERS = 14  # characters of a line of a row's name


@dataclass(frozen=True, slots=True)
class Mark:
    """Marks the cells of the candidates for which a column of the tuning is true; `inset` keeps frames apart."""

    column: str
    text: str
    inset: tuple[float, float]
    frame: Mapping[str, Any]

    def look(self, color: str) -> dict[str, Any]:
        """Its properties as a patch, for a method of this colour."""
        return {"facecolor": "none", **self.frame} | ({"facecolor": color, "alpha": 0.35} if not self.frame else {})


MARKS = (
    Mark("chosen", "chosen", (0.03, 0.04), {}),
    Mark("best_on_test", "best on the test set", (0.03, 0.04), {"edgecolor": "black", "linewidth": 0.9}),
    Mark("chosen_by_training", "the training loss would choose this", (0.07, 0.13),
         {"edgecolor": "0.3", "linewidth": 0.8, "linestyle": (0, (2, 1.5))}),
)  # fmt: skip


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
        """None (place 0) and the strengths of a method in the regime of the chosen one, with their places."""
        own = self.table[self.table["method"] == method]
        own = own[own["regime"] == self.chosen(method)["regime"]]
        return own.assign(place=range(len(own)))

    def decades(self, method: str) -> list[float]:
        """Return how many times stronger each strength is than the weakest, in powers of ten; nothing of no numbers."""
        numbers = numbers_of(self.curve(method)["label"].tolist()[1:])
        return [abs(math.log10(number / numbers[0])) for number in numbers]

    @property
    def to_scale(self) -> bool:
        """Return whether the strengths of all methods are numbers."""
        return all(self.decades(method) for method in self.methods)

    @property
    def none_at(self) -> float:
        """Place of the baseline, left of the weakest strengths at 0 decades."""
        return -0.35 * max([0.3, *(decade for method in self.methods for decade in self.decades(method))])

    def positions(self, method: str) -> list[float]:
        """Places of the baseline and of a method's strengths: in decades, else by their order in the grid."""
        if self.to_scale:
            return [self.none_at, *self.decades(method)]
        return [float(place) for place in self.curve(method)["place"]]

    @property
    def longest(self) -> int:
        """The most strengths of a method."""
        return max(len(self.curve(method)) - 1 for method in self.methods)

    def name(self, method: str) -> str:
        """The method, and what was chosen along with its strength."""
        chosen = self.chosen(method)
        setting, regime = str(chosen["setting"]), str(chosen["regime"])
        at = "" if regime == setting else f" ({regime.removeprefix(f'{setting}_')})"
        return wrap(short_name(method) + at, NAME_LETTERS)

    @property
    def names(self) -> list[str]:
        """The names of the table's rows."""
        return [self.name(method) for method in self.methods]


def draw_choices(axes: Axes, row: Row, height: float, cells: int) -> None:
    """A table: methods below each other, beside each its strengths; frames and fills say which is which."""
    names = row.names
    axes.set_yticks(row_centres(names), names)
    axes.set_ylim(height / ROW_HEIGHT, 0)
    axes.set_xlim(-0.5, cells - 0.5)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for tick, method in zip(axes.get_yticklabels(), row.methods, strict=True):
        tick.set_color(row.looks[method].color)
    for middle, method in zip(row_centres(names), row.methods, strict=True):
        for place, strength in enumerate([NONE, *_strengths(row.curve(method)["label"].tolist()[1:])]):
            axes.text(place, middle, strength, ha="center", va="center")
        for mark in MARKS:
            _mark(axes, row, method, middle, mark)


def _strengths(grid: Sequence[str]) -> list[str]:
    """The strengths in the fewest characters, or their places where they are no numbers."""
    numbers = numbers_of(grid)
    return [_short(number) for number in numbers] if numbers else [f"{n}" for n in range(1, len(grid) + 1)]


def _short(number: float) -> str:
    plain = f"{number:g}"
    if len(plain) <= 4:
        return plain.removeprefix("0") if plain.startswith("0.") else plain
    digits, _, exponent = f"{number:.2e}".partition("e")
    return f"{float(digits):g}e{int(exponent)}"


def _mark(axes: Axes, row: Row, method: str, middle: float, mark: Mark) -> None:
    """At the strength of the candidate, whatever else was chosen along."""
    own = row.table[(row.table["method"] == method) & row.table[mark.column].astype(bool)]
    grid = row.curve(method)["label"].tolist()
    for place in dict.fromkeys(grid.index(label) for label in own["label"]):
        x, y = mark.inset
        look = mark.look(row.looks[method].color)
        corner = (place - 0.5 + x, middle - 0.5 + y)
        axes.add_patch(Rectangle(corner, 1 - 2 * x, 1 - 2 * y, label=f"{mark.column} of {method}", **look))
