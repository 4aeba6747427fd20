"""How far a study is and how long it will take, in terms of the whole study."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from study.variants import Variant

SECONDS_PER_JOB = 7.0  # start-up, data, evaluation of one training job; measured on the reference machine of the README
SECONDS_PER_STEP = 0.6e-3  # one optimizer step of one replicate of the default study's net, statistics on

FORECAST_WEIGHT = 120.0  # core-seconds of observation that weigh as much as the forecast


def core_seconds(variant: Variant, seeds: int) -> float:
    """A rough forecast of one training job's time on one core; the observed rate corrects it as the study runs."""
    return SECONDS_PER_JOB + seeds * variant.steps * SECONDS_PER_STEP


def duration(seconds: float) -> str:
    """A time a person reads: `40 s`, `12 min`, `3 h 20 min`."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


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
        return f"{left} of {self.jobs} trainings ({runs} runs) to do, about {forecast} on {self.cores} cores"

    def finish(self, weight: float) -> str:
        """Count one training of this weight; how far the study is, and about how long the rest takes."""
        self.finished_here += weight
        self.done += weight
        self.jobs_done += 1
        share = self.done / self.total if self.total else 1.0
        count = f"{self.jobs_done} of {self.jobs} trainings, {share:.0%} of the training"
        return f"{count}, {self._left()}" if self.jobs_done < self.jobs else f"{count} done"

    def _left(self) -> str:
        # Some trainings are under way: half of each is done on average. The forecast counts as evidence too, so that
        # the first trainings do not make the estimate jump.
        under_way = 0.5 * min(self.cores, self.jobs - self.jobs_done) * (self.total / self.jobs)
        spent = (self.clock() - self.began) * self.cores
        pace = (spent + FORECAST_WEIGHT) / (self.finished_here + under_way + FORECAST_WEIGHT)
        left = max(self.total - self.done - under_way, 0.0)
        return f"about {duration(pace * left / self.cores)} left"
