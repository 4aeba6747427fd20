"""Which threshold, and how often a clip should fire."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from study.figures._style import Tables
from study.report.format import number, percent, several
from study.report.questions.base import Answer, Row, bounds, cell, chosen, count, listed, place, span
from study.report.questions.differences import Difference, conclusion, counted
from study.report.questions.ranges import USABLE, usable

ALIKE = 3.0  # multiples of the median this many times apart are still called one rule
CLOSE = 0.25  # of percentiles
BELOW_ALL = 0.1  # a percentile at which a threshold is below nearly all norms
FEW = 3  # settings below which nothing is called a rule
BINS = (("under 1 %", 0.01), ("1 % to 50 %", 0.5), ("50 % to 99 %", 0.99), ("99 % and more", np.inf))
WORKS, FAILS = "works without a clip", "does not work without a clip"


def which_threshold(tables: Tables) -> Answer:
    """The chosen threshold of `global_norm` in each tuned setting, against the gradient's norms without a clip."""
    found = tables.get("thresholds", pd.DataFrame(columns=["setting"]))
    choices = chosen(tables)
    settings = list(choices.loc[choices["method"] == "global_norm", "setting"])
    rows = [_threshold_row(tables, setting, found[found["setting"] == setting]) for setting in settings]
    return Answer(
        "Which threshold, and does a percentile of the unclipped gradient's norm predict it?",
        _threshold_short(tables, found) if rows else "",
        _threshold_words(found, len(settings)) if rows else "",
        "If one multiple of the unclipped median, or one percentile, were right everywhere, the rows would agree."
        " Settings in which none was chosen have no threshold. Regret: what the choice loses on the test set against"
        " the most accurate candidate.",
        ("firing",),
        rows,
    )


def _threshold_row(tables: Tables, setting: str, found: pd.DataFrame) -> Row:
    """What was chosen in a setting: one row of `thresholds`, or none."""
    columns = ("median norm unclipped", "threshold / median", "percentile of the unclipped norm", "fires in",
               "regret (points)")  # fmt: skip
    if found.empty:
        return {"setting": place(tables, setting), "chosen": "`none`", **dict.fromkeys(columns, "–")}
    row = found.iloc[0]
    numbers = (number(row["median"]), number(row["threshold"] / row["median"]), percent(row["percentile"], 0),
               percent(row["clip_rate"]), number(100 * row["regret"]))  # fmt: skip
    values = dict(zip(columns, numbers, strict=True))
    return {"setting": place(tables, setting), "chosen": f"`{row['label']}`", **values}


def _spread(found: pd.DataFrame) -> tuple[list[float], list[float], bool]:
    """The multiples of the median, the percentiles, and whether the multiples agree."""
    ratios = (found["threshold"] / found["median"]).astype(float).tolist()
    return ratios, found["percentile"].astype(float).dropna().tolist(), max(ratios) <= ALIKE * min(ratios)


def _threshold_short(tables: Tables, found: pd.DataFrame) -> str:
    if found.empty:
        return "None: wherever `global_norm` was tuned, tuning chose no clip."
    ratios, ranks, agree = _spread(found)
    if len(found) < FEW:
        where = [f"`{row['label']}` in {place(tables, row['setting'])}" for _, row in found.iterrows()]
        choices = [f"{name}, {number(ratio)} times the median norm without a clip"
                   for name, ratio in zip(where, ratios, strict=True)]  # fmt: skip
        return (
            f"Tuning chose {listed(choices)}. Whether that multiple or percentile holds elsewhere cannot be told from"
            f" {count(len(found), 'setting')}."
        )
    predicted = f"{span(ratios)} times the median norm without a clip"
    if agree:
        return f"A multiple of the median is a first guess: the chosen thresholds lie at {predicted}."
    rank = ", and no percentile predicts it" if ranks and not _one_percentile(ranks) else ""
    return f"It has to be searched for: the chosen thresholds lie at {predicted}{rank}."


def _one_percentile(ranks: list[float]) -> bool:
    return max(ranks) > BELOW_ALL and max(ranks) - min(ranks) <= CLOSE


def _threshold_words(found: pd.DataFrame, settings: int) -> str:
    took = f"In {len(found)} of {count(settings, 'setting')} in which `global_norm` was tuned, a threshold was chosen."
    if len(found) < FEW:
        return took
    ratios, ranks, agree = _spread(found)
    words = f"{took} In units of the median norm the largest is {number(max(ratios) / min(ratios))} times the smallest"
    words += f" ({'at most' if agree else 'more than'} {ALIKE:g}: {'one rule' if agree else 'no one rule'})."
    return f"{words} {_rank_words(min(ranks), max(ranks), agree)}" if ranks else words


