"""Rounds until a test accuracy is reached, counted as McMahan et al. 2017 do."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike


def rounds_to(target: float, rounds: ArrayLike, accuracies: ArrayLike) -> float:
    """Return the round, with fractions, at which the best accuracy so far reaches the target; infinite if never.

    rounds [n], ascending, and accuracies [n] at each; NaN where none was measured. The curve of the best so far is
    joined by straight lines between the rounds that were measured.

    Source: McMahan et al. 2017, section 3: the curve made monotone, then "linear interpolation".
    """
    x, y = np.asarray(rounds, float), np.asarray(accuracies, float)
    known = ~np.isnan(y)
    x, best = x[known], np.maximum.accumulate(y[known])
    reached = np.flatnonzero(best >= target)
    if not reached.size:
        return math.inf
    after = int(reached[0])
    if after == 0 or best[after] == target:
        return float(x[after])
    rise = (target - best[after - 1]) / (best[after] - best[after - 1])
    return float(x[after - 1] + rise * (x[after] - x[after - 1]))
