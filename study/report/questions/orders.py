"""Order and norm: clip before or after decay, per tensor or of the whole gradient."""

from __future__ import annotations

from collections.abc import Sequence

from study.analysis.questions.differences import NOTHING
from study.analysis.questions.numbers import Number
from study.analysis.questions.orders import CLIPPED, FREE
from study.analysis.questions.tuned import BOTH_WAYS
from study.report.format import cell_words, clip_words, regularizer_words
from study.report.questions.base import SELECTED_BY, Answer, Row, Told, by_item, capital, count
from study.report.questions.differences import Both, columns

ORDER = {
    "better": "the penalty in the loss, clipped with the gradient, did better",
    "some better": "the penalty in the loss, clipped with the gradient, did better in some cases and in none worse",
    "same": "it makes no difference that matters",
    "open": "no difference is decided",
    "undecided": "undecided",
    "some worse": "decay after the clip did better in some cases and in none worse",
    "worse": "decay after the clip did better",
    "mixed": "it depends on the setting",
    "nothing": "nothing to compare",
}


def before_or_after(told: Told) -> Answer:
    """A penalty in the loss, clipped with the gradient, against the same as weight decay after the clip."""
    numbers = told.of("before_or_after")
    items = by_item(numbers)
    names = {at: _pair(told, own[0]) for at, own in items.items()}
    both, free = (Both.of([one for one in numbers if one.part == part], names) for part in (CLIPPED, FREE))
    rows: list[Row] = [
        {"regime": told.place(own[0].own.regime), "clip": clip_words(own[0].own.clip),
         "in the loss": regularizer_words(own[0].own.regularization),
         "after the clip": regularizer_words(own[0].baseline.regularization),
         **columns(own)}
        for own in items.values()
    ]  # fmt: skip
    clipped = [own[0] for own in items.values() if own[0].part == CLIPPED]
    return Answer(
        "Clip before or after decay?",
        _scoped(both.lead(ORDER), clipped) if clipped else "No clip meets both forms, so nothing can be said.",
        " ".join([_scope(clipped), both.tallies if both.any else "", _unclipped(free)]).strip(),
        "L2 in the loss (`l2`) is part of the gradient that is clipped; weight decay (`weight_decay`) adds the same"
        " term after the clip, so that without a clip both make the same step. Difference: in the loss less after the"
        " clip. If a form has several strengths, those of the best validation loss are compared too.",
        ("heatmap",),
        rows,
    )


def _pair(told: Told, one: Number) -> str:
    return f"{cell_words(one.own.clip, one.own.regularization)} in {told.place(one.own.regime)}"


def _scoped(lead: str, pairs: Sequence[Number]) -> str:
    if len(pairs) > 1:
        return capital(lead)
    return f"In the one case tried, {lead[0].lower()}{lead[1:]}"


def _scope(pairs: Sequence[Number]) -> str:
    if not pairs:
        return ""
    regimes, clips, strengths = (len({one.own[at] for one in pairs}) for at in range(3))
    return (
        f"This rests on {count(regimes, 'regime')}, {count(clips, 'clip')} and {count(strengths, 'strength')} of the"
        " penalty."
    )


def _unclipped(free: Both) -> str:
    """What the two forms do where no clip can part them."""
    found = [one for _, one in free.accuracy if one.verdict not in NOTHING]
    if not found:
        return ""
    equal = sum(one.estimate == 0 and not one.high > one.low for one in found)
    return f"Without a clip both end with the same accuracy in every seed, in {equal} of {count(len(found), 'case')}."


TENSOR = {
    "better": "per tensor did better",
    "some better": "per tensor did better in some and in none worse",
    "same": "no difference that matters",
    "open": "no difference is decided",
    "undecided": "undecided",
    "some worse": "global did better in some and per tensor in none",
    "worse": "global did better",
    "mixed": "each did better in some cases",
    "nothing": "nothing to compare",
}


def per_tensor(told: Told) -> Answer:
    """Clipping by the norm of each tensor against that of the whole gradient, at the best strengths of both."""
    numbers = told.of("per_tensor")
    items = by_item(numbers)
    names = {at: told.place(own[0].setting) for at, own in items.items()}
    rows: list[Row] = [
        {"setting": names[at], "strengths by": SELECTED_BY[own[0].by], "per tensor": clip_words(own[0].own.clip),
         "global": clip_words(own[0].baseline.clip), **columns(own)}
        for at, own in items.items()
    ]  # fmt: skip
    groups = {by: Both.of([one for one in numbers if one.by == by], names) for by in BOTH_WAYS}
    tried = {SELECTED_BY[by]: both for by, both in groups.items() if both.accuracy}
    settings = len({str(row["setting"]) for row in rows})
    return Answer(
        "Per tensor or global?",
        _tensor_short(tried, rows, settings),
        " ".join(f"Strengths by {name}. {both.tallies}" for name, both in tried.items()),
        "Both have equally many strengths. Difference: per tensor less global. Tuning uses validation loss.",
        ("tuning_curves",),
        rows,
    )


def _tensor_short(tried: dict[str, Both], rows: list[Row], settings: int) -> str:
    if not rows:
        return ""
    where = f"In the one setting compared ({rows[0]['setting']})" if settings == 1 else f"In {settings} settings"
    leads = {name: both.phrase(TENSOR) for name, both in tried.items()}
    if len(set(leads.values())) == 1:
        return f"{where}: {next(iter(leads.values()))}."
    return f"{where} it depends on how strengths are chosen. " + " ".join(
        f"By {name}: {lead}." for name, lead in leads.items()
    )
