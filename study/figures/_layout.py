"""Parts which several figures share: grids of panels, labels of rows and columns, legends that fit."""

import itertools
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.textpath import TextPath
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter
from matplotlib.transforms import blended_transform_factory
from numpy.typing import ArrayLike

from study.figures._style import Style
from study.methods.phrases import label_phrase, phrase

NOT_MEASURED = "No gradient norms: the study does not measure every step."
FAR = 1000.0  # norms more than this many times the regime's median are beyond the axis
LINE = 0.145  # inches which a line of a row label needs
NAME_WIDTH = 1.9  # inches which row labels of `wrap`'s usual 30 characters and their axis label take
LETTER = 0.062  # inches of a letter of a label, on average
SLANT = 40  # degrees of a column's name, where it has the room
CELL = 0.38  # inches which an entry such as "10/10" needs
BLOCK = "block-"  # begins the id of a heading in the SVG: a figure of several pages may be cut above it
NAMED_ROW = "row-"  # begins that of a row's name, above which it may be cut where no heading is on the page
HEADING = 0.16  # inches which the name above some panels needs


def wrap(label: str, width: int = 30) -> str:
    """The label in lines of at most `width` characters, broken at spaces, then after "(", then anywhere."""
    words = [word.replace("(", "( ") if len(word) > width else word for word in label.split(" ")]
    return textwrap.fill(" ".join(words), width, break_on_hyphens=False)


def named(label: str, width: int = 30) -> str:
    """The label of a method, regime or combination in words, in lines of at most `width` characters."""
    return wrap(label_phrase(label), width)


def lines(label: str) -> int:
    """Return the number of lines of a wrapped label."""
    return label.count("\n") + 1


def row_centres(labels: Sequence[str]) -> list[float]:
    """Return the centres of rows whose labels have one or more lines; the unit is a line."""
    ends = np.cumsum([lines(label) for label in labels])
    return [float(end) - lines(label) / 2 for end, label in zip(ends, labels, strict=True)]


def name_rows(axes: Axes, labels: Sequence[str]) -> None:
    """Name the rows at `row_centres` on the y axis, first row on top."""
    axes.set_yticks(row_centres(labels), labels)
    axes.set_ylim(sum(map(lines, labels)) + 0.1, -0.1)
    axes.tick_params(axis="y", length=0)
    if place := axes.get_subplotspec():
        for row, label in enumerate(axes.get_yticklabels()):
            label.set_gid(f"{NAMED_ROW}{place.rowspan.start}-{row}")


def cell_height(labels: Sequence[str]) -> float:
    """Inches which each row of a matrix needs for the tallest of the row labels."""
    return max(0.26, 0.125 * max(lines(named(label)) for label in labels) + 0.02)


