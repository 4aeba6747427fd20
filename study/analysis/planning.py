"""Planning: the number of seeds that a paired comparison needs, and the effect that a number of seeds can show.

Differences are assumed normal. The test is the sign-flip test, whose p values are multiples of 2^(1-n). With few seeds
this coarse scale makes it weaker than the paired t test, to which it comes close from about ten seeds on.
"""

import math
from bisect import bisect_left
from itertools import count

from scipy.optimize import brentq
from scipy.stats import f, ncf, norm

from study.analysis.deciding import fewest_seeds

MOST_SEEDS = 1_000_000
"""Beyond this many seeds no number is named."""

NEGLIGIBLE, MOST = 1e-10, 1e9
"""Between these roots of the noncentrality scipy's noncentral F holds; outside of them the power is alpha, and 1."""

SMOOTH = 40
"""From this many seeds on the sign-flip test rejects at any level, to ten digits."""


def detectable_effect(sd: float, n: int, power: float = 0.8, alpha: float = 0.05) -> float:
    """Return the smallest mean difference that `n` seeds show with this `power`, in the unit of `sd`.

    This is d x sd with `sign_flip_power` equal to `power`, where `sd` is the standard deviation of the differences
    between seeds (NaN stays NaN); infinite for fewer than `fewest_seeds`.

    Raises ValueError for a negative sd, an alpha outside (0, 1) and a power outside (alpha, 1).

    Source: Cohen 1988, Statistical Power Analysis for the Behavioral Sciences, chapter 2.
    """
    _check("detectable_effect", sd, alpha)
    _check_power("detectable_effect", power, alpha)
    if n < fewest_seeds(alpha):
        return math.inf
    below = next(d for d in map(math.exp2, count()) if sign_flip_power(1.0, d, n, alpha) >= power)
    return sd * float(brentq(lambda d: sign_flip_power(1.0, d, n, alpha) - power, 0.0, below))


def seeds_needed(sd: float, effect: float, power: float = 0.8, alpha: float = 0.05) -> int | None:
    """Return the fewest seeds that show a mean difference `effect` with this `power`; None for more than 1,000,000.

    `sd` is the standard deviation of the differences, in the unit of `effect`. At least `fewest_seeds`, also if the
    differences do not vary; None for an effect of 0 and an sd of NaN. `sign_flip_power` is a lower bound, so the seeds
    suffice.

    Raises ValueError for a negative sd, an alpha outside (0, 1) and a power outside (alpha, 1).

    Source: as `detectable_effect`.
    """
    _check("seeds_needed", sd, alpha)
    _check_power("seeds_needed", power, alpha)
    if effect == 0 or math.isnan(sd) or math.isnan(effect):
        return None
    few = range(fewest_seeds(alpha), SMOOTH)
    for n in few:
        if sign_flip_power(sd, effect, n, alpha) >= power:
            return n
    many = range(max(few.start, SMOOTH), MOST_SEEDS + 1)
    place = bisect_left(many, power, key=lambda n: sign_flip_power(sd, effect, n, alpha))  # it grows with n
    return many[place] if place < len(many) else None


def sign_flip_power(sd: float, effect: float, n: int, alpha: float = 0.05) -> float:
    """Return a lower bound on the probability that the two-sided sign-flip test of `n` seeds shows an `effect`.

    The test's p is below `alpha` in k of the 2^(n-1) patterns of signs, k the most with k 2^(1-n) < alpha. For k = 0
    the power is 0. For k = 1 all seeds must agree in sign: F(d)^n + F(-d)^n, d = effect / sd and F the normal
    distribution. For greater k it is at least that, and in simulations at least that of the t test at the level (k-1)
    2^(1-n). NaN for an sd of NaN; `sd` is in the unit of `effect`.

    Raises ValueError for a negative sd and an alpha outside (0, 1).
    """
    _check("sign_flip_power", sd, alpha)
    if math.isnan(sd) or math.isnan(effect):
        return math.nan
    if n >= SMOOTH:
        return power_of(sd, effect, n, alpha)
    patterns = math.ceil(alpha * 2 ** (n - 1)) - 1
    if n < 2 or patterns < 1:
        return 0.0
    if sd == 0:
        return 1.0 if effect else alpha
    agree = float(norm.cdf(effect / sd) ** n + norm.cdf(-effect / sd) ** n)
    return agree if patterns == 1 else max(agree, power_of(sd, effect, n, (patterns - 1) / 2 ** (n - 1)))


def power_of(sd: float, effect: float, n: int, alpha: float = 0.05) -> float:
    """Return the probability that `n` seeds show a mean difference `effect`; NaN when n < 2 and for an sd of NaN.

    This is the power of the two-sided paired t test, whose t^2 is noncentral F with 1 and n - 1 degrees of freedom and
    noncentrality n (effect / sd)^2; `sd` is the standard deviation of the differences, in the unit of `effect`. An
    effect of 0 is "shown" with probability alpha.

    Raises ValueError for a negative sd and an alpha outside (0, 1).

    Source: as `detectable_effect`.
    """
    _check("power_of", sd, alpha)
    if n < 2 or math.isnan(sd) or math.isnan(effect):
        return math.nan
    if sd == 0:
        return 1.0 if effect else alpha
    root = math.sqrt(n) * abs(effect) / sd
    if root < NEGLIGIBLE:
        return alpha
    # The noncentral t, of which statsmodels makes its power, is undefined in scipy wherever the far tail vanishes.
    return float(ncf.sf(f.isf(alpha, 1, n - 1), 1, n - 1, min(root, MOST) ** 2))


def _check(function: str, sd: float, alpha: float) -> None:
    if sd < 0:
        raise ValueError(f"The 'sd' parameter of {function} must be a number of at least 0. Got {sd} instead.")
    if not 0 < alpha < 1:
        raise ValueError(f"The 'alpha' parameter of {function} must be a number between 0 and 1. Got {alpha} instead.")


def _check_power(function: str, power: float, alpha: float) -> None:
    if not alpha < power < 1:
        raise ValueError(
            f"The 'power' parameter of {function} must be a number between alpha, {alpha}, and 1. Got {power} instead."
        )
