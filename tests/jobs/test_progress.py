"""How far a study is: what is said at the start, on the way, and at the end."""

from dataclasses import dataclass

import pytest
from cases import variant

from study.config.cost import core_seconds, duration
from study.jobs.progress import Progress


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (40, "40 s"), (120, "2 min"), (89 * 60, "89 min"), (200 * 60, "3 h 20 min")],
)
def test_a_duration_reads_like_one(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_forecasts_hold_as_long_as_the_pace_does() -> None:
    clock = Clock()
    counted = Progress(total=1000.0, done=0.0, jobs=10, jobs_done=0, cores=1, clock=clock)
    assert counted.opening(100) == "10 of 10 trainings (100 runs) to do, about 17 min on 1 core"
    clock.now = 100.0
    assert counted.finish(100.0).startswith("1 of 10 trainings, 10% of the training, about 12 min left")


def test_a_slow_machine_stretches_the_rest() -> None:
    clock = Clock()
    counted = Progress(total=10_000.0, done=0.0, jobs=10, jobs_done=0, cores=1, clock=clock)
    clock.now = 12_000.0
    quick_forecast, line = duration(5_000), [counted.finish(1000.0) for _ in range(5)][-1]
    assert "5 of 10 trainings, 50% of the training" in line
    assert quick_forecast not in line
    assert "h" in line


def test_the_end_and_a_finished_study_say_so() -> None:
    counted = Progress(total=100.0, done=50.0, jobs=2, jobs_done=1, cores=2, clock=Clock())
    assert counted.finish(50.0) == "2 of 2 trainings, 100% of the training done"
    finished = Progress(total=100.0, done=100.0, jobs=2, jobs_done=2, cores=2, clock=Clock())
    assert finished.opening(20) == "all 2 trainings (20 runs) are there"


def test_more_seeds_cost_more() -> None:
    small = variant()
    assert core_seconds(small, 10) > core_seconds(small, 1) > 0
