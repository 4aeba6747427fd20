"""Words for regimes, and for scores: what a workload's columns of accuracy and loss hold, where it differs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import pandas as pd

from study.clipping.base import PerSample
from study.config.regime import Regime
from study.methods.base import compact
from study.methods.phrases import regime_phrase
from study.results.columns import NATS, PLAIN, Column
from study.results.store import Tables
from study.workloads import Workload
from study.workloads.federated import Federated

CODE = re.compile(
    r"(```.*?```|`[^`]*`|\]\([^)]*\)|\{#[^}]*\}|</?[a-z][^>]*>)", re.DOTALL
)  # names, links and anchors stay
PARTS = r"((?:[Tt]est|[Vv]alidation|[Tt]rain(?:ing)?) )"


def regime_phrases(regimes: Mapping[str, Regime]) -> dict[str, str]:
    """Return each of a study's regimes, its sweep and its tuned setting in words: "map, learning rate 3"."""
    return dict(_places(regimes))


def _places(regimes: Mapping[str, Regime]) -> Iterator[tuple[str, str]]:
    for name, regime in regimes.items():
        at = [(key, compact(value)) for key, value in regime.at.items()]
        yield name, regime_phrase(name, regime.part_of, at)
        if regime.part_of:
            yield regime.part_of, regime_phrase(regime.part_of)
        if regime.tuning and regime.setting:
            kept = [(key, value) for key, value in at if key not in regime.tuning.along]
            yield regime.setting, regime_phrase(regime.part_of, at=kept)


def of_tables(tables: Tables) -> type[Workload]:
    """Return the workload whose words fit all runs of some tables; that of any where they differ."""
    known = {_workload(tables[name]) for name in ("runs", "epochs") if name in tables and len(tables[name])}
    return known.pop() if len(known) == 1 else Workload


def of_workloads(workloads: Iterable[Workload]) -> type[Workload]:
    """Return the workload whose words fit all of a study's; that of any where they differ."""
    known = {type(one) if type(one).scores_of_its_own() else Workload for one in workloads}
    return known.pop() if len(known) == 1 else Workload


def samples_of(regimes: Iterable[Regime]) -> dict[str, list[str]]:
    """Return what each clip of single samples takes for a sample in some regimes, where that is not always a sample."""
    clips = ((clip, regime.workload) for regime in regimes for clip, _ in regime.cells if isinstance(clip, PerSample))
    return sample_nouns((clip.name, _clips_updates(workload)) for clip, workload in clips)


def sample_nouns(clips: Iterable[tuple[str, bool]]) -> dict[str, list[str]]:
    """Return "sample", "update" or both for each clip, in the order in which it takes them; none where all are samples.

    clips: each wherever it stands, by its name or label, and whether it acts there on the updates of clients.
    """
    found: dict[str, dict[str, None]] = {}
    for clip, on_updates in clips:
        found.setdefault(clip, {})["update" if on_updates else "sample"] = None
    return {clip: list(nouns) for clip, nouns in found.items() if list(nouns) != ["sample"]}


def _clips_updates(workload: Workload) -> bool:
    return isinstance(workload, Federated) and workload.clip_at == "update"


def _workload(table: pd.DataFrame) -> type[Workload]:
    """Whose own columns each regime of a table fills."""
    for kind in Workload.members.values():
        assert issubclass(kind, Workload)
        own = [column for column in kind.columns if column in table]
        if kind.scores_of_its_own() and own:
            filled = table.groupby("regime", sort=False)[own[0]].apply(lambda column: column.notna().any())
            if bool(filled.all()):
                return kind
    return Workload


def column_of(column: Column, workload: type[Workload]) -> Column:
    """Return a column in the words of a workload, and a loss of its own without the unit of another."""
    if not workload.scores_of_its_own():
        return column
    title, meaning = (reworded(text, workload) for text in (column.title, column.meaning))
    return replace(column, title=title, meaning=meaning, unit=PLAIN if column.unit == NATS else column.unit)


def reworded(text: str, workload: type[Workload]) -> str:
    """Return a text about accuracies and losses in the words of a workload; what stands in code or links is kept."""
    if not workload.scores_of_its_own():
        return text
    parts = CODE.split(text)
    return "".join(part if place % 2 else _reworded(part, workload) for place, part in enumerate(parts))


def _reworded(text: str, workload: type[Workload]) -> str:
    accuracy, loss = workload.accuracy, workload.loss_name
    short = loss.split()[-1]
    for pattern, words in (
        (r"\bShare of (.+?) digits classified as labelled", rf"{accuracy.capitalize()} of \1 digits"),
        (r"\baccuracies\b", f"{accuracy}s"),
        (r"\bAccuracies\b", f"{accuracy}s".capitalize()),
        (r"\baccuracy\b", accuracy),
        (r"\bAccuracy\b", accuracy.capitalize()),
        (r"\bcross-entropy gap\b", f"{short} gap"),
        (r"\bcross-entropy\b", loss),
        (r"\bCross-entropy\b", loss[0].upper() + loss[1:]),
        (rf"{PARTS}loss\b", rf"\g<1>{short}"),
        (r"\bloss gap\b", f"{short} gap"),
        (r",? \(?nats\)?", ""),
    ):
        text = re.sub(pattern, words, text)
    return text
