"""The rule that decides claims, and the ledger of what it decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from study.analysis.claims.base import Claim, Combine, Contrast
from study.analysis.claims.evidence import Evidence
from study.analysis.comparisons import row_generator
from study.analysis.equivalence import equivalence_p, sign_flip_one_sided
from study.analysis.planning import seeds_needed
from study.analysis.statistics import Floats, bca_interval, holm

Verdict = Literal["supported", "contradicted", "undecided"]
ALPHA = 0.05

LEDGER = (
    "study", "claim", "statement", "verdict", "combine", "contrast", "hypothesis", "expectation", "unit", "smallest",
    "n", "n_undefined", "estimate", "low", "high", "p_for", "p_against", "p_for_adjusted", "p_against_adjusted",
    "contrast_verdict", "seeds_to_decide", "where", "figure", "method",
)  # fmt: skip
"""The columns of `claims`: a row for each contrast, with the verdict of its claim."""
OF_CONTRAST = ("hypothesis", "expectation", "unit", "smallest", "where", "figure")
OF_FINDING = ("n", "n_undefined", "estimate", "low", "high", "p_for", "p_against", "method")


@dataclass(frozen=True)
class Finding:
    """A contrast's numbers: p_for of "not as claimed", p_against of "as claimed, and by what matters"."""

    n: int
    n_undefined: int
    estimate: float
    low: float
    high: float
    sd: float
    p_for: float
    p_against: float
    method: str


def find(contrast: Contrast, rng: np.random.Generator) -> Finding:
    """Mean difference with its 95 % BCa interval, and one-sided sign-flip p values in both directions."""
    values = contrast.differences.to_numpy(np.float64)
    defined = np.asarray(values[np.isfinite(values)], np.float64)
    interval = bca_interval(defined, rng)
    p_for, p_against = _both_ways(contrast, defined, rng) if defined.size else (np.nan, np.nan)
    return Finding(
        n=defined.size,
        n_undefined=values.size - defined.size,
        estimate=float(defined.mean()) if defined.size else np.nan,
        low=interval.low,
        high=interval.high,
        sd=float(defined.std(ddof=1)) if defined.size > 1 else np.nan,
        p_for=p_for,
        p_against=p_against,
        method=f"{interval.method}; one-sided sign-flip",
    )


def _both_ways(contrast: Contrast, values: Floats, rng: np.random.Generator) -> tuple[float, float]:
    def beyond(bound: float, side: Literal["greater", "less"]) -> float:
        return sign_flip_one_sided(values, bound, side, rng)[0]

    s = contrast.smallest
    if contrast.expectation == "increase":
        return beyond(0.0, "greater"), beyond(s, "less")
    if contrast.expectation == "not_worse":
        return beyond(-s, "greater"), beyond(-s, "less")
    return equivalence_p(values, s, rng)[0], min(1.0, 2 * min(beyond(s, "greater"), beyond(-s, "less")))


def decide(contrast: Contrast, found: Finding, p_for: float, p_against: float) -> Verdict:
    """The rule, with p values adjusted over the contrasts of the claim.

    increase: supported if p_for < .05, the interval is above 0 and the estimate at least `smallest`; contradicted if
    p_against < .05 and the interval is below `smallest`, whatever its sign: a difference too small to matter is not
    what was claimed. not_worse: supported if p_for < .05 and the interval is above -smallest, contradicted if
    p_against < .05 and it is below. same: supported if p_for < .05 and the interval is within +-smallest,
    contradicted if p_against < .05 and it is outside. Otherwise undecided.
    """
    low, high, s = found.low, found.high, contrast.smallest
    agrees, disagrees = {
        "increase": (low > 0 and found.estimate >= s, high < s),
        "not_worse": (low > -s, high < -s),
        "same": (low > -s and high < s, low > s or high < -s),
    }[contrast.expectation]
    if p_for < ALPHA and agrees:
        return "supported"
    return "contradicted" if p_against < ALPHA and disagrees else "undecided"


def combined(verdicts: Sequence[Verdict], combine: Combine) -> Verdict:
    """A claim's verdict: "all" its contrasts must hold and one against it suffices; "any" the other way round."""
    if not verdicts:
        return "undecided"
    decisive, unanimous = ("contradicted", "supported") if combine == "all" else ("supported", "contradicted")
    if decisive in verdicts:
        return decisive  # type: ignore[return-value]
    return unanimous if set(verdicts) == {unanimous} else "undecided"  # type: ignore[return-value]


def to_decide(contrast: Contrast, found: Finding, family: int = 1) -> int | None:
    """Seeds with which the difference as estimated would be decided, with power .8 one-sided; None if none would.

    family: contrasts of the claim, each of which Bonferroni's bound on Holm's adjustment gives its share of the level.
    """
    s, estimate = contrast.smallest, found.estimate
    if found.n < 2 or not np.isfinite(estimate):
        return None
    distance = {
        "increase": estimate if estimate >= s else s - estimate,
        "not_worse": abs(estimate + s),
        "same": abs(s - abs(estimate)),
    }[contrast.expectation]
    return seeds_needed(found.sd, distance, alpha=2 * ALPHA / family)


def _adjusted(claims: pd.Series, p: Sequence[float]) -> Floats:
    """Holm's adjustment within each claim."""
    values = pd.Series(list(p), dtype=float)
    adjusted: Floats = (
        values.groupby(claims, sort=False).transform(lambda own: holm(own.to_numpy(float))).to_numpy(float)
    )
    return adjusted


def ledger(claims: Sequence[Claim], evidence: Evidence, seed: int) -> pd.DataFrame:
    """Every contrast of every claim with its numbers and verdicts, columns `LEDGER`.

    p values are adjusted by Holm's method over the contrasts of each claim, for and against apart.
    """
    each = [(claim, contrast) for claim in claims for contrast in claim.contrasts(evidence)]
    found = [find(contrast, row_generator(seed, "claim", claim.name, contrast.key)) for claim, contrast in each]
    names = pd.Series([claim.name for claim, _ in each], dtype=object)
    p_for, p_against = (_adjusted(names, [getattr(one, which) for one in found]) for which in ("p_for", "p_against"))
    sizes = names.map(names.value_counts())
    verdicts = [decide(c, f, a, b) for (_, c), f, a, b in zip(each, found, p_for, p_against, strict=True)]
    whole = {
        claim.name: combined([v for (own, _), v in zip(each, verdicts, strict=True) if own is claim], claim.combine)
        for claim in claims
    }
    rows = [
        {
            "study": evidence.study.name,
            "claim": claim.name,
            "statement": claim.statement,
            "verdict": whole[claim.name],
            "combine": claim.combine,
            "contrast": contrast.key,
            **{key: getattr(contrast, key) for key in OF_CONTRAST},
            **{key: getattr(one, key) for key in OF_FINDING},
            "p_for_adjusted": a,
            "p_against_adjusted": b,
            "contrast_verdict": verdict,
            "seeds_to_decide": to_decide(contrast, one, int(size)) if verdict == "undecided" else None,
        }
        for (claim, contrast), one, a, b, verdict, size in zip(
            each, found, p_for, p_against, verdicts, sizes, strict=True
        )
    ]
    return pd.DataFrame(rows, columns=list(LEDGER)).astype({"seeds_to_decide": "Int64"})
