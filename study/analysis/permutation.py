"""Exact permutation test of whether two sets of runs come from one distribution, over several results at once."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from study.analysis.statistics import TOLERANCE

Floats = NDArray[np.float64]

DIGITS = 5
"""Numbers that agree to so many significant digits tie: another machine's rounding does not tell apart what all seeds
share, the loss of nets that learned nothing, say."""

SPLITS = 200_000
"""Most ways to split the runs that are all tried; two groups of ten can be split in 184,756."""


def one_distribution_p(one: ArrayLike, other: ArrayLike) -> float:
    """Return p of "the runs `one` [n, m] and `other` [k, m] are draws from one distribution" of m results.

    A result counts by its rank among all n + k, NaN (of a diverged run) last; the statistic is the largest of the m
    standardised rank sums, compared with that of every split of the runs into n and k. The test is exact whatever the
    distribution and the dependence between the results. With more than `SPLITS` splits, random ones are used, and p is
    (1 + hits) / (1 + splits). If runs are paired by seed, the test rejects more rarely than its p says.

    Source: Westfall & Young 1993, Resampling-Based Multiple Testing, chapter 2.
    """
    first, second = np.asarray(one, np.float64), np.asarray(other, np.float64)
    pooled = _rounded(np.vstack([first, second]))
    ranks = rankdata(np.where(np.isnan(pooled), np.inf, pooled), axis=0)
    spread = ranks.std(axis=0)
    scores = (ranks - ranks.mean(axis=0))[:, spread > 0] / spread[spread > 0]
    if not scores.size:
        return 1.0
    n, k = len(first), len(second)
    bound = np.abs(scores[:n].sum(axis=0)).max() - TOLERANCE * n  # ties survive rounding
    hits = int((np.abs(splits(n, k) @ scores).max(axis=1) >= bound).sum())
    return hits / comb(n + k, n) if comb(n + k, n) <= SPLITS else (1 + hits) / (1 + SPLITS)


def _rounded(values: Floats) -> Floats:
    usual = np.isfinite(values) & (values != 0)
    unit = 10.0 ** (np.floor(np.log10(np.abs(values), where=usual, out=np.zeros_like(values))) + 1 - DIGITS)
    return np.where(usual, np.round(values / unit) * unit, values)


@lru_cache(maxsize=4)
def splits(n: int, k: int) -> Floats:
    """Return the first group in every split of n + k into n and k, or in `SPLITS` random ones, [splits, n + k]."""
    if comb(n + k, n) > SPLITS:
        first = np.broadcast_to(np.arange(n + k) < n, (SPLITS, n + k))
        return np.random.default_rng(0).permuted(first, axis=1).astype(np.float64)
    chosen = np.array(list(combinations(range(n + k), n)))
    table = np.zeros((len(chosen), n + k))
    np.put_along_axis(table, chosen, 1.0, axis=1)
    return table


def smallest_p(n: int, k: int) -> float:
    """Return the smallest p that `one_distribution_p` can give."""
    ways = comb(n + k, n)
    return 2 / ways if ways <= SPLITS else 1 / (1 + SPLITS)
