"""Privacy that noise buys, by Opacus' accountant."""

from __future__ import annotations

import math
import warnings


def epsilon(noise_multiplier: float, times: int, delta: float, share: float = 1.0) -> float:
    """Return the epsilon at `delta` of one who took part in so many sums with noise, in each with probability `share`.

    Two runs are neighbours if what one adds is zero in one of them: a sum then differs by at most the bound of a clip,
    and each is a Gaussian mechanism of this noise multiplier. Random parts add to the privacy where each one's is drawn
    by itself (Poisson sampling); of a fixed number of clients, drawn at random, `times` counts those that were drawn.
    Infinite without noise. Mironov 2017, proposition 7; Mironov et al. 2019.
    """
    if not noise_multiplier:
        return math.inf
    if not times:
        return 0.0
    from opacus.accountants import RDPAccountant  # type: ignore[import-untyped]  # only noise needs it

    accountant = RDPAccountant()
    accountant.history = [(noise_multiplier, share, times)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the best order is at the end of its range: epsilon is then too large
        return float(accountant.get_epsilon(delta))
