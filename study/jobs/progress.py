"""Progress of a study, and how long the rest takes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from study.config.cost import counted_cores, duration

FORECAST_WEIGHT = 120.0  # core-seconds of observation that weigh as much as the forecast


def last_words(log: Path) -> str:
    """Return the error that a job's log ends with; empty where it ends with none."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    # What follows an error of ours, up to the end, belongs to it, unless another one was raised.
    for start in range(len(lines) - 1, -1, -1):
        if lines[start].startswith("Traceback"):
            break
        kind, _, sentence = lines[start].partition(": ")
        if re.fullmatch(r"[\w.]+", kind) and sentence.startswith("The "):  # the name of its class says nothing
            return "\n".join([sentence, *lines[start + 1 :]])
    last = lines[-1].strip() if lines else ""
    return last if last.startswith("The ") or re.match(r"[\w.]*(Error|Exception|Interrupt)\b", last) else ""


@dataclass
class Progress:
    """Counts finished trainings, weighted by their forecast; `cores` trainings run at once.

    `total` and `done`: forecast core-seconds of all trainings of the study, and of those finished before this start.
    """

    total: float
    done: float
    jobs: int
    jobs_done: int
    cores: int
    clock: Callable[[], float] = time.monotonic
    began: float = field(init=False)
    finished_here: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.began = self.clock()

    def opening(self, runs: int) -> str:
        """The line before anything runs."""
        left = self.jobs - self.jobs_done
        if not left:
            return f"all {self.jobs} trainings ({runs} runs) are there"
        forecast = duration((self.total - self.done) / self.cores)
        return f"{left} of {self.jobs} trainings ({runs} runs) to do, about {forecast} on {counted_cores(self.cores)}"

    def finish(self, weight: float, count: int = 1) -> str:
        """Count trainings of this weight; how far the study is, and about how long the rest takes."""
        self.finished_here += weight
        self.done += weight
        self.jobs_done += count
        share = self.done / self.total if self.total else 1.0
        far = f"{self.jobs_done} of {self.jobs} trainings, {share:.0%} of the training"
        return f"{far}, {self._left()}" if self.jobs_done < self.jobs else f"{far} done"

    def _left(self) -> str:
        # Some trainings are under way: half of each is done on average. The forecast counts as evidence too, so that
        # the first trainings do not make the estimate jump.
        under_way = 0.5 * min(self.cores, self.jobs - self.jobs_done) * (self.total / self.jobs)
        spent = (self.clock() - self.began) * self.cores
        pace = (spent + FORECAST_WEIGHT) / (self.finished_here + under_way + FORECAST_WEIGHT)
        left = max(self.total - self.done - under_way, 0.0)
        return f"about {duration(pace * left / self.cores)} left"
