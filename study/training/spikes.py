"""The spike score: how often a loss leaves the range of the losses just before it."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

WINDOW, DEVIATIONS = 128, 6.0
FEWEST = 16  # losses that a mean and a deviation are taken of
BLOCK = 4_096  # steps at once
ROUNDING = 1e-9  # of a mean: equal losses are no spikes

Floats = NDArray[np.floating]


def spike_score(losses: Floats, window: int = WINDOW, deviations: float = DEVIATIONS) -> float:
    """Return the share of steps whose loss is a spike; NaN if no step can be judged.

    losses [S]. Step t is a spike if its loss exceeds the mean of the `window` losses before it by more than
    `deviations` of their standard deviations, or is not finite. Steps with fewer than `FEWEST` steps before them are
    not judged; non-finite losses are in no mean. Source: Team OLMo 2024, "2 OLMo 2 Furious", section 3.1, with the
    window and the deviations at which its trainer, OLMo-core, leaves out a step.
    """
    values = np.asarray(losses, np.float64)
    if len(values) <= FEWEST:
        return float("nan")
    before = np.concatenate([np.full(window, np.nan), np.where(np.isfinite(values), values, np.nan)])
    starts = range(FEWEST, len(values), BLOCK)
    return sum(_spikes(values, before, window, deviations, start) for start in starts) / (len(values) - FEWEST)


def _spikes(values: Floats, before: Floats, window: int, deviations: float, start: int) -> int:
    """The spikes among `BLOCK` steps from `start` on; before [W + S]: the losses after a window of none."""
    own = values[start : start + BLOCK]
    seen = sliding_window_view(before[start : start + len(own) + window - 1], window)
    known = np.isfinite(seen)
    count = known.sum(1)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        mean = np.where(known, seen, 0.0).sum(1) / count
        deviation = np.sqrt(np.where(known, np.square(seen - mean[:, None]), 0.0).sum(1) / count)
        least = deviations * deviation + ROUNDING * np.abs(mean)
        above = (count >= FEWEST) & (own - mean > least)
    return int((above | ~np.isfinite(own)).sum())
