"""Whether to clip at all, and with which clip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import pandas as pd

from study.answers.base import Answer, Row, capital, chosen, count, fails, listed, none_of, place, run_of
from study.answers.differences import Both
from study.figures.style import Tables
from study.findings import several

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


def should_clip(tables: Tables) -> Answer:
    """Tuned clips against none as tuned, with the rate given and with it tuned; and training that fails without."""
    choices = chosen(tables)
    clips = choices[(choices["kind"] == "clip") & (choices["method"] != "none")]
    groups = {"Where the learning rate was given": Both(), "Where each had its own learning rate": Both()}
    rows: list[Row] = []
    for _, row in clips.iterrows():
        group = list(groups)[int(row["rates"] > 1)]
        where = place(tables, row["setting"])
        name = f"`{row['method'] if row['label'] == 'none' else row['label']}` in {where}"
        own = groups[group].add(name, run_of(tables, row), run_of(tables, none_of(choices, row)))
        rows.append({"setting": where, "clip": f"`{row['method']}`", "tuning chose": f"`{row['label']}`",
                     "learning rate": "tuned" if row["rates"] > 1 else "given", **own})  # fmt: skip
    tried = {name: both for name, both in groups.items() if both.accuracy}
    training = Training.of(tables)
    return Answer(
        "Should I clip at all?",
        " ".join([*(_group_short(name, both) for name, both in tried.items()),
                  *([training.short()] if training.short() else [])]),
        " ".join([*(_group_words(name, both) for name, both in tried.items()),
                  *([training.words(tables)] if training.short() else [])]),
        "Each clip and none as tuning chose them, by validation loss. Same cell: tuning chose no clip.",
        ("profiles", "tuning_curves", "firing"),
        rows,
    )  # fmt: skip


def _group_short(name: str, both: Both) -> str:
    made = len(both.accuracy) - len(both.same_cells)
    chose = f"tuning chose a clip in {made} of {count(len(both.accuracy), 'case')}"
    if not made:
        return f"{name}, {chose}."
    return f"{name}, {chose}; there, {both.phrase(CLIP_AT_ALL)}."


def _group_words(name: str, both: Both) -> str:
    words = f"{name}, {count(len(both.accuracy), 'clip was', 'clips were')} tuned"
    none = both.same_cells
    words += f"; none was chosen for {len(none)} ({several(none)})." if none else "."
    return f"{words} {both.tallies}" if both.any else words


STEPS = ("sign", "normalized")  # give every step its length, and so are no bound from above


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
            clips = [clip for clip in part["clip"].unique() if clip.split("(")[0] not in ("none", *STEPS)]
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
