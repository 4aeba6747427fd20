"""Threshold of a clip, and how often it should fire."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from study.analysis.questions.differences import NOTHING
from study.analysis.questions.numbers import Number
from study.analysis.questions.ranges import USABLE
from study.analysis.questions.thresholds import (
    ALIKE,
    BINS,
    FAILS,
    MULTIPLE,
    ONE,
    PERCENTILE,
    TOO_FEW,
    UNDER_ALL,
    WORKS,
)
from study.report.format import clip_words, number, percent, several
from study.report.questions.base import Answer, Row, Told, by_item, count, listed
from study.report.questions.differences import counted


def which_threshold(told: Told) -> Answer:
    """The chosen threshold of the clip to the global norm in each tuned setting, against the norms without a clip."""
    items = by_item(told.of("which_threshold"))
    whole = {one.metric: one for one in told.of("which_threshold") if one.item is None}
    return Answer(
        "Which threshold, and does a percentile of the unclipped gradient's norm predict it?",
        _threshold_short(told, whole) if items else "",
        _threshold_words(whole, len(items)) if items else "",
        "The rows would agree if one multiple of the unclipped median, or one percentile, were right everywhere."
        " Settings in which no clip was chosen have no threshold. Regret: what the choice loses on the test set"
        " against the most accurate candidate.",
        ("firing",),
        [_threshold_row(told, own) for own in items.values()],
    )


def _threshold_row(told: Told, own: Sequence[Number]) -> Row:
    """What was chosen in a setting, none too."""
    setting, label = told.place(own[0].setting), own[0].own.clip
    columns = {"median norm": "median norm unclipped", MULTIPLE: "threshold / median",
               PERCENTILE: "percentile of the unclipped norm", "clip_rate": "fires in",
               "regret": "regret (points)"}  # fmt: skip
    shown = {PERCENTILE: lambda share: percent(share, 0), "clip_rate": percent}
    given = {one.metric: shown.get(one.metric, number)(one.estimate) for one in own if label != "none"}
    return {
        "setting": setting,
        "chosen": clip_words(label),
        **{name: given.get(key, "–") for key, name in columns.items()},
    }


def _threshold_short(told: Told, whole: Mapping[str, Number]) -> str:
    if not whole:
        return "No threshold: wherever the clip to the global norm was tuned, tuning chose no clip."
    multiple, rank = whole[MULTIPLE], whole.get(PERCENTILE)
    if multiple.verdict == TOO_FEW:
        chosen = [
            one for one in told.of("which_threshold", MULTIPLE) if one.item is not None and one.own.clip != "none"
        ]
        multiples = [
            f"{number(one.estimate)} times the median norm without a clip"
            if math.isfinite(one.estimate)
            else "where unclipped runs have no median norm"
            for one in chosen
        ]
        choices = [f"{clip_words(one.own.clip)} in {told.place(one.setting)}, {multiple}"
                   for one, multiple in zip(chosen, multiples, strict=True)]  # fmt: skip
        return (
            f"Tuning chose {listed(choices)}. Whether that multiple or percentile holds elsewhere cannot be told from"
            f" {count(len(chosen), 'setting')}."
        )
    predicted = f"{_span(multiple)} times the median norm without a clip"
    if multiple.verdict == ONE:
        return f"A multiple of the median is a first guess: the chosen thresholds lie at {predicted}."
    unlike = ", and no percentile predicts it" if rank and rank.verdict != ONE else ""
    return f"It has to be searched for: the chosen thresholds lie at {predicted}{unlike}."


def _span(one: Number) -> str:
    low, high = number(one.low), number(one.high)
    return low if low == high else f"{low} to {high}"


def _threshold_words(whole: Mapping[str, Number], settings: int) -> str:
    multiple, rank = whole.get(MULTIPLE), whole.get(PERCENTILE)
    found = multiple.n if multiple else 0
    tuned = f"{count(settings, 'setting')} in which the clip to the global norm was tuned"
    took = f"In {found} of {tuned}, a threshold was chosen."
    if not multiple or multiple.verdict == TOO_FEW:
        return took
    agree = multiple.verdict == ONE
    words = f"{took} In units of the median norm the largest is {number(multiple.estimate)} times the smallest"
    words += f" ({'at most' if agree else 'more than'} {ALIKE:g}: {'one rule' if agree else 'no one rule'})."
    return f"{words} {_rank_words(rank)}" if rank else words


def _rank_words(rank: Number) -> str:
    """Whether one percentile of the unclipped norms would have done."""
    words = f"Its percentile among the unclipped norms goes from {percent(rank.low, 0)} to {percent(rank.high, 0)}"
    if rank.verdict == UNDER_ALL:
        return f"{words}: it lies below nearly all of them, and a percentile does not say how far below."
    return f"{words}: {'one' if rank.verdict == ONE else 'no one'} percentile predicts it."


def how_often(told: Told) -> Answer:
    """Report the gain of clips by how often they fire, where training without one works and where it fails."""
    numbers = told.of("how_often")
    whole = {(one.part, one.by): one for one in numbers if one.item is None and one.n}
    kept = {(state, name): whole[state, name] for state in (WORKS, FAILS) for name, _ in BINS if (state, name) in whole}
    rows: list[Row] = [
        {
            "training": state,
            "fires in": name,
            "clips × regimes": one.n,
            "mean gain (points)": number(one.estimate, sign=True),
            **counted([own for own in numbers if own.item is not None and (own.part, own.by) == (state, name)]),
        }
        for (state, name), one in kept.items()
    ]
    return Answer(
        "How often should a clip fire?",
        _rate_short({name: one.verdict for (state, name), one in kept.items() if state == WORKS}) if rows else "",
        _rate_words(kept, sum(one.verdict in NOTHING for one in numbers)),
        "Every clip alone, in every regime, against the baseline of the same regime and so at the same learning rate."
        " Strengths are those of the grids, not tuned. The sign and the normalized gradient are left out: they bound"
        " nothing. The same: the 95 % interval lies within half a point; the other columns"
        " count the rest. Training works without a clip if no run diverges or stays at chance and, in a sweep over the"
        f" learning rate, the rate is shown to lose at most {USABLE:g} points to the best. Elsewhere a gain is a"
        " rescue.",
        ("firing",),
        rows,
    )


def _rate_short(found: Mapping[str, str]) -> str:
    """Where training works without a clip: which rates only gained, which only lost, and which say nothing."""
    if not found:
        return "Undecided: no clip was tried where training works without one."
    kinds = {
        "gained wherever a difference was shown": ("better", "some better"),
        "lost wherever a difference was shown": ("worse", "some worse"),
        "gained in some cases and lost in others": ("mixed",),
        "made no difference that matters": ("same",),
        "are undecided": ("open", "undecided"),
    }
    groups = {word: [name for name, one in found.items() if one in which] for word, which in kinds.items()}
    parts = [f"clips that fire in {listed(names)} of the steps {word}" for word, names in groups.items() if names]
    start = "The rate of firing does not settle it" if "mixed" in found.values() or len(found) < 2 else "By rate"
    return f"{start}: where training works without a clip, {'; '.join(parts)}."


def _rate_words(kept: Mapping[tuple[str, str], Number], nothing: int) -> str:
    parts = []
    for state in (WORKS, FAILS):
        own = [f"{number(one.estimate, sign=True)} points on average over {one.n} at {name}"
               for (which, name), one in kept.items() if which == state]  # fmt: skip
        if own:
            parts.append(f"Where training {state}: {several(own)}.")
    if nothing:
        parts.append(
            f"{count(nothing, 'pair is', 'pairs are')} left out: neither trained, or no seed has numbers for both."
        )
    return " ".join(parts)