def _rank_words(low: float, high: float, agree: bool) -> str:
    """Whether one percentile of the unclipped norms would have done."""
    words = f"Its percentile among the unclipped norms goes from {percent(low, 0)} to {percent(high, 0)}"
    if high <= BELOW_ALL:
        return f"{words}: it lies below nearly all of them, and a percentile does not say how far below."
    return f"{words}: {'one' if _one_percentile([low, high]) else 'no one'} percentile predicts it."


def how_often(tables: Tables) -> Answer:
    """What clips gain in test accuracy by how often they fire, where training without one works and where it fails."""
    groups: dict[tuple[str, str], list[Difference]] = {
        (state, name): [] for state in (WORKS, FAILS) for name, _ in BINS
    }
    nothing = 0
    for failing, rate, difference in _gains(tables):
        nothing += not difference.compared
        if difference.compared:
            groups[FAILS if failing else WORKS, _bin(rate)].append(difference)
    kept = {key: own for key, own in groups.items() if own}
    rows: list[Row] = [
        {
            "training": state,
            "fires in": name,
            "clips × regimes": len(own),
            "mean gain (points)": number(float(np.mean([one.mean for one in own])), sign=True),
            **counted(own),
        }
        for (state, name), own in kept.items()
    ]
    works = {name: own for (state, name), own in kept.items() if state == WORKS}
    return Answer(
        "How often should a clip fire?",
        _rate_short(works) if rows else "",
        _rate_words(kept, nothing),
        "Every clip alone in every regime (`sign` and `normalized`, which bound nothing, are no clips), against none in"
        " the same regime, so at the same learning rate; the strengths"
        " are those of the grids, not tuned. The same: the 95 % interval lies within half a point; the other columns"
        " count the rest. Training works without a clip if no run diverges or stays at chance and, in a sweep over the"
        f" learning rate, the rate is shown to lose at most {USABLE:g} points to the best; elsewhere a gain is a"
        " rescue.",
        ("firing",),
        rows,
    )


def _bin(rate: float) -> str:
    return next(name for name, most in BINS if rate < most)


def _gains(tables: Tables) -> Iterator[tuple[bool, float, Difference]]:
    runs = tables["runs"]
    clips, working = runs[(runs["regularization"] == "none") & runs["clip"].map(bounds)], usable(tables)
    for (regime, _), own in clips.groupby(["regime", "clip"], sort=False):
        free = cell(tables, regime)
        rate = float(own["clip_rate"].astype(float).mean())
        if not free.empty and np.isfinite(rate):
            yield str(regime) not in working, rate, Difference.between(own, free)


def _rate_short(works: dict[str, list[Difference]]) -> str:
    """Where training works without a clip: which rates only gained, which only lost, and which say nothing."""
    if not works:
        return "Undecided: no clip was tried where training works without one."
    found = {name: conclusion(own) for name, own in works.items()}
    kinds = {
        "gained where they differ at all": ("better", "some better"),
        "lost where they differ at all": ("worse", "some worse"),
        "now gained, now lost": ("mixed",),
        "made no difference that was shown": ("same", "open", "undecided"),
    }
    groups = {word: [name for name, one in found.items() if one in which] for word, which in kinds.items()}
    parts = [f"clips that fire in {listed(names)} of the steps {word}" for word, names in groups.items() if names]
    start = "The rate of firing does not settle it" if "mixed" in found.values() or len(found) < 2 else "By rate"
    return f"{start}: where training works without a clip, {'; '.join(parts)}."


def _rate_words(kept: dict[tuple[str, str], list[Difference]], nothing: int) -> str:
    parts = []
    for state in (WORKS, FAILS):
        own = [f"{number(float(np.mean([one.mean for one in found])), sign=True)} points on average over {len(found)}"
               f" at {name}" for (which, name), found in kept.items() if which == state]  # fmt: skip
        if own:
            parts.append(f"Where training {state}: {several(own)}.")
    if nothing:
        parts.append(
            f"{count(nothing, 'pair is', 'pairs are')} left out: neither trained, or no seed has numbers for both."
        )
    return " ".join(parts)
