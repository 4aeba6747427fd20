"""Questions whether to clip at all, and with which clip."""

from __future__ import annotations

from collections.abc import Iterator

from study.analysis.questions.clips import ALL_TRAIN, FAILS_WITHOUT, SOME_FAIL, TRAINS_WITHOUT
from study.analysis.questions.numbers import Number
from study.analysis.questions.tuned import BOTH_WAYS, BY_LOSS, RATE_GIVEN, RATE_TUNED
from study.methods.labels import NONE
from study.report.format import clip_words, method_named, several
from study.report.questions.base import SELECTED_BY, Answer, Row, Told, by_item, capital, count
from study.report.questions.differences import Both, columns

CLIP_AT_ALL = {
    "better": "it did better than the baseline",
    "some better": "it did better than the baseline in some cases and worse in none",
    "same": "it makes no difference that matters",
    "open": "no difference is decided",
    "undecided": "nothing is decided",
    "some worse": "it did worse than the baseline in some cases and better in none",
    "worse": "it did worse than the baseline",
    "mixed": "it did better than the baseline in some cases and worse in others",
    "nothing": "there is nothing to compare",
}


OTHERS = {
    "better": "all others are better",
    "some better": "some others are better",
    "same": "the others are as good",
    "open": "the others cannot be told from it",
    "undecided": "the others cannot be told from it",
    "some worse": "some others are worse, none better",
    "worse": "all others are worse",
    "mixed": "some others are better and some worse",
    "nothing": "there is nothing to compare",
}


WHERE = {RATE_GIVEN: "At the given learning rate", RATE_TUNED: "With the learning rate tuned too"}
TOLD_BY = {RATE_GIVEN: "given", RATE_TUNED: "tuned"}


def should_clip(told: Told) -> Answer:
    """Compare tuned clips with the tuned baseline, the rate given or tuned; and tell which rescue or break training."""
    items = by_item(told.of("should_clip"))
    places = {at: told.place(own[0].setting) for at, own in items.items()}
    names = {at: f"{_clip_of(own[0])} in {places[at]}" for at, own in items.items()}
    rows: list[Row] = [
        {"setting": places[at], "clip": method_named(own[0].method),
         "by validation": SELECTED_BY[own[0].by].split()[-1],
         "chosen": clip_words(own[0].own.clip), "learning rate": TOLD_BY[own[0].part], **columns(own)}
        for at, own in items.items()
    ]  # fmt: skip
    groups = {
        (part, by): Both.of(told.of("should_clip", part=part, by=by), names) for part in WHERE for by in BOTH_WAYS
    }
    tried = [part for part in WHERE if groups[part, BY_LOSS].accuracy]
    short, words = _training_short(told), _training_words(told)
    return Answer(
        "Should I clip at all?",
        " ".join([*(_group_short(part, groups) for part in tried), *filter(None, [short])]),
        " ".join([*(line for part in tried for line in _group_words(part, groups)), *([words] if short else [])]),
        "Each clip and the baseline as chosen by validation loss, and as validation accuracy would choose them. Same"
        " cell: no clip was chosen.",
        ("profiles", "tuning_curves", "firing"),
        rows,
    )


def _clip_of(one: Number) -> str:
    return method_named(one.method) if one.own.clip == NONE else clip_words(one.own.clip)


def _group_short(part: str, groups: dict[tuple[str, str], Both]) -> str:
    """In how many cases tuning chose a clip, by loss and by accuracy, and what that brought."""
    loss, accuracy = (groups[part, by] for by in BOTH_WAYS)
    text = f"{WHERE[part]}, tuning by validation loss chose {_chosen(loss)}."
    if loss.alike(accuracy):
        return f"{text} Tuning by validation accuracy chose the same."
    return f"{text} Tuning by validation accuracy chose {_chosen(accuracy)}."


def _chosen(both: Both) -> str:
    """`a clip in 5 of 9 cases (+3.3 to +7.6 points): it did better than the baseline, by ..`."""
    cases = count(len(both.accuracy), "case")
    made = len(both.accuracy) - len(both.same_cells)
    brought = f" ({both.span}): {both.phrase(CLIP_AT_ALL)}" if both.any else ""
    return f"a clip in {made or 'none'} of {cases}{brought}"


