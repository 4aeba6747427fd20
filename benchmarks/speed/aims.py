"""What the engine is held to, and what came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.speed.engine_ways import ENGINE, PLAIN_ENGINE
from benchmarks.speed.methods import slowest
from benchmarks.speed.other_ways import JAX
from benchmarks.speed.torch_ways import STOCK

Rows = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Aim:
    """A number that has to be at least, or at most, another."""

    text: str
    found: float
    bound: float
    at_most: bool = False
    percent: bool = False

    @property
    def reached(self) -> bool:
        return self.found <= self.bound if self.at_most else self.found >= self.bound

    def shown(self) -> str:
        found, bound = (f"{value:.0%}" if self.percent else f"{value:.2f}" for value in (self.found, self.bound))
        missed = "just above " if self.at_most else "just below "
        return f"{missed if found == bound and not self.reached else ''}{found}"


def aims(rows: Rows, methods: Rows) -> list[Aim]:
    """The aims at 10 seeds: rows of the tutorial's setting, and the cost of every method."""
    ms = {row["way"]: row["median"] for row in rows if row["of"] == "10 seeds"}
    own, (name, times) = ms[ENGINE.name], slowest(methods)
    return [
        Aim("at least 1.1 times the speed of JAX + optax", ms[JAX.name] / own, 1.1),
        Aim("at least 35 times the speed of the stock loop", ms[STOCK.name] / own, 35),
        Aim("statistics cost at most 5 %", own / ms[PLAIN_ENGINE.name] - 1, 0.05, at_most=True, percent=True),
        Aim(
            f"every clip takes at most 1.5 times as long as the baseline (slowest: `{name}`)", times, 1.5, at_most=True
        ),
    ]