def name_cells(axes: Axes, columns: Sequence[str], rows: Sequence[str], width: float) -> None:
    """A matrix of clips (columns) and regularizations (rows), `width` inches wide, cells at integers."""
    name_columns(axes, [phrase("clip", column) for column in columns], width / len(columns))
    axes.set_yticks(range(len(rows)), [wrap(phrase("regularization", row)) for row in rows])
    axes.set(xlabel="clipping", xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def name_columns(axes: Axes, labels: Sequence[str], pitch: float) -> None:
    """Slanted names if lines of neighbours have the room, else upright."""
    fitting, slanted = _columns(labels, pitch)
    turned = {"rotation": SLANT, "ha": "right", "rotation_mode": "anchor"} if slanted else {"rotation": 90}
    axes.set_xticks(range(len(labels)), fitting, **turned)


def columns_height(labels: Sequence[str], width: float) -> float:
    """Inches which the names of columns need below a matrix `width` inches wide."""
    fitting, slanted = _columns(labels, width / len(labels))
    longest = max(LETTER * max(map(len, label.split("\n"))) for label in fitting)
    tall = LINE * max(map(lines, fitting))
    return longest * math.sin(math.radians(SLANT)) + tall * math.cos(math.radians(SLANT)) if slanted else longest


def _columns(labels: Sequence[str], pitch: float) -> tuple[Sequence[str], bool]:
    """The names in lines, and whether they can be slanted."""
    wrapped = [wrap(label, 24) for label in labels]
    needed = 9.0 * max(map(lines, wrapped), default=1)
    slanted = needed <= 72 * pitch * math.sin(math.radians(SLANT))
    return wrapped if slanted or needed <= 72 * pitch else labels, slanted


def decimal(value: float) -> str:
    """A number with one decimal, the minus sign of the axes, and no negative zero."""
    return f"{value:z.1f}".replace("-", "−")


def page(style: Style, height: float, apart: float = 0.03) -> Figure:
    """An empty figure as wide as the page and `height` inches high, whose panels make room for texts.

    apart: inches left and right of a panel and its texts.
    """
    engine = ConstrainedLayoutEngine(w_pad=apart, h_pad=0.03, wspace=0.0, hspace=0.0)
    return Figure(figsize=(style.width, height), layout=engine)


def message(style: Style, text: str) -> Figure:
    """A figure which says that there is nothing to draw, and why."""
    figure = page(style, 0.6)
    figure.text(0.5, 0.5, textwrap.fill(text, 90), ha="center", va="center")
    return figure


def legend(figure: Figure, handles: Sequence[Artist], style: Style) -> None:
    """A legend above all panels with as many columns as the page has room for, and height to hold it."""
    size = float(style.rc["legend.fontsize"])
    labels = [str(handle.get_label()) for handle in handles]
    widths = [float(TextPath((0, 0), label, size=size).get_extents().width) for label in labels]
    # 2.4 em of handle, 0.8 em between handle and text, 2 em between columns (matplotlib's defaults)
    columns = max(n for n in range(1, len(handles) + 1) if n == 1 or _across(widths, n, 5.4 * size) < 72 * style.width)
    figure.set_figheight(figure.get_figheight() + LINE * math.ceil(len(handles) / columns) + 0.1)
    figure.legend(handles=handles, loc="outside upper center", ncols=columns)


def _across(widths: Sequence[float], columns: int, extra: float) -> float:
    """Width in points of a legend, which matplotlib fills column by column."""
    return sum(float(part.max()) + extra for part in np.array_split(np.asarray(widths), columns))


def side_legend(axes: Axes, handles: Sequence[Artist]) -> None:
    """A legend right of a panel, where the page makes room for it; a line of it takes `LINE`."""
    gaps = {"handlelength": 2.0, "handletextpad": 0.5, "labelspacing": 0.25, "borderaxespad": 0.0}
    axes.legend(handles=list(handles), loc="center left", bbox_to_anchor=(1.03, 0.5), **gaps)


def in_blocks(labels: Sequence[str], most: int) -> list[list[str]]:
    """The labels in as few blocks of at most `most` as possible, of nearly equal size."""
    blocks = math.ceil(len(labels) / most)
    ends = [round(len(labels) * block / blocks) for block in range(blocks + 1)]
    return [list(labels[start:end]) for start, end in itertools.pairwise(ends)]


def title_of_block(axes: Axes, text: str) -> None:
    """The name of a block of panels above the left edge of its first panel."""
    title = axes.set_title(text, loc="left", fontweight="bold", fontsize="large")
    place = axes.get_subplotspec()
    if text and place is not None:
        title.set_gid(f"{BLOCK}{place.rowspan.start}")


def heading(figure: Figure, place: SubplotSpec, text: str, whole: bool = False) -> None:
    """The name of the panels below, in a row of the grid `HEADING` inches high; no panel makes room for a long one.

    whole: it starts at the left edge of the page, above the names of rows too.
    """
    axes = figure.add_subplot(place)
    axes.set_axis_off()
    at = blended_transform_factory(figure.transFigure, axes.transAxes) if whole else axes.transAxes
    x = 0.005 if whole else 0.0
    title = axes.text(
        x, 0, text, fontweight="bold", fontsize="large", transform=at, gid=f"{BLOCK}{place.rowspan.start}"
    )
    title.set_in_layout(False)


@dataclass(frozen=True, slots=True)
class Block:
    """The panels of one regime: each group of labels starts on a new row, where one cannot hold them all."""

    heading: str
    groups: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One small multiple: whose it is, and where to draw."""

    heading: str
    group: int
    label: str
    axes: Axes


def panel_grid(blocks: Sequence[Block], style: Style, columns: int, height: float) -> tuple[Figure, list[Panel]]:
    """Small multiples under one heading per block; the panels of a block share both axes.

    `height` is that of a row of panels in inches. Only the outer panels carry tick labels.
    """
    rows = [_rows(block, columns) for block in blocks]
    columns = max(len(row) for block in rows for row in block)
    width = int(17 * style.width / columns)  # characters of a title
    tall = [max(lines(named(label, width)) for _, label in row) for block in rows for row in block]
    figure = page(style, 0.2 + 0.22 * len(blocks) + height * len(tall) + LINE * sum(tall) - LINE * len(tall))
    ratios = [ratio for block in rows for ratio in (0.001, *[1.0] * len(block))]
    grid = figure.add_gridspec(len(ratios), columns, height_ratios=ratios)
    panels: list[Panel] = []
    top = 0
    for block, members in zip(blocks, rows, strict=True):
        heading = figure.add_subplot(grid[top, :])
        heading.set_axis_off()
        title_of_block(heading, style.regime(block.heading))
        for line, row in enumerate(members):
            below = max((len(later) for later in members[line + 1 :]), default=0)
            for column, (group, label) in enumerate(row):
                first = panels[-1].axes if line or column else None
                axes = figure.add_subplot(grid[top + 1 + line, column], sharex=first, sharey=first)
                axes.tick_params(labelleft=column == 0, labelbottom=column >= below)
                title = axes.set_title(named(label, width))
                if not column and line and len(row) >= len(members[line - 1]):  # else tick labels are beside the title
                    more = max(lines(named(one, width)) for _, one in row) - lines(named(label, width))
                    title.set_gid(f"{BLOCK}{top + 1 + line}-{more}")
                panels.append(Panel(block.heading, group, label, axes))
        top += 1 + len(members)
    return figure, panels


def _rows(block: Block, columns: int) -> list[Sequence[tuple[int, str]]]:
    """The labels of each row of panels, each with the number of its group."""
    groups = [[(number, label) for label in group] for number, group in enumerate(block.groups)]
    together = list(itertools.chain(*groups))
    if len(together) <= columns:
        return [together]
    return [group[start : start + columns] for group in groups for start in range(0, len(group), columns)]


def log_ticks(low: float, high: float, most: int = 4) -> dict[float, str]:
    """At most `most` round numbers from low to high and their texts: powers of ten, or also 2 and 5 times them."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    if last > first:
        powers = range(first, last + 1, math.ceil((last - first + 1) / most))
        return {10.0**power: f"$\\mathdefault{{10^{{{power}}}}}$" for power in powers}
    numbers = [digit * 10.0**power for power in range(first - 1, last + 2) for digit in (1, 2, 5)]
    inside = [number for number in numbers if low * (1 - 1e-9) <= number <= high * (1 + 1e-9)] or [low]
    return {number: f"{number:.3g}" for number in inside[:: math.ceil(len(inside) / most)]}


def log_norm_axis(axes: Axes, usual: pd.Series, drawn: ArrayLike) -> None:
    """A log axis for the norms of a regime; what is drawn far from the usual is named, not shown.

    One variant that explodes or vanishes would otherwise squeeze all panels of its regime into a line. Call it when
    all panels that share the axis are drawn.
    """
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    known, shown = _positive(usual), _positive(drawn)
    if not shown.size:
        axes.text(0.5, 0.5, "undefined", ha="center", va="center", transform=axes.transAxes, color="0.4")
    if not known.size:
        axes.set(xticks=[], yticks=[])
        return
    axes.set_yscale("log")
    axes.grid(axis="y")
    low, high = axes.get_ylim()
    top = FAR * float(np.median(known))
    bottom = float(np.median(known)) / FAR**2  # where the gradient of a lost net vanishes
    low, high = min(max(low, bottom), top / 5), max(min(top, high), 5 * low)  # a factor of 5 holds two of 1, 2, 5, ...
    axes.set_ylim(low, high)
    axes.yaxis.set_minor_formatter(NullFormatter())
    if high < 100 * low:  # too few powers of ten to read the axis by
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    if shown.size and shown.min() < low:
        axes.text(0.97, 0.03, f"↓ {shown.min():.0e}", ha="right", va="bottom", transform=axes.transAxes)
    if shown.size and shown.max() > top:
        axes.text(0.97, 0.97, f"↑ {shown.max():.0e}", ha="right", va="top", transform=axes.transAxes)


def _positive(values: ArrayLike) -> np.ndarray:
    array = np.asarray(values, dtype=float).ravel()
    return np.extract(np.isfinite(array) & (array > 0), array)
