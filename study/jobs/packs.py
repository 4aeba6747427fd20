"""Trainings packed into jobs of about a minute each, so that no process is started for a training of seconds."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from study.config.cost import SECONDS_OF_PACK, core_seconds, program_of, seconds_of
from study.config.variants import Block, Variant
from study.methods.phrases import cell_phrase
from study.results import store

SHARE = 1 / 16  # of the study's work in a pack, at most: small studies must keep all cores of a machine busy
LEAST = 12.0  # seconds that a pack may take in any study: less is not worth the start of a process, of five


def in_words(variant: Variant) -> str:
    """Return a variant as it is told while the study runs: `memorize: clip to norm 0.1`."""
    return f"{variant.regime}: {cell_phrase(variant.clip_label, variant.regularization_label)}"


@dataclass(frozen=True)
class Task:
    """One training of a study: its variant and seeds, the folder of its tables, its log."""

    variant: Variant
    block: Block
    folder: Path
    log: Path

    @property
    def tables(self) -> dict[str, Path]:
        """The path of each of its tables."""
        return {name: self.folder / f"{name}.parquet" for name in (*store.TABLES, *self.variant.workload.tables)}

    @property
    def whole(self) -> bool:
        """Return whether every table is there; each is written whole or not at all."""
        return all(path.exists() for path in self.tables.values())

    @cached_property
    def seconds(self) -> float:
        """Forecast core-seconds, without those that compile its program."""
        return core_seconds(self.variant, len(self.block.seeds))

    @cached_property
    def program(self) -> Hashable:
        """Key of its compiled program, which trainings share."""
        return program_of(self.variant)

    @property
    def label(self) -> str:
        """The training in words: `memorize: clip to norm 0.1, seeds 0-9`."""
        return f"{in_words(self.variant)}, seeds {self.block.name}"


@dataclass(frozen=True)
class Pack:
    """Trainings that one job does one after the other, on the same data set; `name` is a file name."""

    tasks: tuple[Task, ...]

    @cached_property
    def name(self) -> str:
        text = "\n".join(str(task.folder) for task in self.tasks)
        return f"{self.tasks[0].variant.regime}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"

    @property
    def label(self) -> str:
        """The pack in words, its first and its last training."""
        first, *rest = self.tasks
        return f"{len(self.tasks)} trainings from {first.label} to {rest[-1].label}" if rest else first.label

    @property
    def seconds(self) -> float:
        """Forecast core-seconds."""
        return seconds_of(self.tasks)

    @property
    def missing(self) -> tuple[Task, ...]:
        """The trainings that are still to be done."""
        return tuple(task for task in self.tasks if not task.whole)


def packed(tasks: Iterable[Task]) -> dict[str, Pack]:
    """All trainings of a study in packs by name, the same whatever is there already.

    Neighbours in the grid stay together: they share a method, and so its compiled program. What waits for trials of its
    own is alone, so that trials that fail hold up nothing else.
    """
    tasks = list(tasks)
    packs = [Pack(part) for part in _parts(tasks, most_seconds(tasks))]
    return {pack.name: pack for pack in packs}


def most_seconds(tasks: Iterable[Task]) -> float:
    """Return the forecast core-seconds of a pack of a study of these trainings, at most, unless it is of one."""
    return max(LEAST, min(SECONDS_OF_PACK, SHARE * Pack(tuple(tasks)).seconds))


def _parts(tasks: Iterable[Task], most: float) -> Iterator[tuple[Task, ...]]:
    part: list[Task] = []
    for task in tasks:
        fits = Pack((*part, task)).seconds <= most
        if part and not (fits and _together(part[-1].variant, task.variant)):
            yield tuple(part)
            part = []
        part.append(task)
    if part:
        yield tuple(part)


def drop(pack: Pack) -> None:
    """Delete the tables of a pack that is to be trained again."""
    for task in pack.tasks:
        for path in task.tables.values():
            path.unlink(missing_ok=True)


def _together(one: Variant, other: Variant) -> bool:
    return one.data.folder == other.data.folder and not one.tuned and not other.tuned


def settle(packs: Mapping[Path, Pack]) -> None:
    """Bring the stamps of packs in line with the tables that are there, whatever a workflow's records say.

    A stamp is there if all tables of its pack are, and is as old as the newest of them.
    """
    for stamp, pack in packs.items():
        if pack.missing:
            stamp.unlink(missing_ok=True)
            continue
        newest = max(path.stat().st_mtime_ns for task in pack.tasks for path in task.tables.values())
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.touch()
        os.utime(stamp, ns=(newest, newest))
