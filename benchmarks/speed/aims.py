"""What the engine is held to, and what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.speed.engine_ways import ENGINE, LIMIT, PLAIN_ENGINE
from benchmarks.speed.other_ways import JAX, SCIKIT_LEARN
from benchmarks.speed.torch_ways import IN_MEMORY, STOCK


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
        return f"{self.found:.0%}" if self.percent else f"{self.found:.2f}"


def aims(rows: Sequence[Mapping[str, Any]]) -> list[Aim]:
    """The aims at 10 seeds, from the rows of the tutorial's setting."""
    ms = {row["way"]: row["median"] for row in rows if row["of"] == "10 seeds"}
    own = ms[ENGINE.name]
    return [
        Aim("at least 60 % of the limit", ms[LIMIT.name] / own, 0.6, percent=True),
        Aim("statistics cost at most 10 %", own / ms[PLAIN_ENGINE.name] - 1, 0.1, at_most=True, percent=True),
        Aim("at least 15 times the stock loop", ms[STOCK.name] / own, 15),
        Aim("at least 1.5 times the loop in memory", ms[IN_MEMORY.name] / own, 1.5),
        Aim("at least 1.5 times MLPClassifier", ms[SCIKIT_LEARN.name] / own, 1.5),
        Aim("at least 0.8 of JAX + optax", ms[JAX.name] / own, 0.8),
    ]
