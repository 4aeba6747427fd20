"""Dependence of a method's effect on the data or the net: along every sweep over a key, at equal strength."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from study.analysis.questions.dependence import ALONE, DATA, NET, SERIES
from study.analysis.questions.differences import NOTHING
from study.analysis.questions.numbers import Number
from study.methods.phrases import key_name
from study.report.format import in_words, number, percent, several
from study.report.questions.base import Answer, Row, Told, by_item, count, listed
from study.report.questions.differences import text

WORDS = {"reverses": "reversed", "changes": "different in size", "same": "the same", "undecided": "undecided",
         "nothing": "not to be compared"}  # fmt: skip


@dataclass(frozen=True)
class Series:
    """Gain of one method in test accuracy at each point of a sweep over one key, where it can be compared.

    text: clip to norm 0.1 in *sizes* (−18.2 at 500 ... points).
    """

    axis: str
    label: str
    verdict: str
    text: str
    points: tuple[Number, ...]
    alone: tuple[Number, ...]
    left_out: tuple[str, ...]


def on_data(told: Told) -> Answer:
    """Report the gain of clips and regularizers by the number of training digits and by the share of wrong labels."""
    return _answer(
        told, "on_data", "Does it depend on the number of training digits and the share of wrong labels?", DATA
    )


def on_net(told: Told) -> Answer:
    """Report the gain of clips and regularizers by depth, activation and initialisation."""
    return _answer(told, "on_net", "Does it depend on the depth, the activation and the initialisation?", NET)


def _answer(told: Told, name: str, question: str, axes: Sequence[str]) -> Answer:
    found = [_series(told, own) for own in by_item(told.of(name)).values()]
    return Answer(
        question,
        " ".join(_short(axis, own) for axis in axes if (own := [one for one in found if one.axis == axis])),
        " ".join(
            filter(None, [*(_words(axis, [x for x in found if x.axis == axis]) for axis in axes), _left_out(found)])
        ),
        "Gain: test accuracy of each method alone less that of the baseline at the same point. Strengths are given, not"
        " tuned anew at each point. Different in size: two of the 95 % intervals do not overlap; reversed: better"
        " at one point, worse at another. Points may differ in more, such as the number of steps: see the regimes.",
        ("sweeps",),
        _rows(told, found),
    )


def _series(told: Told, own: Sequence[Number]) -> Series:
    whole = next(one for one in own if one.metric == SERIES)
    points = [one for one in own if one.metric == "test_accuracy"]
    kept = [one for one in points if one.verdict not in NOTHING]
    label, axis = whole.label, whole.part
    ends = [f"{number(one.estimate, sign=True)} points at {told.point(one.own.regime, axis)}" for one in kept]
    sweep = told.sweep(whole.setting, points[0].own.regime, axis)
    return Series(
        axis, label, whole.verdict, f"{in_words(label)} in {sweep} ({', '.join(ends)})", tuple(kept),
        tuple(one for one in own if one.metric == ALONE),
        tuple(one.own.regime for one in points if one.verdict in NOTHING),
    )  # fmt: skip


def _rows(told: Told, found: Sequence[Series]) -> list[Row]:
    """A row for each method and regime in which it was compared, once where two keys are swept."""
    rows: dict[tuple[str, str], Row] = {}
    for series in found:
        for one, none in zip(series.points, series.alone, strict=True):
            rows[one.own.regime, series.label] = {
                "regime": told.place(one.own.regime),
                "method": in_words(series.label),
                "baseline": percent(none.estimate),
                "gain (points)": text(one),
                "verdict": one.verdict,
            }
    return list(rows.values())


def _short(axis: str, found: list[Series]) -> str:
    counts = {word: n for word in WORDS if (n := sum(one.verdict == word for one in found))}
    start = "yes" if {"reverses", "changes"} & set(counts) else "not seen" if list(counts) == ["same"] else "undecided"
    told = listed([f"{n} {WORDS[word]}" for word, n in counts.items()])
    return f"By {key_name(axis)}: {start}; of {count(len(found), 'series', 'series')} (method × sweep), {told}."


def _words(axis: str, found: list[Series]) -> str:
    groups = {word: [one.text for one in found if one.verdict == word] for word in WORDS if word != "nothing"}
    parts = [f"{WORDS[word]}: {several(texts, 6)}" for word, texts in groups.items() if texts]
    return f"By {key_name(axis)}, {'; '.join(parts)}." if parts else ""


def _left_out(found: Sequence[Series]) -> str:
    left = len({(regime, one.label) for one in found for regime in one.left_out})
    words = f"{count(left, 'case is', 'cases are')} left out: neither trains, or no seed has numbers for both."
    return words if left else "No case is left out."
