"""Forest plot of what each clip and each regularization does alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from study.analysis.comparisons import BOTH_FAIL
from study.analysis.conventions import ALPHA
from study.figures._layout import LINE, legend, lines, message, name_rows, named, page, row_centres, title_of_block
from study.figures._style import NONE, Look, Style, styled
from study.figures._summaries import alone, diverged_sentence, present, regimes, seeds_sentence
from study.results.store import Tables

NAME = "gap_forest"
QUESTION = "Which clips and which regularizations, each alone, change the overfitting gap and the test accuracy?"
NEEDS = ("comparisons", "runs")
SCORED = True


AXIS_LABELS = {
    "gap_accuracy": "change in accuracy gap, train − test\n(percentage points; left: less overfitting)",
    "test_accuracy": "change in test accuracy\n(percentage points; right: better)",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the forest: a variant, or a heading when there is no look."""

    name: str
    clip: str = NONE
    regularization: str = NONE
    look: Look | None = None

    def of(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of a table which are of this variant."""
        return frame[(frame["clip"] == self.clip) & (frame["regularization"] == self.regularization)]


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """Paired differences to the baseline (rows: variants; facets: regime x metric)."""
    comparisons, runs = _shown(tables["comparisons"]), tables["runs"]
    if comparisons.empty:
        return message(style, "Nothing to compare: the study holds no clip and no regularization but none.")
    parts = {regime: comparisons[comparisons["regime"] == regime] for regime in regimes(comparisons)}
    rows = {regime: _rows(part, style) for regime, part in parts.items()}
    heights = [LINE * sum(lines(named(row.name)) for row in rows[regime]) for regime in parts]
    figure = page(style, sum(heights) + 0.65 * len(heights), apart=0.07)
    grid = figure.add_gridspec(len(parts), len(AXIS_LABELS), height_ratios=heights)
    for line, (regime, part) in enumerate(parts.items()):
        panels = [figure.add_subplot(grid[line, column]) for column in range(len(AXIS_LABELS))]
        for axes, metric in zip(panels, AXIS_LABELS, strict=True):
            _panel(axes, rows[regime], part[part["metric"] == metric], metric)
        panels[-1].tick_params(labelleft=False)
        title_of_block(panels[0], style.regime(regime))
        _notes(panels[-1], rows[regime], part, runs[runs["regime"] == regime])
    legend(figure, _legend(), style)
    return figure


def _shown(comparisons: pd.DataFrame) -> pd.DataFrame:
    family = comparisons["family"].isin(["clip", "regularization"])
    return alone(comparisons[family & comparisons["metric"].isin(list(AXIS_LABELS))])


def _rows(part: pd.DataFrame, style: Style) -> list[Row]:
    clips = present(part[part["family"] == "clip"], "clip", style.clips)
    others = present(part[part["family"] == "regularization"], "regularization", style.regularizations)
    first = [Row(name, clip=name, look=style.clips[name]) for name in clips]
    second = [Row(name, regularization=name, look=style.regularizations[name]) for name in others]
    headed = (("clipping alone", first), ("regularization alone", second))
    return [row for heading, group in headed if group for row in (Row(heading), *group)]


def _panel(axes: Axes, rows: Sequence[Row], part: pd.DataFrame, metric: str) -> None:
    axes.axvline(0, color="0.3", linewidth=0.8, zorder=1)
    labels = [named(row.name) for row in rows]
    name_rows(axes, labels)
    for height, row in zip(row_centres(labels), rows, strict=True):
        for found in row.of(part).to_dict("records") if row.look else []:
            numbers = {key: float(found[key]) for key in ("estimate", "low", "high", "p_adjusted")}
            if found["method"] == BOTH_FAIL:
                axes.text(0, height, " both fail", va="center", color="0.4")
                continue
            _estimate(axes, height, row, **numbers)
    for row, label in zip(rows, axes.get_yticklabels(), strict=True):
        label.set_fontstyle("normal" if row.look else "italic")
    if not part["estimate"].notna().any():
        axes.set_xlim(-1, 1)
    axes.set_xlabel(AXIS_LABELS[metric])
    axes.grid(axis="x")


def _estimate(axes: Axes, height: float, row: Row, estimate: float, low: float, high: float, p_adjusted: float) -> None:
    look = row.look
    assert look is not None
    if not math.isfinite(estimate):
        axes.text(0, height, " undefined", va="center", color="0.4")
        return
    inside = look.color if p_adjusted < ALPHA else "white"  # an undefined p is not significant
    axes.plot([100 * low, 100 * high], [height, height], color=look.color, label=f"interval of {row.name}")
    axes.plot([100 * estimate], [height], look.marker, color=look.color, markerfacecolor=inside, label=row.name)


def _notes(axes: Axes, rows: Sequence[Row], comparisons: pd.DataFrame, runs: pd.DataFrame) -> None:
    """How many pairs there are where some are undefined, and how many runs diverged, right of the panel."""
    for height, row in zip(row_centres([named(row.name) for row in rows]), rows, strict=True):
        pairs, own = row.of(comparisons), row.of(runs)
        diverged = int((own["status"] == "diverged").sum())
        notes = [f"n = {pairs['n'].min()}"] if pairs["n_undefined"].max() > 0 else []
        notes += [f"{diverged}/{len(own)} div"] if diverged else []
        if row.look and notes:
            axes.text(1.02, height, ", ".join(notes), va="center", transform=axes.get_yaxis_transform())


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], color="0.2", marker="o", label=f"Holm-adjusted p < {ALPHA:.2f}"),
        Line2D([], [], color="0.2", marker="o", markerfacecolor="white", label="not significant"),
        Line2D([], [], linestyle="", label="k/n div: k of n runs diverged"),
    ]


def caption(tables: Tables) -> str:
    """Return the caption: seeds, which intervals, and what was left out."""
    comparisons, runs = _shown(tables["comparisons"]), alone(tables["runs"])
    named = {text.split(";")[0] for text in comparisons["method"].astype(str)}
    methods = ", ".join(sorted(named - {"degenerate", "no interval", BOTH_FAIL}))
    failed = int((comparisons.loc[comparisons["metric"] == "gap_accuracy", "method"] == BOTH_FAIL).sum())
    nothing = f" Left out, since most runs failed on both sides: {failed} variants." if failed else ""
    lost = int(comparisons.loc[comparisons["metric"] == "gap_accuracy", "n_undefined"].sum())
    left_out = f" Pairs left out because the gap is undefined: {lost}." if lost else ""
    return (
        f"{QUESTION} Differences to the run of the same seed with neither (percentage points) and their 95 %"
        f" intervals{f' ({methods})' if methods else ''}; the facets have scales of their own. {seeds_sentence(runs)}"
        f" Filled markers: Holm-adjusted p < {ALPHA:.2f}.{nothing}{left_out} {diverged_sentence(runs)}"
    )
