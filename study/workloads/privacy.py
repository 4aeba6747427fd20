"""The privacy that noise on clients' updates buys, by Opacus' accountant."""

from __future__ import annotations

import math
import warnings


def epsilon(noise_multiplier: float, times: int, delta: float) -> float:
    """The epsilon at `delta` of a client that was drawn so many times, for whom the others' draws are no secret.

    Two runs are neighbours if one client's updates are zero in one of them: the sum of the updates then differs by at
    most their bound, and each round the client is drawn in is one Gaussian mechanism of this noise multiplier. That
    who is drawn is random adds to the privacy and is left out, since a fixed number of clients is drawn, for which
    the amplification of Poisson sampling does not hold. Infinite without noise. Mironov 2017, proposition 7.
    """
    if not noise_multiplier:
        return math.inf
    if not times:
        return 0.0
    from opacus.accountants import RDPAccountant  # type: ignore[import-untyped]  # only noise needs it

    accountant = RDPAccountant()
    accountant.history = [(noise_multiplier, 1.0, times)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the best order is at the end of its range: epsilon is then too large
        return float(accountant.get_epsilon(delta))
