"""Methods and workloads as figures of tuned studies name and order them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from study.figures._layout import name_columns, page, wrap
from study.figures._style import FAINT, NONE, Style
from study.methods.phrases import method_words

FAMILIES = {"baseline": "#1a1a1a", "clip": "#0072B2", "regularization": "#E69F00", "pair": "#009E73"}
"""Colours of the kinds of methods, the same in all figures of tuned studies."""
MARKERS = {"baseline": "o", "clip": "s", "regularization": "^", "pair": "D"}
NAMES_OF_FAMILIES = {"baseline": "baseline", "clip": "clips", "regularization": "regularizers", "pair": "pairs"}


def kind_of(clip: str, regularization: str) -> str:
    """Return the kind of a method, a key of `FAMILIES`."""
    if clip == NONE:
        return "baseline" if regularization == NONE else "regularization"
    return "clip" if regularization == NONE else "pair"


def with_methods(table: pd.DataFrame) -> pd.DataFrame:
    """The table with columns `kind` and `method`, the latter a name for people."""
    pairs = list(zip(table["clip_method"].astype(str), table["regularization_method"].astype(str), strict=True))
    return table.assign(kind=[kind_of(*pair) for pair in pairs], method=[method_words(*pair) for pair in pairs])


def panels(style: Style, names: Sequence[str], height: float, most: int = 3) -> tuple[Figure, list[Axes]]:
    """Return a page with a panel for each workload, at most `most` beside each other, each with its name as title."""
    down = -(-len(names) // most)
    across = -(-len(names) // down)
    figure = page(style, height * down + 0.45)
    axes = figure.subplots(down, across, squeeze=False)
    flat = list(axes.flat)
    for one in flat[len(names) :]:
        one.remove()
    for one, name in zip(flat, names, strict=False):
        one.set_title(wrap(style.regime(name), 34), loc="left")
    return figure, flat[: len(names)]


@dataclass(frozen=True)
class TableCell:
    """Cell of a table of methods and workloads: its text, the value that colours it, and how the text looks."""

    text: str
    value: float
    look: Mapping[str, Any] = field(default_factory=dict)


def cells(
    axes: Axes, told: Mapping[tuple[str, str], TableCell], methods: Sequence[str], places: Sequence[str], width: float
) -> None:
    """Draw a table: rows are methods, columns workloads; blue is above 0 and red below; empty cells are grey.

    width: of the axes, in inches.
    """
    values = np.array([[told[m, p].value if (m, p) in told else np.nan for p in places] for m in methods])
    extent = limits(np.nanquantile(np.abs(values), [0.9]) if np.isfinite(values).any() else [], 1e-9)
    axes.set_facecolor(FAINT)
    axes.pcolormesh(
        *(np.arange(size + 1) - 0.5 for size in reversed(values.shape)),
        np.ma.masked_invalid(np.clip(values, -extent, extent)),
        cmap="RdBu",
        norm=TwoSlopeNorm(0, -1.6 * extent, 1.6 * extent),
        edgecolors="white",
        linewidth=0.8,
    )
    for (method, place), cell in told.items():
        at = places.index(place), methods.index(method)
        axes.text(*at, cell.text, ha="center", va="center", **cell.look)
    axes.set_ylim(len(methods) - 0.5, -0.5)
    name_columns(axes, [place.replace("_", " ") for place in places], width / len(places))


def seeds_of(gains: pd.DataFrame) -> str:
    """Return how many seeds the gains rest on, a sentence."""
    most = int(gains["n"].max()) if len(gains) else 0
    return f"{most} seeds per variant."


def workloads(table: pd.DataFrame) -> list[str]:
    """Return the names of the workloads in their order."""
    return list(dict.fromkeys(table["regime"].astype(str)))


def limits(values: Iterable[float], least: float) -> float:
    """Return the largest magnitude of some finite values, `least` at least."""
    finite = [abs(value) for value in values if np.isfinite(value)]
    return max([least, *finite])
