"""What is timed side by side: one section a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.speed.clock import Timing, Way, timed
from benchmarks.speed.engine_ways import BY_SAMPLE, ENGINE, LIMIT, PLAIN_ENGINE, TRACED
from benchmarks.speed.other_ways import JAX, SCIKIT_LEARN
from benchmarks.speed.task import CLIP, PER_SAMPLE, Task
from benchmarks.speed.torch_ways import ENSEMBLE, IN_MEMORY, STOCK

Report = Callable[[str], None]
PEERS = (STOCK, ENSEMBLE, IN_MEMORY, SCIKIT_LEARN, JAX, ENGINE, PLAIN_ENGINE, TRACED, LIMIT)
CLIPS: Sequence[Mapping[str, Any] | str] = (
    "none",
    CLIP,
    {"name": "value", "bound": 0.01},
    {"name": "adaptive_unit", "ratio": 0.01},
    {"name": "percentile"},
    {"name": "spike", "warm_up_steps": 0, "threshold": 2.0},
    PER_SAMPLE,
    {"name": "per_sample_layer", "max_norm": 1.0},
    {"name": "per_sample_adaptive", "initial_norm": 1.0},
)


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


def clips(count: int, steps: int) -> Section:
    """All clips with and without statistics in one round of turns."""
    ways = [clipping(clip, way) for clip in CLIPS for way in (ENGINE, PLAIN_ENGINE)]
    ways.append(clipping(PER_SAMPLE, BY_SAMPLE))
    return Section("clips", "clipping methods", {named(count, "seed"): (Task(seeds=count, steps=steps), ways)})


def clipping(clip: Mapping[str, Any] | str, way: Way) -> Way:
    """The way with this clip in place of the task's."""
    name = clip if isinstance(clip, str) else clip["name"]
    return Way(f"{name}, {way.name}", lambda task: way.start(replace(task, clip=clip)))


def named(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count > 1)}"
