"""The ledger: every contrast of every claim with its interval, against what would matter, and its verdict."""

import math
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from study.figures._layout import HEADING, LINE, heading, legend, lines, message, name_rows, page, row_centres, wrap
from study.figures._style import Style, styled
from study.methods.phrases import names_of, told_by
from study.results.claims_words import plain
from study.results.store import Tables

NAME = "claims"
QUESTION = "Which claims hold?"
NEEDS = ("claims",)
SWEPT = True
SCORED = True

VERDICTS: Mapping[str, tuple[str, str]] = {
    "supported": ("tab:blue", "o"),
    "contradicted": ("tab:red", "X"),
    "undecided": ("0.5", "D"),
}
NOT_COMPARED = {"same cell": "  the same cell on both sides", "gaps below zero": "  both gaps below zero"}
FURTHEST = 100.0  # in units of what would matter; farther points stand at the edge with their number
WIDTH = 44
TITLE_WIDTH = 92


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """A block per claim; rows: its contrasts, each in units of the smallest effect of interest, symmetric log axis."""
    ledger = tables["claims"]
    if ledger.empty:
        return message(style, "The study names no claims.")
    names = {**names_of([*style.clips, *style.regularizations]), **style.regimes}
    blocks = [(str(claim), part) for claim, part in ledger.groupby("claim", sort=False)]
    titles = [_title(part) for _, part in blocks]
    above = [HEADING * len(title.splitlines()) for title in titles]
    heights = [LINE * sum(lines_of(label) for label in _labels(part, names)) + 0.05 for _, part in blocks]
    figure = page(style, sum(heights) + sum(above) + 0.14 * len(heights) + 0.5)
    rows = [ratio for pair in zip(above, heights, strict=True) for ratio in pair]
    grid = figure.add_gridspec(2 * len(blocks), 1, height_ratios=rows)
    first: Axes | None = None
    for line, (_, part) in enumerate(blocks):
        heading(figure, grid[2 * line, 0], titles[line], whole=True)
        axes = figure.add_subplot(grid[2 * line + 1, 0], sharex=first)
        first = first or axes
        _contrasts(axes, part, names)
        axes.tick_params(labelbottom=line == len(blocks) - 1)
    assert first is not None
    first.set_xscale("symlog", linthresh=2.0, linscale=1.2)
    first.set_xlim(-FURTHEST * 1.3, FURTHEST * 1.3)
    first.set_xticks([-100, -10, -2, -1, 0, 1, 2, 10, 100], ["−100", "−10", "−2", "−1", "0", "1", "2", "10", "100"])
    axes.set_xlabel("difference as claimed, in units of the smallest that would matter")
    legend(figure, _legend(), style)
    return figure


def _title(part: pd.DataFrame) -> str:
    """The verdict, how many contrasts hold, and the claim, in lines that the panel has room for."""
    held, asked = int((part["contrast_verdict"] == "supported").sum()), str(part["combine"].iloc[0])
    compared = int((~part["contrast_verdict"].isin(NOT_COMPARED)).sum())
    how = f"{held} of {compared} hold, {asked} must" if compared else "nothing compared"
    verdict = f"{part['verdict'].iloc[0]} ({how})"
    return wrap(f"{verdict}: {plain(part['statement'].iloc[0])}", TITLE_WIDTH)


def lines_of(label: str) -> int:
    """Return the number of lines of a row."""
    return lines(wrap(label, WIDTH))


def _labels(part: pd.DataFrame, names: Mapping[str, str]) -> list[str]:
    return [told_by(str(contrast), names) for contrast in part["contrast"]]


def _contrasts(axes: Axes, part: pd.DataFrame, names: Mapping[str, str]) -> None:
    labels = [wrap(label, WIDTH) for label in _labels(part, names)]
    name_rows(axes, labels)
    axes.grid(axis="x")
    axes.axvline(0, color="0.3", linewidth=0.8, zorder=1)
    for height, row in zip(row_centres(labels), part.to_dict("records"), strict=True):
        _contrast(axes, height, row)


def _contrast(axes: Axes, height: float, row: Mapping[Hashable, Any]) -> None:
    if why := NOT_COMPARED.get(row["contrast_verdict"]):
        axes.text(0, height, why, va="center", color="0.4")
        return
    color, marker = VERDICTS[row["contrast_verdict"]]
    bounds = {"increase": [1.0], "not_worse": [-1.0], "same": [-1.0, 1.0]}[row["expectation"]]
    axes.plot(bounds, [height] * len(bounds), "|", color="0.2", markersize=7, zorder=1)
    if not math.isfinite(row["estimate"]):
        axes.text(0, height, " undefined", va="center", color="0.4")
        return
    low, middle, high = (_within(row[key] / row["smallest"]) for key in ("low", "estimate", "high"))
    axes.plot([low, high], [height, height], color=color)
    axes.plot([middle], [height], marker, color=color)


def _within(value: float) -> float:
    return value if math.isnan(value) else max(-FURTHEST, min(FURTHEST, value))


def _legend() -> list[Line2D]:
    drawn = [Line2D([], [], color=c, marker=m, label=verdict) for verdict, (c, m) in VERDICTS.items()]
    return [*drawn, Line2D([], [], color="0.2", marker="|", linestyle="", markersize=7, label="what the rule asks for")]


def caption(tables: Tables) -> str:
    """Return the caption: the rule, and how the claims came out."""
    ledger = tables["claims"]
    counts = ledger.drop_duplicates("claim")["verdict"].value_counts()
    found = ", ".join(f"{counts.get(verdict, 0)} {verdict}" for verdict in VERDICTS)
    if ledger.empty:
        return f"{QUESTION} The study names none."
    seeds, idle = sorted(set(ledger["n"])), int(ledger["contrast_verdict"].isin(NOT_COMPARED).sum())
    nothing = f" {idle} of {len(ledger)} contrasts decide nothing." if idle else ""
    own = int(((ledger["contrast_verdict"] == "supported") & (ledger["low"] == 0) & (ledger["high"] == 0)).sum())
    nothing += f" In {own} others, both sides are the same runs, which supports a claim of no loss." if own else ""
    count = f"{seeds[-1]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    return (
        f"{QUESTION} Mean paired difference of each contrast with its 95 % BCa interval, oriented so that right is as"
        " claimed, in units of the smallest difference that would matter (ticks: what the rule asks"
        " for, beyond 1, above −1 for a claim of no harm, within ±1 for one of no difference). A contrast is supported"
        " or contradicted when a one-sided sign-flip test, adjusted by Holm's method within a claim, and the interval"
        " say so."
        f" Differences beyond ±{FURTHEST:g} stand at the edge. Claims: {found}.{nothing}"
        f" {count} seeds per contrast."
    )
