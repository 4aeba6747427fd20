"""Methods and workloads as figures of tuned studies name and order them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from study.figures._layout import page, wrap
from study.figures._style import NONE, Style
from study.methods.phrases import cell_phrase, phrase

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
    return table.assign(kind=[kind_of(*pair) for pair in pairs], method=[named(*pair) for pair in pairs])


def named(clip: str, regularization: str) -> str:
    """Return a method without its strength in words."""
    if NONE in (clip, regularization):
        return cell_phrase(clip, regularization)
    return f"{phrase('clip', clip)} + {phrase('regularization', regularization)}"


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
        one.set_title(wrap(name.replace("_", " "), 34), loc="left")
    return figure, flat[: len(names)]


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
