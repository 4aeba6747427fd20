"""Parts which several figures share: grids of panels, labels of rows and columns, legends that fit."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.textpath import TextPath
from matplotlib.ticker import MaxNLocator

from study.figures.style import Style

FAR = 1000.0  # norms more than this many times the regime's median are beyond the axis
LINE = 0.145  # inches which a line of a row label needs
NAMES = 1.9  # inches which row labels of `wrap`'s usual 30 characters and their axis label take


def wrap(label: str, width: int = 30) -> str:
    """The label in lines of at most `width` characters, broken at spaces, then after "(", then anywhere."""
    words = [word.replace("(", "( ") if len(word) > width else word for word in label.split(" ")]
    return textwrap.fill(" ".join(words), width, break_on_hyphens=False)


def lines(label: str) -> int:
    """How many lines a wrapped label has."""
    return label.count("\n") + 1


def row_centres(labels: Sequence[str]) -> list[float]:
    """Where to put rows below each other whose labels have one or more lines; the unit is a line."""
    ends = np.cumsum([lines(label) for label in labels])
    return [float(end) - lines(label) / 2 for end, label in zip(ends, labels, strict=True)]


def name_rows(axes: Axes, labels: Sequence[str]) -> None:
    """Name the rows at `row_centres` on the y axis, first row on top."""
    axes.set_yticks(row_centres(labels), labels)
    axes.set_ylim(sum(map(lines, labels)) + 0.1, -0.1)
    axes.tick_params(axis="y", length=0)


def name_columns(axes: Axes, positions: Sequence[float], labels: Sequence[str], pitch: float) -> None:
    """Name columns `pitch` inches apart: slanted if two-line labels have the room, else upright."""
    wrapped = [wrap(label, 24) for label in labels]
    needed = 9.0 * max(map(lines, wrapped), default=1)
    slanted = needed <= 72 * pitch * math.sin(math.radians(40))
    fitting = wrapped if slanted or needed <= 72 * pitch else labels
    turned = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if slanted else {"rotation": 90}
    axes.set_xticks(positions, fitting, **turned)


def number(value: float) -> str:
    """A number with one decimal, the minus sign of the axes, and no negative zero."""
    return f"{value:z.1f}".replace("-", "−")


def text_width(text: str, size: float) -> float:
    """Width in points of the longest line of a text."""
    return max(
        float(TextPath((0, 0), line or " ", size=size).get_extents().width) for line in text.split("\n")
    )


def page(style: Style, height: float) -> Figure:
    """An empty figure as wide as the page and `height` inches high, whose panels shrink to fit their texts."""
    engine = ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03, wspace=0.0, hspace=0.0)
    return Figure(figsize=(style.width, height), layout=engine)


def message(style: Style, text: str) -> Figure:
    """A figure which says that there is nothing to draw, and why."""
    figure = page(style, 0.6)
    figure.text(0.5, 0.5, textwrap.fill(text, 90), ha="center", va="center")
    return figure


def legend(figure: Figure, handles: Sequence[Artist], style: Style) -> None:
    """A legend above all panels with as many columns as the page has room for, and height to hold it."""
    size = float(style.rc["legend.fontsize"])
    widest = max(text_width(str(handle.get_label()), size) for handle in handles)
    # 2.4 em of handle, 0.8 em between handle and text, 2 em between columns (matplotlib's defaults)
    columns = max(1, min(math.floor(72 * style.width / (widest + 5.4 * size)), len(handles)))
    figure.set_figheight(figure.get_figheight() + LINE * math.ceil(len(handles) / columns) + 0.1)
    figure.legend(handles=handles, loc="outside upper center", ncols=columns)


def regime_title(axes: Axes, regime: str) -> None:
    """The name of a regime above the left edge of its first panel."""
    axes.set_title(regime, loc="left", fontweight="bold", fontsize="large")


@dataclass(frozen=True, slots=True)
class Block:
    """The panels of one regime: each group of labels starts on a new row."""

    heading: str
    groups: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One small multiple: whose it is, and where to draw."""

    heading: str
    group: int
    label: str
    axes: Axes


def panel_grid(
    blocks: Sequence[Block], style: Style, columns: int, height: float
) -> tuple[Figure, list[Panel]]:
    """Small multiples under one heading per block; the panels of a block share both axes.

    `height` is that of a row of panels in inches. Only the outer panels carry tick labels.
    """
    rows = [[(number, row) for number, group in enumerate(block.groups) for row in _in_rows(group, columns)]
            for block in blocks]  # fmt: skip
    columns = max((len(row) for block in rows for _, row in block), default=1)
    titles = {
        label: wrap(label, int(17 * style.width / columns))
        for block in rows
        for _, row in block
        for label in row
    }
    extra = sum(LINE * (max(lines(titles[label]) for label in row) - 1) for block in rows for _, row in block)
    figure = page(style, sum(0.22 + height * len(block) for block in rows) + extra + 0.2)
    ratios = [ratio for block in rows for ratio in (0.001, *[1.0] * len(block))]
    grid = figure.add_gridspec(len(ratios), columns, height_ratios=ratios)
    panels: list[Panel] = []
    top = 0
    for block, members in zip(blocks, rows, strict=True):
        heading = figure.add_subplot(grid[top, :])
        heading.set_axis_off()
        regime_title(heading, block.heading)
        shared: Axes | None = None
        for line, (number, row) in enumerate(members):
            for column, label in enumerate(row):
                axes = figure.add_subplot(grid[top + 1 + line, column], sharex=shared, sharey=shared)
                shared = shared or axes
                last = all(column >= len(later) for _, later in members[line + 1 :])
                axes.tick_params(labelleft=column == 0, labelbottom=last)
                axes.set_title(titles[label])
                panels.append(Panel(block.heading, number, label, axes))
        top += 1 + len(members)
    return figure, panels


def _in_rows(labels: Sequence[str], columns: int) -> list[tuple[str, ...]]:
    return [tuple(labels[start : start + columns]) for start in range(0, len(labels), columns)]


def log_norm_axis(axes: Axes, reference: pd.Series, drawn: pd.Series | np.ndarray) -> None:
    """A log axis around the regime's norms; what is drawn far above it is named at the upper edge, not shown.

    One exploding variant would otherwise squeeze all panels of its regime into a line.
    """
    axes.set_yscale("log")
    axes.grid(axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    usual = np.asarray(reference, dtype=float)
    usual = usual[np.isfinite(usual) & (usual > 0)]
    shown = np.asarray(drawn, dtype=float)
    shown = shown[np.isfinite(shown)]
    if not usual.size or not shown.size:
        axes.text(0.5, 0.5, "undefined", ha="center", va="center", transform=axes.transAxes, color="0.4")
        return
    top = FAR * float(np.median(usual))
    axes.set_ylim(top=min(top, axes.get_ylim()[1]))
    if shown.max() > top:
        axes.text(0.97, 0.97, f"↑ {shown.max():.0e}", ha="right", va="top", transform=axes.transAxes)
