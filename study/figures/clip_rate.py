"""Figure of how often each clip fires, and how much of the gradient it changes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from study.clipping import Clipping
from study.clipping.base import PerSample
from study.figures._layout import LINE, legend, lines, message, name_rows, named, page, row_centres, title_of_block
from study.figures._style import NONE, Style, styled
from study.figures._summaries import diverged_sentence, finite, present, regimes, seeds_sentence
from study.methods.labels import method_of
from study.results.store import Tables

NAME = "clip_rate"
QUESTION = "How often does each clip fire, and what share of the gradient's coordinates does it change?"
NEEDS = ("runs", "steps")

SHARES = {
    "clip_rate": "steps in which the clip fires (%)",
    "changed": "coordinates changed, mean over steps (%)",
}


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """One tick per seed and the mean over seeds (rows: clips; facets: regime x share)."""
    runs = _shown(tables["runs"])
    if runs.empty:
        return message(style, "No clip to show: the study holds no clip but none.")
    before_the_mean = runs["clip"].map(_of_samples)
    values = runs.assign(changed=_changed(tables["steps"], runs).mask(before_the_mean))
    parts = {regime: values[values["regime"] == regime] for regime in regimes(values)}
    clips = {regime: present(part, "clip", style.clips) for regime, part in parts.items()}
    heights = [1.2 * LINE * sum(lines(named(clip)) for clip in clips[regime]) for regime in parts]
    figure = page(style, sum(heights) + 0.55 * len(heights))
    grid = figure.add_gridspec(len(parts), len(SHARES), height_ratios=heights)
    for line, (regime, part) in enumerate(parts.items()):
        for column, (share, title) in enumerate(SHARES.items()):
            axes = figure.add_subplot(grid[line, column])
            _panel(axes, part, clips[regime], share, style)
            axes.set_xlabel(title)
            axes.tick_params(labelleft=column == 0)
            title_of_block(axes, style.regime(regime) if column == 0 else "")
    legend(figure, _legend(), style)
    return figure


def _shown(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[(frame["regularization"] == NONE) & (frame["clip"] != NONE)]


def _of_samples(label: str) -> bool:
    """Return whether a clip acts on single samples, before there is a gradient whose coordinates are counted."""
    return issubclass(Clipping.members.get(method_of(label), Clipping), PerSample)


def _changed(steps: pd.DataFrame, runs: pd.DataFrame) -> pd.Series:
    """Mean over all steps of the share of changed coordinates, per run (a window counts by its length)."""
    if steps.empty:  # the study does not measure every step
        return pd.Series(np.nan, index=runs.index)
    keys = ["regime", "clip", "seed"]
    known = finite(_shown(steps), "changed")
    length = known["last_step"] - known["step"] + 1
    weighted = known.assign(changed=known["changed"] * length, length=length)
    sums = weighted.groupby(keys)[["changed", "length"]].sum()
    share = (sums["changed"] / sums["length"]).reindex(pd.MultiIndex.from_frame(runs[keys]))
    return pd.Series(share.to_numpy(), index=runs.index)


def _panel(axes: Axes, values: pd.DataFrame, clips: Sequence[str], share: str, style: Style) -> None:
    labels = [named(clip) for clip in clips]
    name_rows(axes, labels)
    for height, clip in zip(row_centres(labels), clips, strict=True):
        color, marker = style.clips[clip].color, style.clips[clip].marker
        seeds = 100 * finite(values[values["clip"] == clip], share)[share].to_numpy(dtype=float)
        heights = np.full(len(seeds), height)
        axes.plot(seeds, heights, "|", color=color, markersize=10, alpha=0.7, label=f"seeds of {clip}")
        if len(seeds):
            axes.plot([seeds.mean()], [height], marker, color=color, label=clip)
        text = f"{seeds.mean():.1f} %" if len(seeds) else "not measured"
        axes.text(1.02, height, text, va="center", transform=axes.get_yaxis_transform())
    axes.set_xlim(-2, 102)
    axes.set_xticks(range(0, 101, 20))
    axes.grid(axis="x")


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], color="0.2", marker="o", linestyle="", label="mean over seeds (number on the right)"),
        Line2D([], [], color="0.2", marker="|", linestyle="", markersize=10, label="one seed"),
    ]


def caption(tables: Tables) -> str:
    """Return the caption: seeds, and what was left out."""
    runs = _shown(tables["runs"])
    early = " Clips of single samples act before the mean of the gradients, where changes are not measured."
    return (
        f"{QUESTION} No regularization; one tick per seed and their mean, no interval."
        f"{early if runs['clip'].map(_of_samples).any() else ''} {seeds_sentence(runs)} {diverged_sentence(runs)}"
    )
