"""Intervals, tests and effect sizes for differences paired by seed. Arrays in, numbers out."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import bootstrap

Floats = NDArray[np.float64]

EXACT_LIMIT = 20
"""Most nonzero differences for which all sign flips are enumerated (2^19 sums, 4 MB)."""

TOLERANCE = 1e-10
"""Numbers this close, relative to their scale, are one number. Differences of shares carry a rounding error
of 1e-16 / 1e-4 = 1e-12 relative to themselves, hence more than the usual multiple of the machine epsilon."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Confidence interval in the unit of the data; `method` names how it was computed."""

    low: float
    high: float
    method: str


def bca_interval(
    differences: ArrayLike, rng: np.random.Generator | None = None, confidence: float = 0.95, resamples: int = 9999
) -> Interval:
    """Bias-corrected and accelerated bootstrap interval of the mean of `differences` [n].

    Without an rng all samples of one size are resampled alike: the same differences, in the order of their seeds, have
    the same interval wherever it is printed, and the mirrored one for the other sign. The method is "BCa"; "degenerate"
    when all differences are equal (a point, which claims too much); "no interval" when n < 2 (NaN).

    Raises ValueError for a number that is not finite.
    Source: Efron 1987, Better bootstrap confidence intervals; `scipy.stats.bootstrap`.
    """
    values = finite(differences, "bca_interval")
    if values.size < 2:
        return Interval(np.nan, np.nan, "no interval")
    origin, spread = values.min(), np.ptp(values)
    if spread <= TOLERANCE * np.abs(values).max():
        return Interval(float(values.mean()), float(values.mean()), "degenerate")
    result = bootstrap(
        ((values - origin) / spread,),
        _mean,
        method="BCa",
        confidence_level=confidence,
        n_resamples=resamples,
        rng=np.random.default_rng(values.size) if rng is None else rng,
    )
    low, high = result.confidence_interval
    return Interval(float(origin + spread * low), float(origin + spread * high), "BCa")


def sign_flip_p(differences: ArrayLike, rng: np.random.Generator, resamples: int = 9999) -> tuple[float, str]:
    """Return the two-sided sign-flip p of "the `differences` [n] are symmetric about 0", and its method.

    p = share of the 2^n sign patterns s with |sum s_i d_i| >= |sum d_i|, so p >= 2^(1-n). The method is "exact
    sign-flip" up to 20 nonzero differences (a zero has no sign to flip), above it "Monte Carlo sign-flip", (1 + hits) /
    (1 + resamples); "no test" when n = 0 (NaN). On differences of 0/1 outcomes this is the exact McNemar test.

    Raises ValueError for a number that is not finite.

    Source: Fisher 1935, The Design of Experiments, section 21; Phipson & Smyth 2010 for the +1.
    """
    return share_of_flips(finite(differences, "sign_flip_p"), np.abs, rng, resamples)


def smallest_sign_flip_p(n: ArrayLike, resamples: int = 9999) -> Floats:
    """Return the smallest p that `sign_flip_p` can give for `n` differences, one or an array of numbers: 2^(1-n)."""
    seeds = np.asarray(n, dtype=np.float64)
    return np.where(seeds <= EXACT_LIMIT, np.minimum(1.0, 2.0 ** (1 - seeds)), 1 / (1 + resamples))


def share_of_flips(
    values: Floats, extent: Callable[[Floats], Floats], rng: np.random.Generator, resamples: int = 9999
) -> tuple[float, str]:
    """Return the share of the 2^n sign patterns s with extent(sum s_i v_i) >= extent(sum v_i), and its method.

    `values` [n] are finite; `extent` measures a sum's evidence against the hypothesis: its size for a two-sided test,
    the sum itself for a one-sided one. The observed pattern counts, and ties survive rounding.
    """
    if values.size == 0:
        return np.nan, "no test"
    values = values[values != 0]
    if values.size == 0:
        return 1.0, "exact sign-flip"
    values = values / np.abs(values).max()
    bound = extent(values.sum()) - TOLERANCE * np.abs(values).sum()
    if values.size <= EXACT_LIMIT:
        half = _flipped_sums(values)
        return float(np.mean(extent(half) >= bound) + np.mean(extent(-half) >= bound)) / 2, "exact sign-flip"
    signs = 2.0 * rng.integers(0, 2, size=(resamples, values.size)) - 1.0
    hits = np.count_nonzero(extent(signs @ values) >= bound)
    return (1 + hits) / (1 + resamples), "Monte Carlo sign-flip"


def holm(p: ArrayLike) -> Floats:
    """Adjust the p values [k] of a family of k by Holm's step-down method; NaN stays NaN and is not a member.

    Source: Holm 1979, A simple sequentially rejective multiple test procedure.
    """
    adjusted = np.array(p, dtype=np.float64)
    tested = np.flatnonzero(~np.isnan(adjusted))
    order = tested[np.argsort(adjusted[tested], kind="stable")]
    # Not statsmodels, which collects garbage at each call: a third of a second beside the libraries of a report.
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(adjusted[order] * np.arange(order.size, 0, -1)))
    return adjusted


def superiority(a: ArrayLike, b: ArrayLike) -> float:
    """Return P(A > B) over the pairs of `a` [n] and `b` [n], a tie counted half; NaN when n = 0.

    "Greater" refers to the number: for a loss or a gap the greater one is worse.

    Source: Bouthillier et al. 2021, Accounting for variance in machine learning benchmarks, section 4.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return float(np.mean((first > second) + 0.5 * (first == second))) if first.size else np.nan


def signed_sum(terms: ArrayLike) -> Floats:
    """Sum `terms` [k, n] over k; a sum that is only rounding error becomes exactly 0.

    0.3 - 0.1 - 0.2 + 0.0 is 2.8e-17 in floating point; a sign-flip test would take it for a difference.
    """
    values = np.asarray(terms, dtype=np.float64)
    total = values.sum(axis=0)
    rounding = len(values) * np.finfo(np.float64).eps * np.abs(values).sum(axis=0)
    return np.where(np.abs(total) <= rounding, 0.0, total)


def finite(numbers: ArrayLike, function: str, parameter: str = "differences") -> Floats:
    """Return the `numbers` as an array; raises ValueError, in the name of the `function`, if one is not finite."""
    values = np.asarray(numbers, dtype=np.float64)
    wrong = values[~np.isfinite(values)]
    if wrong.size:
        raise ValueError(f"The '{parameter}' parameter of {function} must be finite numbers. Got {wrong[0]} instead.")
    return values


def _mean(values: Floats, axis: int = -1) -> Floats:
    # Resamples of the same numbers in another order must tie: BCa counts ties with the mean half, and few
    # seeds with equal differences make many of them. The values lie between 0 and 1 here.
    means: Floats = values.mean(axis=axis).round(10)
    return means


def _flipped_sums(values: Floats) -> Floats:
    """Return all sums of `values` [n] with flipped signs, the first one kept as the rest mirrors it: [2^(n-1)]."""
    sums = values[:1]
    for value in values[1:]:
        sums = np.concatenate([sums + value, sums - value])
    return sums
