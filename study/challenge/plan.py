"""Plan of what is trained to rank a method, or to verify an entry: trials, evaluations, and published methods again."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from study.challenge.submission import Submission, drawn_seeds
from study.challenge.terms import BASELINE, Benchmark, Method, method_of
from study.config.cost import counted_cores, duration, trials_seconds
from study.config.variants import Block, Variant, scored_only
from study.jobs.packs import Pack, Task
from study.jobs.progress import Progress
from study.methods.labels import NONE
from study.results import code_digest
from study.results.code_digest import folder_of


@dataclass(frozen=True)
class Training:
    """Trainings of one variant with some seeds: the workload that its rows are of, and the trials that choose it."""

    workload: str
    variant: Variant
    seeds: tuple[int, ...]
    trials: Path | None = None


@dataclass(frozen=True)
class Plan:
    """All that is trained below a folder.

    tried: the method in each workload, to be tuned; evaluated: its runs on the published seeds; repeated: a run of the
    published baseline in each workload; drawn: all runs on drawn seeds.
    """

    folder: Path
    plugin: Path
    tried: Mapping[str, Variant]
    evaluated: tuple[Training, ...]
    repeated: tuple[Training, ...]
    drawn: tuple[Training, ...]

    @classmethod
    def of(cls, benchmark: Benchmark, submission: Submission, workloads: Sequence[str], folder: Path) -> Plan:
        """Return what ranks a method on some workloads; that of the drawn seeds is always among those it is tuned on.

        Raises ChallengeError where the method does not fit a workload.
        """
        again, seeds = benchmark.terms.drawn.workload, tuple(benchmark.study.seeds)
        variants = submission.variants(benchmark, list(dict.fromkeys([*workloads, again])))
        tried = {name: scored_only(one) for name, one in variants.items()}
        table = {name: trials_path(folder, one) for name, one in tried.items()}
        evaluated = [Training(name, variants[name], seeds, table[name]) for name in workloads]
        repeated = [Training(name, benchmark.published_choice(name, BASELINE), seeds[:1]) for name in workloads]
        drawn = tuple(drawn_seeds(submission.digest, benchmark.terms.drawn.seeds))
        others = [benchmark.published_choice(again, one) for one in compared(benchmark)]
        on_drawn = [Training(again, one, drawn) for one in others]
        on_drawn += [Training(again, variants[again], drawn, table[again])]
        return cls(folder, submission.file, tried, tuple(evaluated), tuple(repeated), tuple(on_drawn))

    @property
    def trainings(self) -> tuple[Training, ...]:
        """All trainings but those of trials."""
        return (*self.evaluated, *self.repeated, *self.drawn)

    def task(self, one: Training) -> Task:
        """Return a training as a job does it, with the folder of its tables and its log."""
        block = Block(one.seeds)
        place = Path(one.variant.regime, folder_of(one.variant), block.name)
        return Task(one.variant, block, self.folder / "runs" / place, self.folder / "logs" / f"{place}.log")

    @cached_property
    def jobs(self) -> dict[str, tuple[Training, ...]]:
        """The trainings by the name of their job: those of the method in a workload, or of a published method."""
        found: dict[str, tuple[Training, ...]] = {}
        for one in self.trainings:
            name = one.workload if one.trials else f"{one.workload}-{'-'.join(method_of(one.variant)).replace(' ', '')}"
            found[name] = (*found.get(name, ()), one)
        return found

    @cached_property
    def packs(self) -> dict[str, Pack]:
        """The trainings of each job, by its name."""
        return {name: Pack(tuple(map(self.task, several))) for name, several in self.jobs.items()}

    def label(self, job: str) -> str:
        """Return the trainings of a job in words."""
        first, runs = self.jobs[job][0], sum(len(one.seeds) for one in self.jobs[job])
        named = " + ".join(name for name in method_of(first.variant) if name != NONE) or "the baseline"
        return f"{first.workload}: {named}, {runs} run{'s' if runs > 1 else ''}"

    def order(self, one: Training) -> dict[str, Any]:
        """Return a training as the process that does it is asked for it, see `study.jobs.worker.Order`."""
        task = self.task(one)
        return {
            "study": self.folder.name,
            "spec": one.variant.model_dump_json(),
            "seeds": task.block.name,
            "tables": {name: os.fspath(path) for name, path in task.tables.items()},
            "log": os.fspath(task.log),
            "data": os.fspath(one.variant.data.folder),
            "code": code_digest.fingerprint(one.variant),
            "plugins": [os.fspath(self.plugin)],
            "trials": None if one.trials is None else os.fspath(one.trials),
        }

    @property
    def data(self) -> set[str]:
        """The names of the data sets that it reads."""
        return {one.variant.data.name for one in self.trainings}

    def cost(self, cores: int) -> str:
        """Return what it costs, in a line."""
        tasks = [task for pack in self.packs.values() for task in pack.missing]
        runs = sum(map(_runs_of_trials, self._untried)) + sum(len(task.block.seeds) for task in tasks)
        if not runs:
            return "Everything is trained already."
        found = self.progress(cores)
        seconds = found.total - found.done
        return f"{runs:,} runs to train, about {duration(seconds / cores)} on {counted_cores(cores)}."

    @property
    def _untried(self) -> list[Variant]:
        return [one for one in self.tried.values() if not trials_path(self.folder, one).exists()]

    def progress(self, cores: int) -> Progress:
        """Return how far its trainings are."""
        each = [task for pack in self.packs.values() for task in pack.tasks]
        left = [task for pack in self.packs.values() for task in pack.missing]
        total = sum(task.seconds for task in each) + sum(map(trials_seconds, self.tried.values()))
        to_do = sum(task.seconds for task in left) + sum(map(trials_seconds, self._untried))
        jobs, jobs_left = len(each) + len(self.tried), len(left) + len(self._untried)
        return Progress(total, total - to_do, jobs, jobs - jobs_left, cores)


def compared(benchmark: Benchmark) -> Iterator[Method]:
    """Yield the baseline and the published methods that are trained on drawn seeds."""
    yield BASELINE
    for one in benchmark.terms.drawn.against:
        yield one.clip, one.regularization


def trials_path(folder: Path, variant: Variant) -> Path:
    """Return where the runs of a variant's trials are."""
    return folder / "trials" / variant.regime / folder_of(variant) / "trials.parquet"


def _runs_of_trials(variant: Variant) -> int:
    tuning = variant.tuned
    return len(tuning.seeds) * (tuning.trials or 0) if tuning else 0
