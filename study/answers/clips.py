"""Whether to clip at all, and with which clip."""

from __future__ import annotations

import pandas as pd

from study.answers.base import Answer, Row, chosen, count, fails, listed, none_of, place, run_of, several
from study.answers.differences import Both
from study.figures.style import Tables

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
    rescued = _rescued(tables)
    return Answer(
        "Should I clip at all?",
        " ".join([*(_group_short(name, both) for name, both in tried.items()),
                  *([_rescue_short(rescued)] if rescued else [])]),
        " ".join([*(_group_words(name, both) for name, both in tried.items()),
                  *([_rescue_words(tables, rescued)] if rescued else [])]),
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


def _rescued(tables: Tables) -> dict[str, list[str]]:
    """The regimes in which some run without a clip fails, and the clips with which all runs train."""
    runs = tables["runs"]
    alone = runs[runs["regularization"] == "none"]
    found: dict[str, list[str]] = {}
    for regime, part in alone.groupby("regime", sort=False):
        clips = [clip for clip in part["clip"].unique() if clip != "none"]
        free = part[part["clip"] == "none"]
        if clips and not free.empty and fails(free):
            found[str(regime)] = [clip for clip in clips if not fails(part[part["clip"] == clip])]
    return found


def _rescue_short(rescued: dict[str, list[str]]) -> str:
    kept = sum(bool(clips) for clips in rescued.values())
    return f"Where runs fail without a clip: in {kept} of {count(len(rescued), 'such regime')} a clip made all train."


def _rescue_words(tables: Tables, rescued: dict[str, list[str]]) -> str:
    kept = [
        f"{place(tables, one)} ({listed([f'`{clip}`' for clip in clips])})" for one, clips in rescued.items() if clips
    ]
    lost = [f"{place(tables, one)}" for one, clips in rescued.items() if not clips]
    parts = [f"all trained in {several(kept)}"] if kept else []
    parts += [f"some or all runs failed with every clip too in {several(lost)}"] if lost else []
    return f"Regimes in which runs without a clip diverge or stay at chance: {'; '.join(parts)}."


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
