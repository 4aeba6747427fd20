"""Whether to clip at all, and with which clip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import pandas as pd

from study.figures._style import Tables
from study.report.format import several
from study.report.questions.base import (
    BY_LOSS,
    SELECTED_BY,
    Answer,
    Row,
    bounds,
    capital,
    chosen,
    count,
    fails,
    listed,
    place,
    run_of,
    with_none,
)
from study.report.questions.differences import Both

CLIP_AT_ALL = {
    "better": "it did better than none",
    "some better": "it did better than none in some and worse in no case",
    "same": "it makes no difference that matters",
    "open": "no difference was shown",
    "undecided": "it is undecided",
    "some worse": "it did worse than none in some and better in no case",
    "worse": "it did worse than none",
    "mixed": "it did better than none in some cases and worse in others",
    "nothing": "nothing is to be compared",
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
    "nothing": "nothing is to be compared",
}


GIVEN, TUNED = "Where the learning rate was given", "Where each had its own learning rate"


def should_clip(tables: Tables) -> Answer:
    """Tuned clips against none as tuned, with the rate given and with it tuned; and training that fails without."""
    groups = {(where, by): Both() for where in (GIVEN, TUNED) for by in SELECTED_BY}
    rows: list[Row] = []
    places: dict[str, str] = {}
    for by in SELECTED_BY:
        for row, none in ((row, none) for row, none in with_none(tables, by) if row["kind"] == "clip"):
            where = place(tables, row["setting"])
            name = f"`{row['method'] if row['label'] == 'none' else row['label']}` in {where}"
            places[name] = where
            both = groups[TUNED if row["rates"] > 1 else GIVEN, by]
            own = both.add(name, run_of(tables, row), run_of(tables, none))
            rows.append({"setting": where, "clip": f"`{row['method']}`", "by validation": SELECTED_BY[by].split()[-1],
                         "chosen": f"`{row['label']}`", "learning rate": "tuned" if row["rates"] > 1 else "given",
                         **own})  # fmt: skip
    tried = [where for where in (GIVEN, TUNED) if groups[where, BY_LOSS].accuracy]
    training = Training.of(tables)
    return Answer(
        "Should I clip at all?",
        " ".join([*(_group_short(where, groups, places) for where in tried),
                  *([training.short()] if training.short() else [])]),
        " ".join([*(text for where in tried for text in _group_words(where, groups)),
                  *([training.words(tables)] if training.short() else [])]),
        "Each clip and none as tuning chose them, by validation loss, and as they would be chosen by validation"
        " accuracy. Same cell: no clip was chosen.",
        ("profiles", "tuning_curves", "firing"),
        rows,
    )  # fmt: skip


def _group_short(where: str, groups: dict[tuple[str, str], Both], places: dict[str, str]) -> str:
    """What tuning chose where and what it brought, and whether a choice by accuracy would say otherwise."""
    loss, accuracy = (groups[where, by] for by in SELECTED_BY)
    text = f"{where}, tuning by validation loss chose {_chosen_where(loss, places)}"
    if loss.alike(accuracy):
        return f"{text} Chosen by validation accuracy, the same."
    return f"{text} Chosen by validation accuracy, clip and none alike: {_chosen_where(accuracy, places)}"


def _chosen_where(both: Both, places: dict[str, str]) -> str:
    """`a clip in 5 of 9 cases (..), +3.3 to +7.6 points: it did better than none; none in 4 (..).`"""
    none = both.same_cells
    made = [name for name, _ in both.accuracy if name not in none]
    of = f" of {count(len(both.accuracy), 'case')}"
    in_made, in_none = (listed(list(dict.fromkeys(places[name] for name in names))) for names in (made, none))
    parts = []
    if made:
        brought = f", {both.span}: {both.phrase(CLIP_AT_ALL)}" if both.any else ""
        parts.append(f"a clip in {len(made)}{of} ({in_made}){brought}")
    if none:
        parts.append(f"none in {len(none)}{'' if made else of} ({in_none})")
    return f"{'; '.join(parts)}."


def _group_words(where: str, groups: dict[tuple[str, str], Both]) -> Iterator[str]:
    """What was compared by each way of choosing, once where both chose the same."""
    told = [by for by in SELECTED_BY if by == BY_LOSS or not groups[where, by].alike(groups[where, BY_LOSS])]
    for by in told:
        both = groups[where, by]
        chose = f"{where}, by {SELECTED_BY[by]}, {count(len(both.accuracy), 'clip was', 'clips were')} tuned"
        none = both.same_cells
        chose += f"; none was chosen for {len(none)} ({several(none)})." if none else "."
        yield f"{chose} {both.tallies}" if both.any else chose


@dataclass(frozen=True)
class Training:
    """Where no run fails without a clip and where some does, each regime with the clips that turn it to the other."""

    rescued: dict[str, list[str]]
    lost: dict[str, list[str]]

    @classmethod
    def of(cls, tables: Tables) -> Self:
        """From the runs without a regularizer."""
        runs = tables["runs"]
        alone = runs[runs["regularization"] == "none"]
        rescued: dict[str, list[str]] = {}
        lost: dict[str, list[str]] = {}
        for regime, part in alone.groupby("regime", sort=False):
            free = part[part["clip"] == "none"]
            clips = [clip for clip in part["clip"].unique() if bounds(clip)]
            failed = {clip: fails(part[part["clip"] == clip]) for clip in clips}
            if clips and not free.empty:
                without = fails(free)
                (rescued if without else lost)[str(regime)] = [one for one in clips if failed[one] != without]
        return cls(rescued, lost)

    def short(self) -> str:
        """How many of each turn."""
        parts = []
        if self.rescued:
            of = count(len(self.rescued), "such regime")
            parts.append(f"where runs fail without a clip, in {_turned(self.rescued)} of {of} one made all train")
        if _turned(self.lost):
            of = count(len(self.lost), "such regime")
            parts.append(f"where all train without a clip, in {_turned(self.lost)} of {of} one made runs fail")
        return f"{capital('; '.join(parts))}." if parts else ""

    def words(self, tables: Tables) -> str:
        """The same with the names of regimes and clips."""
        parts = []
        if kept := _named(tables, self.rescued):
            parts.append(f"A clip made all runs train, some of which fail without, in {several(kept)}.")
        if still := [place(tables, one) for one, clips in self.rescued.items() if not clips]:
            parts.append(f"Some or all runs failed with every clip too in {several(still)}.")
        if broken := _named(tables, self.lost):
            parts.append(f"A clip made runs fail, all of which train without, in {several(broken)}.")
        return " ".join([*parts, "To fail is to diverge or to stay at chance; to train says nothing of how well."])


def _turned(regimes: dict[str, list[str]]) -> int:
    return sum(map(bool, regimes.values()))


def _named(tables: Tables, turned: dict[str, list[str]]) -> list[str]:
    return [f"{place(tables, one)} ({listed([f'`{c}`' for c in clips])})" for one, clips in turned.items() if clips]


def which_clip(tables: Tables) -> Answer:
    """The clip of the smallest validation loss in each setting against the others, all tuned."""
    choices = chosen(tables)
    clips = choices[(choices["kind"] == "clip") & (choices["method"] != "none")]
    rows: list[Row] = []
    shorts: list[str] = []
    words: list[str] = []
    for setting, part in clips.groupby("setting", sort=False):
        if len(part) > 1:
            first, both, own = _against_first(tables, part)
            rows += [{"setting": place(tables, setting), "first": f"`{first}`", **row} for row in own]
            shorts.append(f"{place(tables, setting)}, {_first_words(first, both)}")
            if both.any:
                words.append(f"In {place(tables, setting)}, against `{first}`. {both.tallies}")
    return Answer(
        "Which clip?",
        f"In {'; in '.join(shorts)}." if shorts else "",
        " ".join([f"{count(len(shorts), 'setting has', 'settings have')} several clips tuned.", *words]),
        "First: the tuned clip of the smallest validation loss; the others, as tuned, less the first.",
        ("tuning_curves", "ranking"),
        rows,
    )


def _against_first(tables: Tables, part: pd.DataFrame) -> tuple[str, Both, list[Row]]:
    first = part.iloc[int(part["validation_loss"].astype(float).argmin())]
    both = Both()
    rows: list[Row] = [
        {"other": f"`{row['method']}`", "tuning chose": f"`{row['label']}`",
         **both.add(f"`{row['label']}`", run_of(tables, row), run_of(tables, first))}
        for _, row in part.iterrows() if row["method"] != first["method"]
    ]  # fmt: skip
    return str(first["label"]), both, rows


def _first_words(first: str, both: Both) -> str:
    if first == "none":
        return "none: tuning chose no clip"
    if not both.any:
        return f"`{first}`, with nothing to compare it with"
    return f"`{first}` has the smallest validation loss; {both.phrase(OTHERS)}"
