"""Figure of one step of training: its stages in order, and which methods of the study act at each."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from study.figures._layout import page, wrap
from study.figures._style import FAINT, NONE, Style, styled
from study.figures._summaries import seeds_sentence
from study.regularization import Regularization
from study.results.store import Tables

NAME = "step"
QUESTION = "In which order does a step act, and where does each clip and each regularizer come in?"
NEEDS = ("runs",)

WIDTH, GAP, BOX = 0.66, 0.15, 0.26  # inches: of a stage, between two of them, and the height of a box
PER_LINE = 12  # characters
LINE = 0.13  # inches
BEFORE, AFTER = "gradient before the clip", "gradient after it"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the step; places: those of the regularizers that act there."""

    name: str
    places: tuple[str, ...] = ()
    clips: bool = False


STAGES = (
    Stage("batch", ("data",)),
    Stage("network", ("model",)),
    Stage("loss", ("loss",)),
    Stage("gradient", (BEFORE,)),
    Stage("clip", clips=True),
    Stage("optimizer", (AFTER,)),
    Stage("update", ("update", "projection")),
    Stage("evaluation", ("evaluation", "stopping")),
)


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """Boxes from left to right, one a stage, with the methods of the study below."""
    texts = [_methods(stage, tables["runs"]) for stage in STAGES]
    deepest = max(text.count("\n") + 1 for text in texts)
    figure = page(style, BOX + 0.15 + LINE * deepest)
    axes = figure.add_subplot()
    for place, (stage, text) in enumerate(zip(STAGES, texts, strict=True)):
        _box(axes, place, stage, text)
    end = len(STAGES) * (WIDTH + GAP) - GAP
    axes.set(xlim=(-0.03, end + 0.03), ylim=(-LINE * deepest - 0.08, BOX + 0.02))
    axes.set_axis_off()
    return figure


def _box(axes: Axes, place: int, stage: Stage, text: str) -> None:
    left = place * (WIDTH + GAP)
    color = "0.82" if stage.clips else FAINT
    style = "round,pad=0,rounding_size=0.03"
    box = FancyBboxPatch((left, 0), WIDTH, BOX, boxstyle=style, facecolor=color, edgecolor="0.4", linewidth=0.6)
    axes.add_patch(box)
    weight = "bold" if stage.clips else "normal"
    axes.text(left + WIDTH / 2, BOX / 2, stage.name, ha="center", va="center", weight=weight)
    axes.text(left + WIDTH / 2, -0.06, text, ha="center", va="top", linespacing=1.3)
    if place:
        arrow = {"arrowstyle": "-|>", "linewidth": 0.8, "color": "0.3", "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", xy=(left - 0.02, BOX / 2), xytext=(left - GAP + 0.02, BOX / 2), arrowprops=arrow)


def _methods(stage: Stage, runs: pd.DataFrame) -> str:
    """Return the methods that act at a stage below each other, those of several lines told apart by commas."""
    names = _names(runs["clip_method"]) if stage.clips else _acting(stage.places, _names(runs["regularization_method"]))
    return ",\n".join(wrap(name.replace("_", " "), PER_LINE) for name in names)


def _names(column: pd.Series) -> list[str]:
    """Return the methods of a column in their order, those of combinations one by one."""
    each = [name for label in column.dropna().unique() for name in str(label).split(" + ")]
    return [name for name in dict.fromkeys(each) if name != NONE]


def _acting(places: Collection[str], names: Sequence[str]) -> list[str]:
    members = {name: one for name, one in Regularization.members.items() if issubclass(one, Regularization)}
    return [name for name in names if name in members and _place(members[name]) in places]


def _place(method: type[Regularization]) -> str:
    if method.place != "gradient":
        return method.place
    return AFTER if method.overrides("after_clip") else BEFORE


def caption(tables: Tables) -> str:
    """Return the caption: how to read it, and seeds."""
    return (
        f"{QUESTION} From left to right; below each stage the methods of this study that act there. A penalty in the "
        "loss is clipped together with the gradient of the data, a regularizer of the update is not. "
        f"{seeds_sentence(tables['runs'])}"
    )
