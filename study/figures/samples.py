"""Digits that the generators of adversarial trainings make, as pictures."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from study.figures._layout import HEADING, heading, message, page, wrap
from study.figures._style import Style, styled
from study.figures._summaries import alone, regimes, seeds_sentence
from study.methods.phrases import cell_phrase
from study.results.store import Tables

NAME = "samples"
QUESTION = "What do the generators make?"
NEEDS = ("samples",)

SEEDS, DIGITS = 2, 10  # of a cell, and of a seed
GAP = 8  # pixels between the digits of two seeds
HEIGHT = 0.29  # inches of a row, which names of two lines have the room in
SEPARATE = 255  # a grey level that is white when drawn


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """A row per cell, the first digits of its first seeds; every row starts from the same noise."""
    samples = alone(tables["samples"])
    if samples.empty:
        return message(style, "No runs. The study has no adversarial training.")
    names = regimes(samples)
    parts = {name: samples[samples["regime"] == name] for name in names}
    cells = {name: list(part.groupby(["clip", "regularization"], sort=False)) for name, part in parts.items()}
    count = sum(map(len, cells.values()))
    figure = page(style, 0.1 + HEADING * len(names) + HEIGHT * count)
    ratios = [ratio for name in names for ratio in (HEADING, *[HEIGHT] * len(cells[name]))]
    grid = figure.add_gridspec(len(ratios), 1, height_ratios=ratios)
    row = 0
    for name in names:
        heading(figure, grid[row, :], style.regime(name), whole=True)
        for (clip, regularization), rows in cells[name]:
            row += 1
            _row(figure.add_subplot(grid[row, :]), cell_phrase(str(clip), str(regularization)), rows)
        row += 1
    return figure


def _row(axes: Axes, name: str, rows: pd.DataFrame) -> None:
    axes.imshow(_strip(rows), cmap="gray", vmin=0, vmax=255, aspect="equal", interpolation="nearest", rasterized=True)
    axes.set_anchor("W")
    axes.set_yticks([axes.get_ylim()[0] / 2], [wrap(name)])
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _strip(rows: pd.DataFrame) -> NDArray[np.uint8]:
    """The digits of some seeds beside one another, dark on white, [side, width]; a gap between two seeds."""
    seeds = sorted(rows["seed"].unique())[:SEEDS]
    strips = []
    for seed in seeds:
        of_seed = rows[rows["seed"] == seed].sort_values("sample")["pixels"][:DIGITS]
        digits = [_picture(pixels) for pixels in of_seed]
        strips += [np.concatenate(digits, axis=1), np.zeros((len(digits[0]), GAP), np.uint8)]
    return SEPARATE - np.concatenate(strips[:-1], axis=1)


def _picture(pixels: bytes) -> NDArray[np.uint8]:
    levels = np.frombuffer(pixels, np.uint8)
    side = int(len(levels) ** 0.5)
    return levels[: side * side].reshape(side, -1)


def caption(tables: Tables) -> str:
    """Return the caption: what is shown of how many seeds."""
    samples = alone(tables["samples"])
    return (
        f"{QUESTION} The first {DIGITS} digits of each of the first {SEEDS} seeds at the end of the training, in every"
        f" row from the same noise, none picked out. {seeds_sentence(samples)}"
    )
