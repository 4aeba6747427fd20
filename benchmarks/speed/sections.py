"""What is timed side by side: one section a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.speed.clock import Timing, Way, timed
from benchmarks.speed.engine_ways import ENGINE, LIMIT, PLAIN_ENGINE, TRACED
from benchmarks.speed.other_ways import JAX, SCIKIT_LEARN
from benchmarks.speed.task import Task
from benchmarks.speed.torch_ways import ENSEMBLE, IN_MEMORY, STOCK

Report = Callable[[str], None]
PEERS = (STOCK, ENSEMBLE, IN_MEMORY, SCIKIT_LEARN, JAX, ENGINE, PLAIN_ENGINE, TRACED, LIMIT)


@dataclass(frozen=True)
class Row:
    """What a way took in a task; `of` says what tells the rows of a section apart, beside the way."""

    of: str
    way: str
    timing: Timing


@dataclass(frozen=True)
class Section:
    """Groups of ways that take turns: name -> task and ways."""

    name: str
    title: str
    groups: Mapping[str, tuple[Task, Sequence[Way]]]

    def rows(self, turns: int, report: Report) -> Iterator[Row]:
        for of, (task, ways) in self.groups.items():
            report(f"{self.title}: {of}")
            for way, timing in timed(ways, task, turns).items():
                yield Row(of, way, timing)


def seeds(counts: Sequence[int], steps: int) -> Section:
    groups = {named(count, "seed"): (Task(seeds=count, steps=steps), PEERS) for count in counts}
    return Section("seeds", "the tutorial's setting", groups)


def batches(sizes: Sequence[int], count: int, steps: int) -> Section:
    ways = (JAX, ENGINE, PLAIN_ENGINE, LIMIT)
    return Section(
        "batches",
        "larger batches",
        {f"batch {size}": (Task(seeds=count, batch=size, steps=steps), ways) for size in sizes},
    )


def models(counts: Sequence[int], steps: int) -> Section:
    groups = {
        f"{name}, {named(count, 'seed')}": (Task(count, steps=steps, model={"name": name}), (IN_MEMORY, ENGINE))
        for name in ("lenet", "row_rnn")
        for count in counts
    }
    return Section("models", "other models", groups)


def named(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count > 1)}"
