"""Every method of the catalogue that a perceptron on digits can take: a step's time and the time to compile it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.speed.clock import Way, timed
from benchmarks.speed.engine_ways import BY_SAMPLE, ENGINE, PLAIN_ENGINE, TRACED, with_statistics
from benchmarks.speed.task import PER_SAMPLE, Task
from study.catalogue.examples import example
from study.clipping import Clipping
from study.methods.base import Method, MethodCombination
from study.regularization import Regularization
from study.training import compile_cache

TURN = 50  # steps
WAYS = {"on": ENGINE, "off": PLAIN_ENGINE, "traced": TRACED}


@dataclass(frozen=True)
class MethodCost:
    """Milliseconds per step and model; seconds until the first step is taken, and again with the program at hand.

    on, off: compiled, statistics on and off; traced: by torch, statistics on.
    """

    family: str
    name: str
    on: float
    off: float
    traced: float
    compiled: float
    loaded: float


def tasks(family: type[Method], seeds: int) -> Iterator[tuple[str, Task]]:
    """Each method at the parameters of its picture in the catalogue, in the task; those of two players left out."""
    for name, member in family.members.items():
        method = example(member)
        if method is None:
            raise SystemExit(f"The {family.family} '{name}' must have an example. Got none.")
        task = Task(seeds=seeds, steps=TURN, **{"clip": "none", family.family.replace("clipping", "clip"): method})
        variant = task.variant()
        names = MethodCombination.__dataclass_fields__
        if not MethodCombination(**{key: getattr(variant, key) for key in names}).conflicts():
            yield name, task


def costs(seeds: int, turns: int, report: Any) -> list[dict[str, Any]]:
    """The cost of each method; all steps of a family in one round of turns, then each compiled alone."""
    found = []
    for family in (Clipping, Regularization):
        each = dict(tasks(family, seeds))
        report(f"every {family.family}: {len(each)} methods")
        ways = [given(task, f"{name}, {what}", way) for name, task in each.items() for what, way in WAYS.items()]
        ms = {name: timing.median for name, timing in timed(ways, Task(seeds, steps=TURN), turns).items()}
        for name, task in each.items():
            steps = {what: ms[f"{name}, {what}"] for what in WAYS}
            found.append(asdict(MethodCost(family.family, name, **steps, **starts(task))))
    return found


def by_sample(seeds: int, turns: int) -> dict[str, float]:
    """The clip by sample by this engine, and the plain way: a gradient of each sample; ms by way."""
    task = Task(seeds, steps=TURN, clip=PER_SAMPLE)
    return {name: timing.median for name, timing in timed((PLAIN_ENGINE, BY_SAMPLE), task, turns).items()}


def given(task: Task, name: str, way: Way) -> Way:
    """The way with a task of its own."""
    return Way(name, lambda _: way.start(task))


def starts(task: Task) -> dict[str, float]:
    """Seconds of one model's first epoch beyond the second's, with an empty cache of programs and with a full one."""
    kept, one = compile_cache.FOLDER, replace(task, seeds=1)
    with tempfile.TemporaryDirectory() as folder:
        compile_cache.FOLDER = Path(folder)
        try:
            return {"compiled": start(one), "loaded": start(one)}
        finally:
            compile_cache.FOLDER = kept


def start(task: Task) -> float:
    """Seconds of processor time until a model has taken its first steps, those of the steps left out."""
    compile_cache._executable.cache_clear()  # what this process has loaded
    started = time.process_time()
    running = with_statistics(task)
    running.turn()
    first = time.process_time()
    running.turn()
    return first - started - (time.process_time() - first)


def slowest(rows: Sequence[dict[str, Any]]) -> tuple[str, float]:
    """The clip that takes longest with statistics on, and its time as a multiple of no clip's."""
    clips = {row["name"]: row["on"] for row in rows if row["family"] == "clipping"}
    name = max(clips, key=lambda clip: clips[clip])
    return name, clips[name] / clips["none"]
