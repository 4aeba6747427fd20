"""Summaries of a method over many settings and runs: robust mean, profile, win rate; arrays in, numbers out."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import bootstrap, trim_mean

from study.analysis.statistics import TOLERANCE, Floats, Interval, finite, superiority

BATCH = 10_000_000
"""Numbers resampled at once (80 MB)."""


@dataclass(frozen=True, slots=True)
class Outperformance:
    """Share P(A > B) of pairs in which A has the greater number, its interval, and Bouthillier et al.'s verdict."""

    probability: float
    interval: Interval
    verdict: str


def interquartile_mean(values: ArrayLike) -> float:
    """Mean of the middle half of all `values`: floor(n / 4) are cut at either end; NaN when n = 0.

    Raises ValueError for a number that is not finite.
    Source: Agarwal et al. 2021, Deep Reinforcement Learning at the Edge of the Statistical Precipice, section 4.3;
    `scipy.stats.trim_mean`.
    """
    numbers = finite(values, "interquartile_mean", "values")
    return float(trim_mean(numbers, 0.25, axis=None)) if numbers.size else np.nan


def iqm_interval(
    scores: ArrayLike, rng: np.random.Generator, confidence: float = 0.95, resamples: int = 9999
) -> Interval:
    """Percentile bootstrap interval of the interquartile mean of all `scores` [settings, seeds].

    Seeds are drawn anew within each setting, so it speaks of other seeds in these settings, not of other settings.
    The method is "percentile"; "degenerate" when the seeds of each setting are equal; "no interval" for fewer than
    two seeds or no setting (NaN).

    Raises ValueError for a number that is not finite and for scores that are no table.
    Source: Agarwal et al. 2021, section 4.1 (stratified bootstrap); `scipy.stats.bootstrap`.
    """
    table = finite(_table(scores, "iqm_interval"), "iqm_interval", "scores")
    if table.size == 0 or table.shape[1] < 2:
        return Interval(np.nan, np.nan, "no interval")
    if (np.ptp(table, axis=1) <= TOLERANCE * np.abs(table).max(axis=1)).all():
        point = interquartile_mean(table)
        return Interval(point, point, "degenerate")
    result = bootstrap(
        tuple(table),  # several samples: each is resampled on its own
        _pooled_iqm,
        method="percentile",
        confidence_level=confidence,
        n_resamples=resamples,
        batch=max(1, BATCH // table.size),
        rng=rng,
    )
    low, high = result.confidence_interval
    return Interval(float(low), float(high), "percentile")


def performance_profile(scores: ArrayLike, thresholds: ArrayLike) -> Floats:
    """Share of the runs `scores` [settings, seeds] above each of the `thresholds` [k]: [k]; NaN without runs.

    A run without a score (NaN) is above none: it diverged.

    Raises ValueError for scores that are no table.
    Source: Agarwal et al. 2021, section 4.2 (run-score distributions).
    """
    above = _above(scores, thresholds, "performance_profile")
    runs = above.shape[0] * above.shape[1]
    return above.sum(axis=(0, 1)) / runs if runs else np.full(above.shape[2], np.nan)


def profile_band(
    scores: ArrayLike,
    thresholds: ArrayLike,
    rng: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = 9999,
) -> Floats:
    """Pointwise percentile bootstrap band [2, k] of `performance_profile`; NaN for fewer than two seeds.

    Seeds are drawn anew within each setting. Where all runs lie on one side of a threshold the band has no width,
    which claims too much.

    Raises ValueError for scores that are no table.
    Source: Agarwal et al. 2021, sections 4.1 and 4.2.
    """
    above = _above(scores, thresholds, "profile_band")
    settings, seeds, k = above.shape
    if settings == 0 or seeds < 2:
        return np.full((2, k), np.nan)
    counts = np.zeros((resamples, k))
    for setting in above:
        counts += rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples) @ setting
    return _percentiles(counts / (settings * seeds), confidence)


def bouthillier(
    a: ArrayLike,
    b: ArrayLike,
    rng: np.random.Generator,
    gamma: float = 0.75,
    confidence: float = 0.95,
    resamples: int = 9999,
) -> Outperformance:
    """Test whether `a` [n] outperforms `b` [n], paired: P(A > B), ties half, with its percentile bootstrap interval.

    The verdict is "not significant" unless low > 1/2, then "better" if high > `gamma`, else "not meaningful". "Greater"
    refers to the number, and only A's being greater is tested. The interval's method is "percentile"; "Clopper-Pearson"
    when A has the greater number in all pairs or in none, where resampling has nothing to draw from; "degenerate" when
    all pairs tie; "no interval" when n < 2 (NaN, "not significant").

    Raises ValueError for a number that is not finite, for unequal lengths and for a gamma outside [1/2, 1).

    Source: Bouthillier et al. 2021, Accounting for variance in machine learning benchmarks, section 4 and appendix C;
    Clopper & Pearson 1934, The use of confidence or fiducial limits illustrated in the case of the binomial.
    """
    first, second = finite(a, "bouthillier", "a"), finite(b, "bouthillier", "b")
    if first.shape != second.shape:
        raise ValueError(
            f"The 'b' parameter of bouthillier must be {first.size} numbers, one for each of 'a'. "
            f"Got {second.size} instead."
        )
    if not 0.5 <= gamma < 1:
        raise ValueError(
            f"The 'gamma' parameter of bouthillier must be a number of at least 0.5 and below 1. Got {gamma} instead."
        )
    interval = _win_interval(first, second, rng, confidence, resamples)
    return Outperformance(superiority(first, second), interval, _verdict(interval, gamma))


def _verdict(interval: Interval, gamma: float) -> str:
    if not interval.low > 0.5:  # NaN too
        return "not significant"
    return "better" if interval.high > gamma else "not meaningful"


def _win_interval(a: Floats, b: Floats, rng: np.random.Generator, confidence: float, resamples: int) -> Interval:
    if a.size < 2:
        return Interval(np.nan, np.nan, "no interval")
    outcomes = np.array([np.sum(a > b), np.sum(a == b), np.sum(a < b)])
    if a.size in (outcomes[0], outcomes[2]):
        bound = ((1 - confidence) / 2) ** (1 / a.size)
        low, high = (bound, 1.0) if outcomes[0] else (0.0, 1 - bound)
        return Interval(float(low), float(high), "Clopper-Pearson")
    # Pairs drawn anew are a draw of how many are won, tied and lost.
    drawn = rng.multinomial(a.size, outcomes / a.size, size=resamples)
    low, high = _percentiles(drawn @ [1, 0.5, 0] / a.size, confidence)
    return Interval(float(low), float(high), "degenerate" if outcomes.max() == a.size else "percentile")


def _percentiles(draws: Floats, confidence: float) -> Floats:
    """The lower and upper quantile [2, ...] of `draws` [resamples, ...]."""
    tail = (1 - confidence) / 2
    quantiles: Floats = np.quantile(draws, [tail, 1 - tail], axis=0)
    return quantiles


def _pooled_iqm(*samples: Floats, axis: int = -1) -> Any:
    return trim_mean(np.concatenate(samples, axis=axis), 0.25, axis=axis)


def _above(scores: ArrayLike, thresholds: ArrayLike, function: str) -> Floats:
    """Return 1 where a run is above a threshold, else 0: [settings, seeds, k]."""
    return (_table(scores, function)[..., None] > np.asarray(thresholds, dtype=np.float64)).astype(np.float64)


def _table(scores: ArrayLike, function: str) -> Floats:
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(
            f"The 'scores' parameter of {function} must be a table [settings, seeds]. "
            f"Got an array of shape {table.shape} instead."
        )
    return table
