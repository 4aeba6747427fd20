"""Clipping, regularizers and the learning rate: what is left when the rate is tuned, or the step made equal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from study.analysis.questions.numbers import Number
from study.analysis.questions.ranges import USABLE
from study.analysis.questions.rates import DROPPED, EQUAL, LEFT, PRODUCT, RATIO, RESCUE, WITH, WITHOUT, WORKS
from study.analysis.questions.tuned import BOTH_WAYS, BY_LOSS, LR, RATE_GIVEN, RATE_TUNED
from study.report.format import clip_words, in_words, method_named, percent, several
from study.report.questions.base import SELECTED_BY, SHOWN_BY_LOSS, Answer, Row, Told, by_item, capital, count, listed
from study.report.questions.differences import Both, Found, columns, tally, text

MORE = {
    "better": "yes, it did better than {step}",
    "some better": "yes in some cases, and in none worse than {step}",
    "same": "no, {step} does as well",
    "open": "no more than {step} was shown",
    "undecided": "undecided against {step}",
    "some worse": "no, in some cases it did worse than {step}, and in none better",
    "worse": "no, it did worse than {step}",
    "mixed": "in some cases it did better than {step}, in others worse",
    "nothing": "nothing to compare",
}


def smaller_rate(told: Told) -> Answer:
    """Clipped nets beside unclipped ones at the swept learning rate that makes their steps equal."""
    numbers = told.of("smaller_rate")
    items = {at: {one.metric: one for one in own} for at, own in by_item(numbers).items()}
    names = {at: f"{clip_words(own[LEFT].own.clip)} in {told.place(own[LEFT].own.regime)}" for at, own in items.items()}
    both = {part: Both.of([one for one in numbers if one.part == part], names) for part in (WORKS, RESCUE)}
    works, rescue = (both[part].accuracy for part in (WORKS, RESCUE))
    dropped = sum(one.n or 0 for one in numbers if one.part == DROPPED)
    rows = [_equal_row(told, own) for own in items.values()]
    return Answer(
        "Is clipping more than a smaller learning rate?",
        _equal_short(both[WORKS].conclusions[0], works, rescue) if rows else "",
        _equal_words(works, rescue, dropped),
        "Step left: the share that the clip leaves of a gradient of median norm. The clip is compared with no clip at"
        " the swept learning rate nearest to rate × step left. Ratio: that rate divided by the product, 1 for equal"
        f" steps; pairs within a factor of {EQUAL:g} are compared. Norms change in training, so the steps are equal"
        " only at the median. A rate works without a clip"
        f" if all runs train and it is shown to lose at most {USABLE:g} points to the best of its sweep.",
        ("sweeps",),
        rows,
    )


def _equal_row(told: Told, own: Mapping[str, Number]) -> Row:
    one = own["test_accuracy"]
    return {
        "regime": told.place(one.own.regime),
        "clip": clip_words(one.own.clip),
        "step left": f"{own[LEFT].estimate:.2g}",
        "rate × step left": f"{own[PRODUCT].estimate:.2g}",
        "nearest rate, no clip": told.point(one.baseline.regime, LR),
        "ratio": f"{own[RATIO].estimate:.2g}",
        "with": percent(own[WITH].estimate),
        "without": percent(own[WITHOUT].estimate),
        "difference (points)": text(one),
    }


def _equal_short(conclusion: str, works: Found, rescue: Found) -> str:
    step = f"an unclipped run of nearly equal step (within a factor of {EQUAL:g})"
    told = capital(MORE[conclusion].format(step=step))
    if works:
        told += f": {_sides(works)}, by test accuracy"
    also = f" Where the nearly equal step does not work without a clip, the clip did {_sides(rescue)}."
    return f"{told}.{also if rescue else ''}"


def _sides(found: Found) -> str:
    """`better in 1 (a) and worse in 2 (b; c) of 4 comparisons`."""
    named = {word: [name for name, one in found if one.verdict == word] for word in ("better", "worse")}
    parts = [f"{word} in {len(own)}{f' ({several(own)})' if own else ''}" for word, own in named.items()]
    return f"{' and '.join(parts)} of {count(len(found), 'comparison')}"


def _equal_words(works: Found, rescue: Found, dropped: int) -> str:
    parts = [f"Test accuracy of clips, against no clip at a nearly equal step: {tally(works)}."] if works else []
    if rescue:
        parts.append(f"Where the rate of the nearly equal step does not work without a clip: {tally(rescue)}.")
    if dropped:
        parts.append(
            f"{count(dropped, 'pair is', 'pairs are')} left out, since the nearest swept rate is more than {EQUAL:g}"
            " times off."
        )
    return " ".join(parts)


SURVIVES = {
    "better": "yes, every method chosen did better",
    "some better": "some of it",
    "same": "no, nothing that matters is left",
    "open": "nothing was shown to survive, and some is undecided",
    "undecided": "undecided",
    "some worse": "no, nothing did better and something did worse",
    "worse": "no, every method chosen did worse",
    "mixed": "some of it, and some did worse",
    "nothing": "nothing to compare, tuning chose no method",
}


def survives(told: Told) -> Answer:
    """Compare each method with the baseline where both learning rates were tuned, beside its gain elsewhere."""
    numbers = told.of("survives", part=RATE_TUNED)
    items = by_item(numbers)
    names = {at: f"{method_named(own[0].method)} in {told.place(own[0].setting)}" for at, own in items.items()}
    rows: list[Row] = [
        {
            "method": names[at],
            "by validation": SELECTED_BY[own[0].by].split()[-1],
            "chosen": f"{in_words(own[0].label)} in {told.place(own[0].own.regime)}",
            "baseline": told.place(own[0].baseline.regime),
            **columns(own),
            "at a given rate elsewhere (points)": _elsewhere(told, own[0].method),
        }
        for at, own in items.items()
    ]
    found = {by: Both.of([one for one in numbers if one.by == by], names) for by in BOTH_WAYS}
    return Answer(
        "Does any of it survive tuning the learning rate?",
        _survival_short(found) if rows else "",
        " ".join(_survival_words(found)).strip(),
        "Each method and the baseline have their own best learning rate and strength, both chosen by validation loss"
        " (which finds gains in loss) or both by validation accuracy (gains in accuracy). A method that only"
        " compensates for a rate that is too large gains nothing here. Same cell: the method was not chosen. Last"
        " column: its gain in accuracy in settings with a given rate."
        f" {SHOWN_BY_LOSS}",
        ("tuning_curves",),
        rows,
    )  # fmt: skip


def _elsewhere(told: Told, method: str) -> str:
    gains = told.of("survives", part=RATE_GIVEN, method=method)
    return several([f"{told.place(one.setting)}: {text(one)}" for one in gains], 2) or "–"


def _survival_short(found: dict[str, Both]) -> str:
    """The conclusion by each metric and for each way of choosing."""
    told = {by: _conclusions(both) for by, both in found.items()}
    if len(set(told.values())) == 1:
        return f"Chosen by validation loss or by validation accuracy, {told[BY_LOSS]}."
    start = "It depends on what is tuned for. " if len({parts.split(";")[0] for parts in told.values()}) > 1 else ""
    return start + " ".join(f"Chosen by {SELECTED_BY[by]}, {parts}." for by, parts in told.items())


def _conclusions(both: Both) -> str:
    """The conclusion by each metric, with what survives where that is not all."""
    parts = []
    for found, one in zip((both.accuracy, both.loss), both.conclusions, strict=True):
        better = [name for name, difference in found if difference.verdict == "better"]
        named = f" ({listed(better)})" if one in ("some better", "mixed") else ""
        parts.append(f"{SURVIVES[one]}{named}")
    if parts[0] == parts[1]:
        return f"in test accuracy and in test loss: {parts[0]}"
    return f"in test accuracy: {parts[0]}; in test loss: {parts[1]}"


def _survival_words(found: dict[str, Both]) -> Iterator[str]:
    """What was compared by each way of choosing, once where both chose the same."""
    for by, both in found.items():
        if by == BY_LOSS or not both.alike(found[BY_LOSS]):
            if none := both.same_cells:
                yield f"By {SELECTED_BY[by]}, tuning chose the baseline over {several(none)}."
            if both.any:
                yield f"Chosen by {SELECTED_BY[by]}, against the baseline. {both.tallies}"
