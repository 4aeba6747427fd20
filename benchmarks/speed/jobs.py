"""Whole trainings timed, start-up included: processor seconds and peak memory of processes of their own."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.speed.task import Task

BUDGETS: Mapping[str, Task] = {
    "short": Task(steps=31, epochs=2),  # 1,984 digits
    "long": Task(steps=156, epochs=5),  # 9,984 digits
}


@dataclass(frozen=True)
class Job:
    """A way to train all seeds: its name, what `benchmarks.speed.job` calls it, and how often it has to be started."""

    name: str
    way: str
    seeds_each: int | None = None

    def starts(self, task: Task) -> int:
        return task.seeds // self.seeds_each if self.seeds_each else 1


JOBS = (
    Job("stock PyTorch script, started for each seed", "stock", 1),
    Job("eager loop in memory, one seed after the other", "memory"),
    Job("one job of this engine, all it measures by default", "engine"),
)


@dataclass(frozen=True)
class Cost:
    """Processor seconds of all seeds (median over the turns) and the most MB that a process had."""

    budget: str
    job: str
    seconds: float
    least: float
    megabytes: float


def costs(turns: int) -> Iterator[Cost]:
    """The jobs take turns; of a job that is started for each seed one start is timed."""
    for budget, task in BUDGETS.items():
        found: dict[Job, list[tuple[float, float]]] = {job: [] for job in JOBS}
        for _ in range(turns):
            for job, each in found.items():
                each.append(once(job, task))
        for job, each in found.items():
            seconds = [job.starts(task) * spent for spent, _ in each]
            yield Cost(budget, job.name, statistics.median(seconds), min(seconds), max(most for _, most in each))


def once(job: Job, task: Task) -> tuple[float, float]:
    """Processor seconds and peak MB of one start."""
    with tempfile.TemporaryDirectory() as folder:
        given = (job.way, task.steps, task.epochs, task.seeds, folder)
        command = [sys.executable, "-m", "benchmarks.speed.job", *map(str, given)]
        before = spent_by_children()
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"The training '{job.name}' failed.")
    return spent_by_children() - before, float(done.stdout)


def spent_by_children() -> float:
    """Processor seconds of the processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
