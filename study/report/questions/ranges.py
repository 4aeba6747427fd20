"""The learning rates at which training works, with a clip and without."""

from __future__ import annotations

from collections.abc import Sequence

from study.analysis.questions.numbers import Number
from study.analysis.questions.ranges import CAN, HIGHER, RATES, UNCLEAR, USABLE
from study.analysis.questions.tuned import LR
from study.report.format import clip_words
from study.report.questions.base import Answer, Row, Told, capital, count, listed

CHANGES = {"widens": "widened", "shifts": "shifted", "narrows": "narrowed", "unchanged": "unchanged",
           "undecided": "undecided"}  # fmt: skip


def widens(told: Told) -> Answer:
    """The usable learning rates of every clip against those of none, in every sweep over the rate."""
    rows: list[Row] = []
    found: list[tuple[str, str]] = []
    higher = 0
    for one in told.of("widens", RATES):
        clip = one.own.clip
        points = [own for own in told.of("widens", "test_accuracy", part=one.part) if own.own.clip == clip]
        where = told.sweep(one.setting, points[0].own.regime, LR)
        word = one.verdict if clip != "none" else "–"
        rows.append({"sweep": where, "clip": clip_words(clip), **_shown(told, points), "against the baseline": word})
        if clip != "none":
            found.append((f"{clip_words(clip)} in {where}", word))
            higher += one.by == HIGHER
    return Answer(
        "Does a clip widen the usable learning rates?",
        _short(found, higher),
        _words(found),
        f"A rate is usable if all runs train and test accuracy is at most {USABLE:g} points below that of no clip at"
        " its best rate in the sweep, by the 95 % interval of the paired difference. It is undecided if the interval"
        " reaches across that bound. A clip widens the range if it adds rates and loses none, narrows it if it loses"
        " some and adds none, and shifts it if it does both. Only the rates of the grid are known.",
        ("sweeps",),
        rows,
    )


def _shown(told: Told, points: Sequence[Number]) -> Row:
    return {
        name: ", ".join(told.point(one.own.regime, LR) for one in points if one.verdict == word) or "–"
        for name, word in (("usable", CAN), ("undecided", UNCLEAR))
    }


def _by_word(found: list[tuple[str, str]]) -> dict[str, list[str]]:
    return {word: own for word in CHANGES if (own := [name for name, one in found if one == word])}


def _short(found: list[tuple[str, str]], higher: int) -> str:
    if not found:
        return ""
    counts = _by_word(found)
    start = "In some cases" if "widens" in counts else "Undecided" if "undecided" in counts else "No"
    start = "Yes" if list(counts) == ["widens"] else start
    told = listed([f"{CHANGES[word]} in {len(own)}" for word, own in counts.items()])
    cases = count(len(found), "case")
    return f"{start}. In {cases} (clip × sweep), the range was {told}; the highest usable rate rose in {higher}."


def _words(found: list[tuple[str, str]]) -> str:
    return " ".join(f"{capital(CHANGES[word])}: {'; '.join(names)}." for word, names in _by_word(found).items())
