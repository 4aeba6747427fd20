"""Figure of which variants diverge, how often, and from what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from study.figures._layout import CELL, NAME_WIDTH, cell_height, in_blocks, legend, name_cells, page
from study.figures._style import FAINT, Style, styled
from study.figures._summaries import diverged_sentence, present, regimes, seeds_sentence
from study.results.store import Tables

NAME = "divergence"
QUESTION = "Which variants diverge, how often, and from what cause?"
NEEDS = ("runs",)

OTHER = "another cause"
WIDTH, HEIGHT = 0.92, 0.8  # of a full bar, in cells


@dataclass(frozen=True, slots=True)
class Fill:
    """Colour and hatch of a cause."""

    color: str
    hatch: str


# Paul Tol's "light", with hatches for grey printing
FILLS: Mapping[str, Fill] = {
    "non-finite loss": Fill("#EE8866", ""),
    "non-finite gradient": Fill("#77AADD", "////"),
    "non-finite parameters": Fill("#FFAABB", "----"),
    "chance level": Fill("#EEDD88", "...."),
    OTHER: Fill("#BBBBBB", "xxxx"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One panel: its title, the runs of its regime, and the clips and regularizations in it."""

    title: str
    runs: pd.DataFrame
    clips: Sequence[str]
    others: Sequence[str]


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """A bar per variant, split by cause, full at 100 % of its runs (columns: clips)."""
    runs = _with_cause(tables["runs"])
    parts = [part for regime in regimes(runs) for part in _parts(runs[runs["regime"] == regime], style)]
    heights = [len(part.others) * cell_height(part.others) if part.others else 0.001 for part in parts]
    figure = page(
        style,
        sum(height + (1.2 if part.others else 0.3) for height, part in zip(heights, parts, strict=True)),
    )
    grid = figure.add_gridspec(len(parts), 1, height_ratios=heights)
    for line, part in enumerate(parts):
        axes = figure.add_subplot(grid[line])
        axes.set_title(part.title, loc="left")
        if part.others:
            _panel(axes, part, style)
        else:
            axes.set_axis_off()
    causes = [cause for cause in FILLS if cause in set(runs["cause"])]
    if causes:
        legend(figure, [_patch(cause) for cause in causes], style)
    return figure


def _with_cause(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs with an empty cause exactly when they are well."""
    known = runs["cause"].where(runs["cause"].isin(list(FILLS)), OTHER)
    return runs.assign(cause=known.mask(runs["status"] == "ok", ""))


def _parts(runs: pd.DataFrame, style: Style) -> list[Part]:
    """The panels of one regime; a regime in which every run is well gets a line of text."""
    sentence = diverged_sentence(runs).rstrip(".")
    title = f"{style.regime(runs['regime'].iloc[0])}: {sentence[0].lower()}{sentence[1:]}"
    if (runs["cause"] == "").all():
        return [Part(title, runs, [], [])]
    others = present(runs, "regularization", style.regularizations)
    blocks = in_blocks(present(runs, "clip", style.clips), int((style.width - NAME_WIDTH) / CELL))
    return [Part(title, runs, block, others) for block in blocks]


def _patch(cause: str) -> Patch:
    fill = FILLS[cause]
    return Patch(facecolor=fill.color, hatch=fill.hatch, edgecolor="0.3", linewidth=0.4, label=cause)


def _panel(axes: Axes, part: Part, style: Style) -> None:
    causes = dict(list(part.runs.groupby(["clip", "regularization"])["cause"]))
    for column, clip in enumerate(part.clips):
        for row, other in enumerate(part.others):
            if (clip, other) in causes:
                _cell(axes, column, row, causes[clip, other])
    name_cells(axes, part.clips, part.others, style.width - NAME_WIDTH)
    axes.set_xlabel("clipping (a full bar: 100 % of the runs)")
    axes.set_ylabel("regularization")


def _cell(axes: Axes, column: int, row: int, causes: pd.Series) -> None:
    left = column - WIDTH / 2
    axes.barh(row, WIDTH, HEIGHT, left=left, color=FAINT)
    for cause in FILLS:
        share = WIDTH * float((causes == cause).mean())
        if share > 0:
            look = FILLS[cause]
            axes.barh(row, share, HEIGHT, left=left, color=look.color, hatch=look.hatch, edgecolor="0.3",
                      linewidth=0.4, label=cause)  # fmt: skip
            left += share
    lost = int((causes != "").sum())
    text = axes.text(column, row, f"{lost}/{len(causes)}", ha="center", va="center")
    if lost:
        text.set_path_effects([withStroke(linewidth=2, foreground="white")])
    else:
        text.set_color("0.4")


def caption(tables: Tables) -> str:
    """Return the caption: seeds, and how many runs diverged of what."""
    runs = _with_cause(tables["runs"])
    counts = runs.loc[runs["cause"] != "", "cause"].value_counts()
    causes = ", ".join(f"{cause} {counts[cause]}" for cause in FILLS if cause in counts)
    return (
        f"{QUESTION} k/n: k of the n runs of a variant were lost; the bar shows their share by cause."
        f" {seeds_sentence(runs)} {diverged_sentence(runs)}" + (f" Causes: {causes}." if causes else "")
    )
