"""How ways of training are timed: by processor time, taking turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from benchmarks.speed.task import Task


class Running(Protocol):
    """Models in training."""

    def turn(self) -> object:
        """Take the steps of one turn."""

    def parameters(self) -> Mapping[str, Tensor] | None:
        """The weights [R, ...] reached, named and laid out as the engine's; None where nothing is learned."""


@dataclass(frozen=True)
class Way:
    """A way of training: whether it trains one model at a time (then only the first seed's), and epochs a turn."""

    name: str
    start: Callable[[Task], Running]
    single: bool = False
    epochs: int = 1

    def steps(self, task: Task) -> int:
        """The steps of a turn, each model's counted."""
        return self.epochs * task.steps * (1 if self.single else task.seeds)


@dataclass(frozen=True)
class Timing:
    """Milliseconds of processor time per step and model over the turns: the median, the quartiles, the least."""

    median: float
    low: float
    high: float
    least: float

    @classmethod
    def of(cls, each: Sequence[float]) -> Timing:
        low, median, high = statistics.quantiles(each, n=4)
        return cls(median, low, high, min(each))


def timed(ways: Sequence[Way], task: Task, turns: int) -> dict[str, Timing]:
    """The timings of each way by name; the ways take turns, so that a busy machine slows none of them alone."""
    running = {way: way.start(task) for way in ways}
    for one in running.values():  # tracing and compiling
        one.turn()
    spent: dict[Way, list[float]] = {way: [] for way in ways}
    for _ in range(turns):
        for way, one in running.items():
            started = time.process_time()
            one.turn()
            spent[way].append((time.process_time() - started) * 1000 / way.steps(task))
    return {way.name: Timing.of(each) for way, each in spent.items()}
