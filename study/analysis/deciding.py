"""Fewest seeds that can decide a comparison, and families that a study's seeds cannot decide; loads no estimator."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from study.analysis.conventions import ALPHA
from study.config.regime import Regime
from study.config.study import Study

MOST_NAMED = 4  # families in a sentence


def fewest_seeds(alpha: float = ALPHA) -> int:
    """Return the fewest seeds with which a two-sided sign-flip test can fall below `alpha`: 2^(1-n) < alpha, n >= 2.

    Raises ValueError for an alpha outside (0, 1).
    """
    if not 0 < alpha < 1:
        raise ValueError(
            f"The 'alpha' parameter of fewest_seeds must be a number between 0 and 1. Got {alpha} instead."
        )
    return next(n for n in count(2) if 2.0 ** (1 - n) < alpha)


def undecidable(study: Study) -> str:
    """Return a sentence that names the families of comparisons that the study's seeds can never decide; "" if none.

    The smallest p of a sign-flip test of n seeds is 2^(1-n); Holm's method multiplies it by the size of the family.
    """
    seeds = len(study.seeds)
    families = [
        (fewest_seeds(ALPHA / size), f"the {size} {what} in '{name}'")
        for name, regime in study.regimes.items()
        for what, size in _families(regime)
    ]
    lost = [(needed, family) for needed, family in families if seeds < needed]
    if not lost:
        return ""
    with_seeds = "1 seed" if seeds == 1 else f"{seeds} seeds"
    least = min(needed for needed, _ in lost)
    if len(lost) == len(families):
        return (
            f"With {with_seeds} no difference can be decided, whatever the results: that takes {least} seeds at least."
        )
    texts = [f"{family} (with {needed})" for needed, family in lost[:MOST_NAMED]]
    more = f"; and {len(lost) - MOST_NAMED} more families" if len(lost) > MOST_NAMED else ""
    return f"With {with_seeds} these cannot be decided, whatever the results: {'; '.join(texts)}{more}."


def _families(regime: Regime) -> Iterator[tuple[str, int]]:
    clips, regularizers = len(regime.clips) - 1, len(regime.regularizations) - 1
    pairs = clips * regularizers if regime.grid == "crossed" else 0
    for what, size in (("clips", clips), ("regularizers", regularizers), ("combinations", pairs)):
        if size:
            yield what, size
