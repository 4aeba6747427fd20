"""Choice of a strength: by which rule, at what cost and regret, by loss or by accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from study.analysis.questions.numbers import Number
from study.analysis.questions.strengths import (
    ACCURACY,
    AGREE,
    ALL,
    CHOSEN,
    COST,
    KIND,
    LARGEST,
    LOST,
    MEAN,
    RANDOM,
    STANDARD_ERROR,
    TAKEN,
    TRAINING,
    TRIED,
    VALIDATION,
    WON,
)
from study.analysis.questions.tuned import regimes_of
from study.report.format import in_words, method_named, number, several
from study.report.questions.base import KINDS, SHOWN_BY_LOSS, Answer, Row, Told, by_item, capital, count, listed
from study.report.questions.differences import Both, Found, columns, compared
from study.report.tuning import edge_words

Regret = tuple[float, float]
"""Mean regrets in accuracy and in loss."""


def choose_strength(told: Told) -> Answer:
    """Report what each rule of choice loses on the test set against the best candidate, and what it costs."""
    regrets: dict[tuple[str, str, str], list[Number]] = {}
    for one in told.of("choose_strength"):
        if one.metric in (MEAN, LARGEST):
            regrets.setdefault((one.part, one.method, one.by), []).append(one)
    of_all = {rule: own for (part, _, rule), own in regrets.items() if part == ALL}
    lost = {rule: (own[0].estimate, own[2].estimate) for rule, own in of_all.items()}
    own = {rule: own for (part, name, rule), own in regrets.items() if (part, name) == (KIND, "regularization")}
    return Answer(
        "How do I choose λ?",
        _choice_short(told, lost, of_all[VALIDATION][0].n or 0, own) if lost else "",
        _choice_words(told) if lost else "",
        "Regret: what the rule's candidate loses on the test set against the best candidate there. Nobody knows the"
        " best beforehand, and as the best of several it is a little too good. Means have no intervals,"
        " since methods of one setting share their data. Undefined regrets, of candidates that fail, are left out."
        " Over: all tuned methods, the clips, the regularizers, and each method that was tuned in several settings.",
        ("tuning_curves",),
        [_regret_row(key, own) for key, own in regrets.items()],
    )


def _regret_row(key: tuple[str, str, str], own: Sequence[Number]) -> Row:
    part, name, rule = key
    n = own[0].n or 0
    over = {ALL: f"all {n}", KIND: count(n, KINDS.get(name, name))}.get(
        part, f"{method_named(name)}, {count(n, 'setting')}"
    )
    mean, largest, mean_loss, largest_loss = (number(one.estimate) for one in own)
    return {
        "rule": "no choice: a strength at random" if rule == RANDOM else rule,
        "over": over,
        "mean regret (points)": mean,
        "largest (points)": largest,
        "mean regret (nats)": mean_loss,
        "largest (nats)": largest_loss,
        "undefined": own[0].n_undefined,
    }


def _choice_short(
    told: Told, lost: Mapping[str, Regret], cases: int, regularizers: Mapping[str, Sequence[Number]]
) -> str:
    texts = {name: f"{number(points)} points and {number(nats)} nats" for name, (points, nats) in lost.items()}
    short = f"{_advice(lost)} Mean loss against the best strength on the test set, over {count(cases, 'tuned case')}:"
    short += f" {texts[VALIDATION]} by validation loss, {texts[ACCURACY]} by validation accuracy, {texts[TRAINING]} by"
    short += f" training loss.{_of_regularizers(regularizers)} The rule of one standard error loses"
    return f"{short} {texts[STANDARD_ERROR]}{_trade(lost)}.{_taken(told)}"


def _of_regularizers(own: Mapping[str, Sequence[Number]]) -> str:
    """The same of regularizers alone, where clips were tuned too."""
    if not {VALIDATION, ACCURACY} <= own.keys():
        return ""
    loss, accuracy = (number(own[rule][0].estimate) for rule in (VALIDATION, ACCURACY))
    cases = own[VALIDATION][0].n
    return (
        f" Over the {cases} of regularizers alone: {loss} points by validation loss, {accuracy} by validation accuracy."
    )


def _taken(told: Told) -> str:
    """The strengths of each regularizer that the two choices took, as a place to start from."""
    parts = [
        f"{method_named(one.method)} {' to '.join(dict.fromkeys([f'{one.low:g}', f'{one.high:g}']))} in"
        f" {count(one.n or 0, 'setting')}"
        for one in told.of("choose_strength", TAKEN)
    ]
    return f" Chosen here by either validation rule, as places to start from: {'; '.join(parts)}." if parts else ""


def _advice(lost: Mapping[str, Regret]) -> str:
    """What the mean regrets, in accuracy and in loss, bear out."""
    loss, accuracy, training = lost[VALIDATION], lost[ACCURACY], lost[TRAINING]
    better = [one < other for one, other in zip(accuracy, loss, strict=True)]
    worse = [one > other for one, other in zip(accuracy, loss, strict=True)]
    if better[0] and worse[1]:
        advice = "For the loss choose by validation loss, for the accuracy by validation accuracy"
    elif any(better) and not any(worse):
        advice = "By validation accuracy"
    elif any(worse) and not any(better):
        advice = "By validation loss"
    else:
        advice = "By validation loss or validation accuracy, which choose about as well here"
    if all(min(one, other) < train for one, other, train in zip(loss, accuracy, training, strict=True)):
        return f"{advice}; not by the training loss."
    return f"{advice}; by at least one measure, the training loss chose as well here."


def _trade(lost: Mapping[str, Regret]) -> str:
    names = {name: one - other for name, one, other in zip(("accuracy", "loss"), lost[STANDARD_ERROR], lost[VALIDATION],
                                                            strict=True)}  # fmt: skip
    less, more = ([name for name, gain in names.items() if sign * gain > 0] for sign in (-1, 1))
    if not less and not more:
        return ", as much as the smallest validation loss"
    parts = [f"{word} {listed(which)}" for word, which in (("less in", less), ("more in", more)) if which]
    return f", {listed(parts)} than the smallest validation loss"


def _choice_words(told: Told) -> str:
    items = [{one.metric: one for one in own} for own in by_item(told.of("choose_strength")).values()]
    found = {f"{method_named(own[CHOSEN].method)} in {told.place(own[CHOSEN].setting)}": own for own in items}
    sizes, costs = ([own[metric].estimate for own in items] for metric in (TRIED, COST))
    ends = {name: own[CHOSEN].verdict for name, own in found.items() if own[CHOSEN].verdict}
    alone = [name for name, edge in ends.items() if "no grid" in edge]
    ends = {name: edge for name, edge in ends.items() if name not in alone}
    edges = [f"{name} ({edge_words(edge)})" for name, edge in ends.items()]
    small = sum("strength" in edge and found[name][TRIED].estimate == 2 for name, edge in ends.items())
    none = sum(not own[CHOSEN].own.methods for own in items)
    alike, won, lost = (told.of("choose_strength", metric)[0].estimate for metric in (AGREE, WON, LOST))
    words = (
        f"{count(len(found), 'method was', 'methods were')} tuned (counted once a setting), with {_whole(sizes)}"
        f" strengths each besides the baseline; a choice took {_whole(costs)} trainings. The baseline was chosen for"
        f" {none}. The smallest validation loss and the rule of one standard error agree for {alike:g}. By test"
        f" accuracy the smallest validation loss chose better than the smallest training loss for {won:g}, worse for"
        f" {lost:g}."
    )
    if alone:
        words += f" {count(len(alone), 'choice has', 'choices have')} no grid, but one strength: {several(alone)}."
    if not edges:
        return f"{words} No choice lies at an end of its grid."
    many = "all of them" if small == len(edges) else f"{small} of them"
    of = "a grid of two" if len(edges) == 1 else f"{many} of grids of two"
    two = f", {of}, where every strength does" if small else ""
    return (
        f"{words} {count(len(edges), 'choice lies', 'choices lie')} at an end of the grid{two}; a wider grid might hold"
        f" better: {several(edges)}."
    )


def _whole(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


SELECTED = {
    "better": "the choice by accuracy does better",
    "some better": "the choice by accuracy does better in some and in none worse",
    "same": "no difference that matters",
    "open": "no difference is decided",
    "undecided": "undecided",
    "some worse": "the choice by loss does better in some and in none worse",
    "worse": "the choice by loss does better",
    "mixed": "each does better in some cases",
    "nothing": "nothing to compare",
}


def loss_or_accuracy(told: Told) -> Answer:
    """The candidate of the best validation accuracy against that of the smallest validation loss, on the same runs."""
    items = by_item(told.of("loss_or_accuracy"))
    names = {at: f"{method_named(own[0].method)} in {told.place(own[0].setting)}" for at, own in items.items()}
    both = Both.of(told.of("loss_or_accuracy"), names)
    alike = sum(own[0].own == own[0].baseline for own in items.values())
    rows: list[Row] = [
        {
            "method": names[at],
            "by accuracy": _candidate(told, own[0].setting, own[0].label, own[0].own.regime),
            "by loss": _candidate(told, own[0].setting, own[0].baseline_label, own[0].baseline.regime),
            **columns(own),
        }
        for at, own in items.items()
        if own[0].own != own[0].baseline
    ]
    tried = len(both.accuracy)
    return Answer(
        "Loss or accuracy as the selector?",
        _selector_short(both) if rows else "",
        f"Of {count(tried, 'tuned method')}, both choose the same for {alike}. Where they differ, the choice by"
        f" validation accuracy is compared with that by validation loss. {both.tallies}",
        "Both are chosen by means over the tuning's runs and compared on the test digits. Difference: by accuracy less"
        f" by loss. {SHOWN_BY_LOSS}",
        ("tuning_curves",),
        rows,
    )


def _selector_short(both: Both) -> str:
    accuracy, loss = both.conclusions
    if accuracy in ("better", "some better") and loss in ("worse", "some worse"):
        return "By the metric you care about: choosing by accuracy improves accuracy, choosing by loss improves loss."
    if {accuracy, loss} <= {"better", "some better"}:
        return "By accuracy: it did better by both measures, or as well."
    if {accuracy, loss} <= {"worse", "some worse"}:
        return "By loss: it did better by both measures, or as well."
    return f"{capital(both.lead(SELECTED))} The choice by accuracy is {_better(both.accuracy)} by test accuracy" + (
        f" and {_better(both.loss)} by test loss."
    )


def _better(found: Found) -> str:
    """`better in 18 and worse in 1 of 20 cases`."""
    better, worse = (sum(one.verdict == word for _, one in found) for word in ("better", "worse"))
    return f"better in {better} and worse in {worse} of {count(len(compared(found)), 'case')}"


def _candidate(told: Told, setting: str, label: str, regime: str) -> str:
    regimes = regimes_of(told.tables)
    several_ = regimes.loc[regimes["setting"] == setting, "regime"].nunique() > 1
    return f"{in_words(label)}{f' in {told.place(regime)}' if several_ else ''}"
