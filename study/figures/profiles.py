"""Tuned methods over several settings: the share of runs in which each gains so much, and its interquartile mean."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from study.figures._layout import HEADING, LINE, heading, lines, message, name_rows, page, row_centres, wrap
from study.figures._style import Look, Style, by_method, styled
from study.figures._summaries import present
from study.methods.phrases import short_name
from study.results.store import Tables

NAME = "profiles"
QUESTION = "What does each tuned method gain over the baseline across settings, and in how many runs?"
NEEDS = ("profiles", "across")
SWEPT = True
SCORED = True

KINDS = {"clip": "clipping", "regularization": "regularization"}
TITLE = 82  # characters of a heading's line


@dataclass(frozen=True, slots=True)
class Group:
    """The methods that share some settings."""

    title: str
    profiles: pd.DataFrame
    across: pd.DataFrame
    looks: Mapping[str, Look]

    @property
    def methods(self) -> list[str]:
        """Its methods, in the order of the style."""
        return present(self.across, "method", self.looks)


@styled
def draw(tables: Tables, style: Style) -> Figure:
    """A row per group of settings: a profile for each method, and the interquartile mean of its gains."""
    groups = list(_groups(tables, by_method(style)))
    if not groups:
        return message(style, "Nothing to compare: no methods are tuned in two or more settings.")
    above = [HEADING * lines(group.title) for group in groups]
    heights = [max(1.2, 3 * LINE * len(group.methods)) for group in groups]
    figure = page(style, sum(above) + sum(heights) + 0.5 * len(groups))
    ratios = [ratio for pair in zip(above, heights, strict=True) for ratio in pair]
    grid = figure.add_gridspec(2 * len(groups), 2, height_ratios=ratios)
    for line, group in enumerate(groups):
        heading(figure, grid[2 * line, 0], group.title, whole=True)
        _profiles(figure.add_subplot(grid[2 * line + 1, 0]), group)
        _means(figure.add_subplot(grid[2 * line + 1, 1]), group)
    return figure


def _groups(tables: Tables, style: Style) -> Iterator[Group]:
    looks = {"clip": style.clips, "regularization": style.regularizations}
    for (kind, regime), part in tables["across"].groupby(["kind", "regime"], sort=False):
        profiles = tables["profiles"]
        own = profiles[(profiles["kind"] == kind) & (profiles["regime"] == regime)]
        title = wrap(f"{KINDS[str(kind)]} over {part['settings'].iloc[0]} settings: {regime}", TITLE)
        yield Group(title, own, part, looks[str(kind)])


def _profiles(axes: Axes, group: Group) -> None:
    for method in group.methods:
        own, look = group.profiles[group.profiles["method"] == method], group.looks[method]
        gain, share, low, high = (100 * own[column].to_numpy(float) for column in ("gain", "share", "low", "high"))
        axes.plot(gain, share, color=look.color, linestyle=look.line, drawstyle="steps-post", label=method)
        if np.isfinite(low).any():
            axes.fill_between(gain, low, high, step="post", color=look.color, alpha=0.15, linewidth=0)
    axes.axvline(0, color="0.3", linewidth=0.8, zorder=1)
    axes.set_ylim(-3, 103)
    axes.set_yticks([0, 25, 50, 75, 100])
    axes.grid(axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.set_xlabel("gain in test accuracy (percentage points)")
    axes.set_ylabel("runs that gain more (%)")


def _means(axes: Axes, group: Group) -> None:
    rows = group.across.set_index("method").loc[group.methods]
    names = [f"{method}\n{_wins(row)}" for method, row in rows.iterrows()]
    name_rows(axes, names)
    for height, (method, row) in zip(row_centres(names), rows.iterrows(), strict=True):
        look = group.looks[str(method)]
        low, middle, high = (100 * float(row[column]) for column in ("low", "iqm", "high"))
        axes.plot([low, high], [height, height], color=look.color)
        axes.plot([middle], [height], look.marker, color=look.color, label=f"{method}: mean")
    axes.axvline(0, color="0.3", linewidth=0.8, zorder=1)
    axes.grid(axis="x")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel("interquartile mean (percentage points)")


def _wins(row: pd.Series) -> str:
    worse = f", worse in {row['worse']}" if row["worse"] else ""
    none = f"\n(none chosen in {row['none_chosen']})" if row["none_chosen"] else ""
    return f"better in {row['better']} of {row['settings']}{worse}{none}"


def caption(tables: Tables) -> str:
    """Return the caption: which method gains most in each group."""
    across = tables["across"]
    if across.empty:
        return f"{QUESTION} No methods share settings. No runs."
    most = [_most(part) for _, part in across.groupby(["kind", "regime"], sort=False)]
    seeds = int(across["seeds"].max())
    count = "1 seed per variant, so no interval." if seeds == 1 else f"{seeds} seeds per variant."
    return (
        f"{QUESTION} Gains in test accuracy of each tuned method over the tuned baseline, paired by seed, over the"
        " settings in which all methods of the row are tuned. Left: share of all runs that gain more than so much, with"
        " a pointwise 95 % band. Right: the mean of the middle half of all gains (interquartile mean) with its 95 %"
        " interval; both resample seeds within settings (Agarwal et al. 2021). Better: settings where the interval of"
        " P(method > baseline) lies above .5 and reaches beyond .75; worse: the same of the baseline"
        " (Bouthillier et al. 2021). Not chosen: settings where tuning kept the baseline; their gain of 0 counts."
        f" {count} {' '.join(most)}"
    )


def _most(part: pd.DataFrame) -> str:
    first = part.iloc[int(part["iqm"].argmax())]
    lost = int(part["lost"].sum())
    told = f" {lost} runs without an accuracy count as 0 %." if lost else ""
    return (
        f"Over {first['settings']} settings, the largest interquartile mean among {KINDS[str(first['kind'])]} is that"
        f" of {short_name(str(first['method']))}, {100 * first['iqm']:.1f} points.{told}"
    ).replace("-", "−")
