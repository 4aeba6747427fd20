"""Equivalence of runs with a published mean: two one-sided t tests, their power, and a verdict of three."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

LEVEL = 0.05  # of each of the two tests
DRAWS = 100_000  # simulated reruns for the power
Verdict = Literal["equivalent", "different", "cannot tell"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Summary:
    """Mean, standard deviation (n - 1 below the fraction) and number of runs; without a deviation, a bare number."""

    mean: float
    sd: float | None = None
    runs: int = 1

    @classmethod
    def of(cls, values: ArrayLike) -> Summary:
        """Return the summary of at least two values [n]."""
        x = np.asarray(values, float)
        return cls(float(x.mean()), float(x.std(ddof=1)), x.size)

    @property
    def variance_of_mean(self) -> float:
        """Variance of the mean; 0 for a bare number."""
        return 0.0 if self.sd is None else self.sd**2 / self.runs


@dataclass(frozen=True)
class Comparison:
    """Comparison of two means: their difference, its 90 % interval at the level .05, and what follows.

    p: of "the difference is the margin or more". The interval lies within the margins if and only if p < level.
    """

    difference: float
    low: float
    high: float
    p: float
    verdict: Verdict


def compare(ours: Summary, published: Summary, margin: float, level: float = LEVEL) -> Comparison:
    """Return whether our mean lies within `margin` of the published one, in the unit of the means.

    With standard error s and Welch's degrees of freedom f, p = max(P(t_f > (d + m) / s), P(t_f < (d - m) / s)); a
    published number without a deviation is taken as exact. "Different" means that the whole interval lies beyond a
    margin.

    Raises ValueError for a margin that is not positive and for fewer than two runs of ours.

    Source: Schuirmann 1987; Lakens 2017, Equivalence tests.
    """
    if not 0 < margin < math.inf:
        raise ValueError(f"The 'margin' parameter of compare must be a positive number. Got {margin} instead.")
    if ours.sd is None or ours.runs < 2:
        raise ValueError(f"The 'ours' parameter of compare must be a summary of at least two runs. Got {ours} instead.")
    d, s, f = ours.mean - published.mean, *_error(ours, published)
    if s == 0:
        verdict: Verdict = "equivalent" if abs(d) < margin else "different"
        return Comparison(d, d, d, float(abs(d) >= margin), verdict)
    p = max(stats.t.sf((d + margin) / s, f), stats.t.cdf((d - margin) / s, f))
    half = float(stats.t.isf(level, f)) * s
    return Comparison(d, d - half, d + half, float(p), _verdict(d - half, d + half, margin))


def _verdict(low: float, high: float, margin: float) -> Verdict:
    if -margin < low and high < margin:
        return "equivalent"
    return "different" if low >= margin or high <= -margin else "cannot tell"


def _error(ours: Summary, published: Summary) -> tuple[float, float]:
    """Return the standard error of the difference and Welch's degrees of freedom."""
    variances = [one.variance_of_mean for one in (ours, published)]
    total = sum(variances)
    parts = [v**2 / (one.runs - 1) for v, one in zip(variances, (ours, published), strict=True) if one.runs > 1]
    return math.sqrt(total), total**2 / sum(parts) if total else math.inf


def power(runs: int, sd: float, published: Summary, margin: float, true: float = 0.0, level: float = LEVEL) -> float:
    """Return the share of reruns of both sides that the test calls equivalent, if their means differ by `true`.

    sd: standard deviation of our runs; that of the published ones is theirs. Simulated by normal means and chi-squared
    variances, the same draws at each call; the share's own error is below .002.
    """
    rng = np.random.default_rng(0)
    sides = [(runs, sd)] if published.sd is None else [(runs, sd), (published.runs, published.sd)]
    d = true + sum(s / math.sqrt(n) * rng.standard_normal(DRAWS) for n, s in sides)
    variances = [s**2 / n * rng.chisquare(n - 1, DRAWS) / (n - 1) for n, s in sides]
    total = np.sum(variances, axis=0)
    freedom = total**2 / sum(v**2 / (n - 1) for v, (n, _) in zip(variances, sides, strict=True))
    return float(np.mean(np.abs(d) + stats.t.isf(level, freedom) * np.sqrt(total) < margin))


def interval(values: Summary, confidence: float = 0.95) -> tuple[float, float]:
    """Return the t interval of the mean of at least two runs."""
    half = float(stats.t.isf((1 - confidence) / 2, values.runs - 1)) * math.sqrt(values.variance_of_mean)
    return values.mean - half, values.mean + half
