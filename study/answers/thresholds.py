"""Which threshold, and how often a clip should fire."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from study.answers.base import Answer, Difference, Row, cell, chosen, span
from study.figures.style import Tables
from study.findings import number, percent

ALIKE = 3.0  # multiples of the median this many times apart are still called one rule
CLOSE = 0.25  # of percentiles
BELOW_ALL = 0.1  # a percentile at which a threshold is below nearly all norms
FEW = 3  # settings below which nothing is called a rule
BINS = (("hardly ever (under 1 %)", 0.01), ("in up to half of the steps", 0.5), ("in more than half", 0.99),
        ("at nearly every step", np.inf))  # fmt: skip


def which_threshold(tables: Tables) -> Answer:
    """The chosen threshold of `global_norm` in each tuned setting, against the gradient's norms without a clip."""
    found = tables.get("thresholds", pd.DataFrame(columns=["setting"]))
    rows: list[Row] = [
        {
            "setting": row["setting"],
            "chosen": f"`{row['label']}`",
            "median norm unclipped": number(row["median"]),
            "threshold / median": number(row["threshold"] / row["median"]),
            "percentile of the unclipped norm": percent(row["percentile"], 0),
            "fires in": percent(row["clip_rate"]),
            "regret (points)": number(100 * row["regret"]),
        }
        for row in found.to_dict("records")
    ]
    return Answer(
        "Which threshold, and does a percentile of the unclipped gradient's norm predict it?",
        _threshold_words(found, _settings_of(tables, "global_norm")),
        "If one multiple of the unclipped median, or one percentile, were right everywhere, the rows would agree."
        " Settings in which none was chosen have no threshold.",
        "firing",
        rows,
    )


def _settings_of(tables: Tables, method: str) -> int:
    choices = chosen(tables)
    return int((choices["method"] == method).sum())


def _threshold_words(found: pd.DataFrame, settings: int) -> str:
    if found.empty:
        return ""
    ratios = (found["threshold"] / found["median"]).astype(float).tolist()
    ranks = found["percentile"].astype(float).dropna().tolist()
    took = f"In {len(found)} of the {settings} settings in which `global_norm` was tuned a threshold was chosen"
    if len(found) < FEW:
        return f"{took}, {span(ratios)} times the median norm without a clip: so few settings make no rule."
    agree = max(ratios) <= ALIKE * min(ratios)
    words = f"{took}; it lies at {span(ratios)} times the median norm without a clip"
    words += f", {'less than' if agree else 'more than'} a factor of {ALIKE:g} apart."
    if ranks:
        words += f" {_rank_words(min(ranks), max(ranks), agree)}"
    return (
        f"{words} {'A multiple of the median is a first guess' if agree else 'The threshold has to be searched for'}."
    )


def _rank_words(low: float, high: float, agree: bool) -> str:
    """Whether one percentile of the unclipped norms would have done."""
    words = f"Its percentile among the unclipped norms goes from {percent(low, 0)} to {percent(high, 0)}"
    if high <= BELOW_ALL and not agree:
        return f"{words}: it lies below nearly all of them, and a percentile does not say how far below."
    return f"{words}: {'one' if high - low <= CLOSE else 'no one'} percentile predicts it."


def how_often(tables: Tables) -> Answer:
    """What clips gain in test accuracy by how often they fire."""
    found = list(_gains(tables))
    groups: dict[str, list[Difference]] = {name: [] for name, _ in BINS}
    for rate, difference in found:
        groups[next(name for name, most in BINS if rate < most)].append(difference)
    rows: list[Row] = [
        {
            "fires": name,
            "clips x regimes": len(own),
            "mean gain (points)": number(float(np.mean([one.mean for one in own])), sign=True),
            **{verdict: sum(one.verdict == verdict for one in own) for verdict in ("higher", "lower")},
        }
        for name, own in groups.items()
        if own
    ]
    return Answer(
        "How often should a clip fire?",
        _rate_words({name: own for name, own in groups.items() if own}),
        "Every clip alone in every regime, against none at the same learning rate; higher and lower count those whose"
        " 95 % interval leaves zero out. What a clip gains at a learning rate that is too large counts too.",
        "firing",
        rows,
    )


def _gains(tables: Tables) -> Iterator[tuple[float, Difference]]:
    runs = tables["runs"]
    clips = runs[(runs["regularization"] == "none") & (runs["clip"] != "none")]
    for (regime, _), own in clips.groupby(["regime", "clip"], sort=False):
        difference, rate = Difference.between(own, cell(tables, regime)), float(own["clip_rate"].astype(float).mean())
        if difference.pairs and np.isfinite(rate):
            yield rate, difference


def _rate_words(groups: dict[str, list[Difference]]) -> str:
    if len(groups) < 2:
        return "All clips tried fired about equally often, so nothing can be said." if groups else ""
    means = {name: float(np.mean([one.mean for one in own])) for name, own in groups.items()}
    best = max(means, key=lambda name: means[name])
    won = {name: np.mean([one.verdict == "higher" for one in own]) for name, own in groups.items()}
    mixed = [name for name, own in groups.items() if {"higher", "lower"} <= {one.verdict for one in own}]
    words = (
        f"Clips that fire {best} gained most on average, {number(means[best], sign=True)} points"
        f" (higher in {percent(float(won[best]), 0)} of {len(groups[best])} cases)."
    )
    if mixed:
        words += (
            f" The rate alone decides little: among those that fire {' or '.join(mixed)} some gained and some lost."
        )
    return words
