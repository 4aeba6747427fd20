"""Ranges over which a parameter is tuned, on a logarithmic scale."""

from __future__ import annotations

import math
from dataclasses import dataclass

DIGITS = 3  # of a tried value, so that labels can be read


@dataclass(frozen=True)
class LogRange:
    """The values low (high / low)^u of a parameter, u in [0, 1].

    of_complement: it is 1 - value that lies between `low` and `high`, as for an average's decay; whole: the values are
    whole numbers. Raises ValueError unless 0 < low < high, and high < 1 for a complement.
    """

    parameter: str
    low: float
    high: float
    of_complement: bool = False
    whole: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.low < self.high < (1 if self.of_complement else math.inf):
            must = "have 0 < low < high" + (" < 1" if self.of_complement else "")
            raise ValueError(
                f"The range of '{self.parameter}' must {must}. Got {self.low:g} and {self.high:g} instead."
            )

    def at(self, u: float) -> float | int:
        """Return the value at u, rounded to 3 digits; larger u give larger values, smaller ones of a complement."""
        value = rounded(self.low * (self.high / self.low) ** u)
        if self.of_complement:
            return float(f"{1 - value:.10g}")
        return round(value) if self.whole else value

    def place(self, value: float) -> float:
        """Return u of a value, the inverse of `at` up to rounding."""
        return math.log((1 - value if self.of_complement else value) / self.low) / math.log(self.high / self.low)

    @property
    def middle(self) -> float | int:
        """The geometric mean of both ends."""
        return self.at(0.5)


def rounded(value: float) -> float:
    """Return a value with 3 significant digits."""
    return float(f"{value:.{DIGITS}g}")
