"""Which variants diverge, how often, and from what."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from study.figures.layout import NAMES, legend, lines, name_columns, page, wrap
from study.figures.style import FAINT, Style, Tables, styled
from study.figures.summaries import diverged_sentence, present, regimes, seeds_sentence

NAME = "divergence"
QUESTION = "Which variants diverge, how often, and from what cause?"
NEEDS = ("runs",)

FAILED = "failed for another reason"
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
    "chance level": Fill("#EEDD88", "...."),
    FAILED: Fill("#BBBBBB", "xxxx"),
}


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """A bar per variant, split by cause, full at 100 % of its runs (columns: clips)."""
    runs = _with_cause(tables["runs"])
    parts = {regime: runs[runs["regime"] == regime] for regime in regimes(runs)}
    heights = [_height(part, style) for part in parts.values()]
    figure = page(style, sum(heights) + sum(0.3 if height < 0.1 else 1.2 for height in heights))
    grid = figure.add_gridspec(len(parts), 1, height_ratios=heights)
    for line, (regime, part) in enumerate(parts.items()):
        axes = figure.add_subplot(grid[line])
        sentence = diverged_sentence(part).rstrip(".")
        axes.set_title(f"{regime}: {sentence[0].lower()}{sentence[1:]}", loc="left")
        if (part["cause"] != "").any():
            _panel(axes, part, style)
        else:
            axes.set_axis_off()
    causes = [cause for cause in FILLS if cause in set(runs["cause"])]
    if causes:
        legend(figure, [_patch(cause) for cause in causes], style)
    return figure


def _with_cause(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs with an empty cause exactly when they are well."""
    cause = runs["cause"].where(runs["status"] == "diverged", "").mask(runs["status"] == "failed", FAILED)
    return runs.assign(cause=cause)


def _height(runs: pd.DataFrame, style: Style) -> float:
    if (runs["cause"] == "").all():
        return 0.001
    names = [wrap(name) for name in present(runs, "regularization", style.regularizations)]
    return len(names) * max(0.24, 0.125 * max(map(lines, names)) + 0.02)


def _patch(cause: str) -> Patch:
    fill = FILLS[cause]
    return Patch(facecolor=fill.color, hatch=fill.hatch, edgecolor="0.3", linewidth=0.4, label=cause)


def _panel(axes: Axes, runs: pd.DataFrame, style: Style) -> None:
    clips = present(runs, "clip", style.clips)
    others = present(runs, "regularization", style.regularizations)
    for column, clip in enumerate(clips):
        for row, other in enumerate(others):
            own = runs[(runs["clip"] == clip) & (runs["regularization"] == other)]
            if len(own):
                _cell(axes, column, row, own["cause"])
    name_columns(axes, range(len(clips)), clips, (style.width - NAMES) / len(clips))
    axes.set_yticks(range(len(others)), [wrap(name) for name in others])
    axes.set_xlim(-0.5, len(clips) - 0.5)
    axes.set_ylim(len(others) - 0.5, -0.5)
    axes.set_xlabel("clipping (a full bar: 100 % of the runs)")
    axes.set_ylabel("regularization")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


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
    """What is shown, how many seeds, and how many runs diverged of what."""
    runs = _with_cause(tables["runs"])
    counts = runs.loc[runs["cause"] != "", "cause"].value_counts()
    causes = ", ".join(f"{cause} {counts[cause]}" for cause in FILLS if cause in counts)
    return (
        f"{QUESTION} k/n: k of the n runs of a variant were lost; the bar shows their share by cause."
        f" {seeds_sentence(runs)} {diverged_sentence(runs)}" + (f" Causes: {causes}." if causes else "")
    )