def _group_words(part: str, groups: dict[tuple[str, str], Both]) -> Iterator[str]:
    """What was compared by each way of choosing, once where both chose the same."""
    told = [by for by in BOTH_WAYS if by == BY_LOSS or not groups[part, by].alike(groups[part, BY_LOSS])]
    for by in told:
        both = groups[part, by]
        chose = f"{WHERE[part]}, by {SELECTED_BY[by]}, {count(len(both.accuracy), 'clip was', 'clips were')} tuned"
        none = both.same_cells
        chose += f"; no clip was chosen for {len(none)} ({several(none)})." if none else "."
        yield f"{chose} {both.tallies}" if both.any else chose


def _turned(told: Told, part: str, verdict: str) -> dict[str, list[str]]:
    """The regimes of a part, each with the clips under which training turns out so."""
    found: dict[str, list[str]] = {}
    for one in told.of("should_clip", "failed", part=part):
        found.setdefault(one.own.regime, []).extend([one.own.clip] if one.verdict == verdict else [])
    return found


def _training_short(told: Told) -> str:
    """In how many regimes a clip makes all train, and in how many one makes runs fail."""
    parts = []
    rescued, lost = _turned(told, FAILS_WITHOUT, ALL_TRAIN), _turned(told, TRAINS_WITHOUT, SOME_FAIL)
    if rescued:
        of = count(len(rescued), "regime")
        parts.append(f"a clip made all runs train in {_number(rescued)} of {of} where some fail without one")
    if _number(lost):
        of = count(len(lost), "regime")
        parts.append(f"a clip made runs fail in {_number(lost)} of {of} where all train without one")
    return f"{capital('; '.join(parts))}." if parts else ""


def _training_words(told: Told) -> str:
    """The same with the names of regimes and clips."""
    parts = []
    rescued, lost = _turned(told, FAILS_WITHOUT, ALL_TRAIN), _turned(told, TRAINS_WITHOUT, SOME_FAIL)
    if kept := _named(told, rescued):
        parts.append(f"A clip made all runs train, where some fail without one, in {several(kept)}.")
    if still := [told.place(one) for one, clips in rescued.items() if not clips]:
        parts.append(f"With every clip some runs still failed in {several(still)}.")
    if broken := _named(told, lost):
        parts.append(f"A clip made runs fail, where all train without one, in {several(broken)}.")
    return " ".join([*parts, "A run fails if it diverges or stays at chance; otherwise it trains, however well."])


def _number(turned: dict[str, list[str]]) -> int:
    return sum(map(bool, turned.values()))


def _named(told: Told, turned: dict[str, list[str]]) -> list[str]:
    return [f"{told.place(one)} ({'; '.join(map(clip_words, clips))})" for one, clips in turned.items() if clips]


def which_clip(told: Told) -> Answer:
    """The clip of the smallest validation loss in each setting against the others, all tuned."""
    numbers = told.of("which_clip")
    items = by_item(numbers)
    rows: list[Row] = []
    shorts: list[str] = []
    words: list[str] = []
    for setting in dict.fromkeys(one.part for one in numbers):
        own = {at: both for at, both in items.items() if both[0].part == setting}
        names = {at: clip_words(both[0].own.clip) for at, both in own.items()}
        first, where = next(iter(own.values()))[0].baseline.clip, told.place(setting)
        both = Both.of([one for one in numbers if one.part == setting], names)
        rows += [{"setting": where, "first": clip_words(first), "other": method_named(one[0].method),
                  "tuning chose": names[at],
                  **columns(one)} for at, one in own.items()]  # fmt: skip
        shorts.append(f"{where}, {_first_words(first, both)}")
        if both.any:
            words.append(f"In {where}, against {clip_words(first)}. {both.tallies}")
    return Answer(
        "Which clip?",
        f"In {'. In '.join(shorts)}." if shorts else "",
        " ".join([f"{count(len(shorts), 'setting has', 'settings have')} several clips tuned.", *words]),
        "First: the tuned clip with the smallest validation loss. Differences: each other tuned clip less the first.",
        ("tuning_curves", "ranking"),
        rows,
    )


def _first_words(first: str, both: Both) -> str:
    if first == NONE:
        return "tuning chose no clip"
    if not both.any:
        return f"tuning chose {clip_words(first)}, with nothing to compare it with"
    return f"the smallest validation loss is that of {clip_words(first)}; {both.phrase(OTHERS)}"
