"""Tests of one side and of equivalence for differences paired by seed: that an effect is negligible, and not merely
that none was found. Arrays in, numbers out."""

import math
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from study.analysis.statistics import TOLERANCE, Floats, finite, share_of_flips

SIDES = MappingProxyType({"greater": 1.0, "less": -1.0})
"""What may be claimed of the centre of the differences, and the sign that makes it "greater"."""


def sign_flip_one_sided(
    differences: ArrayLike, bound: float, alternative: str, rng: np.random.Generator, resamples: int = 9999
) -> tuple[float, str]:
    """Return the one-sided p of "the `differences` [n] are symmetric about `bound`", in their unit, and its method.

    With v = d - bound, for the alternative "greater" p = share of the 2^n sign patterns s with sum s_i v_i >= sum v_i,
    and p >= 2^-n as the observed pattern counts; for "less", the same of -v. p does not fall as the bound moves towards
    the alternative, so it also holds for a centre beyond the bound: "<= bound" under "greater", ">= bound" under
    "less". The methods are those of `sign_flip_p`.

    Raises ValueError for a number that is not finite and for another alternative.

    Source: Fisher 1935, The Design of Experiments, section 21; Phipson & Smyth 2010 for the +1.
    """
    values = finite(differences, "sign_flip_one_sided")
    if not math.isfinite(bound):
        raise ValueError(f"The 'bound' parameter of sign_flip_one_sided must be a finite number. Got {bound} instead.")
    if alternative not in SIDES:
        known = ", ".join(SIDES)
        raise ValueError(
            f"The 'alternative' parameter of sign_flip_one_sided must be one of {known}. Got '{alternative}' instead."
        )
    return share_of_flips(SIDES[alternative] * _beyond(values, bound), np.positive, rng, resamples)


def equivalence_p(
    differences: ArrayLike, margin: float, rng: np.random.Generator, resamples: int = 9999
) -> tuple[float, str]:
    """Return p of "the centre of the `differences` [n] lies `margin` or more from 0", in their unit, and its method.

    Two one-sided sign-flip tests, each at the full level: p = max(p of "<= -margin", p of ">= margin"), so p >= 2^-n. A
    small p says that the effect is smaller than the margin either way; the margin must be fixed before the data are
    seen. The method is that of the test that decides.

    Raises ValueError for a margin that is not positive and for a number that is not finite.

    Source: Schuirmann 1987, A comparison of the two one-sided tests procedure; Lakens 2017, Equivalence tests.
    """
    if not 0 < margin < math.inf:
        raise ValueError(f"The 'margin' parameter of equivalence_p must be a positive number. Got {margin} instead.")
    values = finite(differences, "equivalence_p")
    above = sign_flip_one_sided(values, -margin, "greater", rng, resamples)
    below = sign_flip_one_sided(values, margin, "less", rng, resamples)
    return max(above, below, key=lambda test: test[0])


def _beyond(values: Floats, bound: float) -> Floats:
    """Return `values` less `bound`, exactly 0 where they differ only by rounding, so that no sign is flipped."""
    beyond = values - bound
    return np.where(np.abs(beyond) <= TOLERANCE * abs(bound), 0.0, beyond)
