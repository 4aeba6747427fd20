"""Rounds until a test accuracy is reached, counted as McMahan et al. 2017 do."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from study.results.scores import crossing


def rounds_to(target: float, rounds: ArrayLike, accuracies: ArrayLike) -> float:
    """Return the round, with fractions, at which the best accuracy so far reaches the target; infinite if never.

    rounds [n], ascending, and accuracies [n] at each; NaN where none was measured. The curve of the best so far is
    joined by straight lines between the rounds that were measured.

    Source: McMahan et al. 2017, section 3: the curve made monotone, then "linear interpolation".
    """
    x, y = np.asarray(rounds, float), np.asarray(accuracies, float)
    known = ~np.isnan(y)
    return crossing(x[known], np.maximum.accumulate(y[known]), target, never=math.inf)
