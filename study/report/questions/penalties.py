"""Zeros by L1, and dropout together with L2."""

from __future__ import annotations

from collections.abc import Mapping

from study.analysis.questions.numbers import Number
from study.analysis.questions.penalties import (
    BASELINE_STRENGTHS,
    BEST,
    CRITERIA,
    EQUAL,
    OWN_STRENGTHS,
    PROXIMAL,
    SUBGRADIENT,
)
from study.report.format import percent, regularizer_words
from study.report.questions.base import Answer, Row, Told, by_item, count
from study.report.questions.differences import Both, columns

ZEROS = 0.01  # a share of exact zeros below which there are none to speak of
FORMS = {SUBGRADIENT: "the subgradient", PROXIMAL: "proximal steps"}
SHARES = {
    "mean weight_zero": "exactly zero",
    "mean weight_small": "below .001",
    "mean test_accuracy": "test accuracy",
}


def l1_zeros(told: Told) -> Answer:
    """Zeros, small weights and test accuracy of L1 by subgradient and by proximal steps."""
    items = by_item(one for one in told.of("l1_zeros") if one.metric in SHARES)
    rows: list[Row] = [
        {"regime": told.place(own[0].own.regime), "penalty": regularizer_words(own[0].own.regularization),
         **{SHARES[one.metric]: percent(one.estimate) for one in own}}
        for own in items.values()
    ]  # fmt: skip
    return Answer(
        "L1 for zeros: subgradient or proximal?",
        _zero_short(_most(told)) if rows else "",
        _zero_words(told) if rows else "",
        "Means over seeds, without a clip. The subgradient steps over zero, the proximal step stops there.",
        ("weights", "claims"),
        rows,
    )


def _most(told: Told) -> dict[str, Number]:
    """The mean share of zeros of each form where it has the most."""
    zeros = told.of("l1_zeros", "mean weight_zero")
    forms = {name: [one for one in zeros if one.method == method] for method, name in FORMS.items()}
    return {name: max(own, key=lambda one: one.estimate) for name, own in forms.items() if own}


def _zero_short(most: Mapping[str, Number]) -> str:
    able = [name for name, one in most.items() if one.estimate >= ZEROS]
    if len(most) == 1:
        return f"Only {next(iter(most))} was tried, which made {'exact zeros' if able else 'no exact zeros'}."
    if len(able) == 1:
        return f"{able[0].capitalize()} made exact zeros, the other did not."
    return "Both made exact zeros." if able else "Neither made exact zeros at the strengths tried."


def _zero_words(told: Told) -> str:
    parts = [
        f"{name} at most {percent(one.estimate)} ({regularizer_words(one.own.regularization)})"
        for name, one in _most(told).items()
    ]
    equal = told.of("l1_zeros", part=EQUAL)
    names = {
        at: f"{regularizer_words(own[0].own.regularization)} in {told.place(own[0].own.regime)}"
        for at, own in by_item(equal).items()
    }
    both = Both.of(equal, names)
    words = f"Of the weights, exactly zero: {', '.join(parts)}."
    if not both.any:
        return f"{words} The cost of zeros was not compared."
    pairs = f"Proximal steps against the subgradient at equal strength, {count(len(names), 'pair')}. {both.tallies}"
    return f"{words} {pairs}{_at_the_best(told)}"


def _at_the_best(told: Told) -> str:
    """Each form at its best strength by validation accuracy, those of regimes of the same training among them."""
    numbers = told.of("l1_zeros", part=BEST)
    items = {at: {one.metric: one for one in own} for at, own in by_item(numbers).items()}
    names = {at: _against(told, own["test_accuracy"]) for at, own in items.items()}
    best = Both.of(numbers, names)
    if not best.any:
        return ""
    sizes = {f"{own[OWN_STRENGTHS].n} and {own[BASELINE_STRENGTHS].n}" for own in items.values()}
    return f" At the best of {' or '.join(sorted(sizes))} strengths each, by validation accuracy. {best.tallies}"


def _against(told: Told, one: Number) -> str:
    own, baseline = (regularizer_words(cell.regularization) for cell in (one.own, one.baseline))
    return f"{own} against {baseline} in {told.place(one.setting)}"


TOGETHER = {
    "better": "together they did better",
    "some better": "together they did better in some and in none worse",
    "same": "the second adds nothing that matters",
    "open": "no difference is decided",
    "undecided": "undecided",
    "some worse": "together they did worse in some and in none better",
    "worse": "together they did worse",
    "mixed": "it depends on the setting",
    "nothing": "nothing to compare",
}
BY = dict(zip(CRITERIA, ("accuracy", "loss"), strict=True))


def dropout_with_l2(told: Told) -> Answer:
    """Dropout and L2 together, against the best of all strengths of either alone that the same training was given."""
    numbers = told.of("dropout_with_l2")
    items = by_item(numbers)
    names = {
        at: f"against {regularizer_words(own[0].baseline.regularization)} in {told.place(own[0].own.regime)}"
        for at, own in items.items()
    }
    rows: list[Row] = [
        {"regime": told.place(own[0].own.regime), "together": regularizer_words(own[0].own.regularization),
         "best alone by": f"validation {BY[own[0].by]}", "alone": regularizer_words(own[0].baseline.regularization),
         "of": own[-1].n, **columns(own)}
        for own in items.values()
    ]  # fmt: skip
    groups = {name: Both.of([one for one in numbers if one.by == by], names) for by, name in BY.items()}
    labels = {own[0].own.regularization for own in items.values()}
    tried = {name: both for name, both in groups.items() if both.any}
    return Answer(
        "Dropout together with L2?",
        _both_short(tried, rows, labels),
        " ".join(f"Against the better alone by validation {name}. {both.tallies}" for name, both in tried.items()),
        "Without a clip. Of: how many strengths of dropout and of L2 alone the best was taken from, here and in other"
        " regimes that are the same training. The pair was not tuned. Difference: together less alone.",
        ("heatmap", "ranking"),
        rows,
    )  # fmt: skip


def _both_short(tried: dict[str, Both], rows: list[Row], labels: set[str]) -> str:
    if not tried:
        return ""
    regimes = {str(row["regime"]) for row in rows}
    scope = f"In {count(len(regimes), 'regime')} and with {count(len(labels), 'pair')} of strengths"
    accuracy, loss = (
        tried[name].conclusions[at] if name in tried else "nothing" for at, name in enumerate(BY.values())
    )
    if accuracy == loss:
        return f"{scope}, against the better one alone: {TOGETHER[accuracy]}."
    return (
        f"{scope}, against the better one alone: by test accuracy {TOGETHER[accuracy]}, by test loss {TOGETHER[loss]}."
    )
