"""Panels of fixed size and place, so that the pictures of all methods are alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from study.figures._style import FAINT, GREY, RC

WIDTH, HEIGHT, SLOTS = 6.5, 2.12, 3
LEFT, BOTTOM, TOP, RIGHT = 0.56, 0.40, 0.24, 0.08  # inches around the axes in a slot
BEFORE, AFTER, MARKED = GREY, "#0072B2", "#D55E00"
UNCHANGED = "#dcebf5"

Draw = Callable[[Axes], None]


@dataclass(frozen=True)
class Panel:
    """One panel of a picture: its title, how it is drawn, what it shows in words."""

    title: str
    draw: Draw
    words: str
    square: bool = False
    span: int = 1  # slots it takes


def picture(panels: Sequence[Panel]) -> Figure:
    """Up to three panels side by side."""
    with matplotlib.style.context(["default", dict(RC)]):
        figure = Figure(figsize=(WIDTH, HEIGHT))
        for panel, slot in zip(panels, accumulate((p.span for p in panels), initial=0), strict=False):
            axes = figure.add_axes(_place(slot, panel.span))
            panel.draw(axes)
            axes.yaxis.labelpad = 1.0
            axes.set_title(panel.title, fontsize=7.0)
            if panel.square:
                axes.set_aspect("equal", adjustable="box")
    return figure


def _place(slot: int, span: int) -> tuple[float, float, float, float]:
    width = WIDTH / SLOTS
    inches = (slot * width + LEFT, BOTTOM, span * width - LEFT - RIGHT, HEIGHT - BOTTOM - TOP)
    return inches[0] / WIDTH, inches[1] / HEIGHT, inches[2] / WIDTH, inches[3] / HEIGHT


def plane(axes: Axes, limit: float, name: str) -> None:
    """Two coordinates of the same scale around zero."""
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit), xlabel=f"${name}_1$", ylabel=f"${name}_2$")
    ticks = [-2, 0, 2] if limit > 2 else [-1, 0, 1]
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)
    for place in (axes.axhline, axes.axvline):
        place(0, color=FAINT, linewidth=0.5, zorder=0)


def moves(axes: Axes, before: Tensor, after: Tensor) -> None:
    """An arrow from each point [n, 2] to where it goes; a point alone where it stays."""
    a, b = before.numpy(), after.numpy()
    moved = np.abs(b - a).max(axis=1) > 1e-3
    axes.quiver(
        *a[moved].T,
        *(b - a)[moved].T,
        angles="xy",
        scale_units="xy",
        scale=1,
        color=BEFORE,
        width=0.005,
        headwidth=4,
        headlength=4.5,
        headaxislength=4,
        zorder=2,
        label="moves",
    )
    axes.plot(*a.T, "o", color=BEFORE, markersize=1.6, zorder=2.5, label="before")
    axes.plot(*b.T, "o", color=AFTER, markersize=2.6, zorder=3, label="after", markeredgewidth=0)


def identity(axes: Axes, values: Sequence[float]) -> None:
    """The line of no change."""
    ends = (min(values), max(values))
    axes.plot(ends, ends, color=BEFORE, linewidth=0.8, linestyle=(0, (2.5, 1.5)))
