"""Decision rule of claims, and the ledger of their verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from study.analysis.comparisons import row_generator
from study.analysis.conventions import ALPHA
from study.analysis.equivalence import equivalence_p, sign_flip_one_sided
from study.analysis.evidence import Evidence
from study.analysis.planning import seeds_needed
from study.analysis.statistics import Floats, bca_interval, holm
from study.claims.base import Claim, Combine, Contrast, Idle

Verdict = Literal["supported", "contradicted", "undecided"]
Decision = Verdict | Idle
VERDICTS = get_args(Verdict)
Against = Literal["", "opposite", "too small", "loss", "difference"]

LEDGER = (
    "study", "claim", "statement", "verdict", "combine", "contrast", "hypothesis", "expectation", "unit", "points",
    "smallest", "n", "n_undefined", "estimate", "low", "high", "p_for", "p_against", "p_for_adjusted",
    "p_against_adjusted", "contrast_verdict", "against", "seeds_to_decide", "reached", "settings", "strengths",
    "changed", "notes", "where", "figure", "method",
)  # fmt: skip
"""The columns of `claims`: a row for each contrast, with the verdict of its claim.

settings and strengths: what the claim's verdict rests on, joined by "; ": where its deciding contrasts were trained,
and the labels of all methods in them. changed: what of its rule was changed after results had been seen. notes: what
its verdict is not told without. points: whether a share is told, on a page, in percentage points. against: what a
contradicted contrast shows, as `against` says. figure: one that is drawn and shows it.
"""
EVIDENCE = ("study", "claim", "contrast", "quantity", "regime", "clip", "regularization", "weight", "seed", "value")
"""The columns of `evidence`: the values that the contrasts of `claims` are taken from; a difference is, seed by seed,
the sum of weight times value."""
OF_CONTRAST = ("hypothesis", "expectation", "unit", "points", "smallest", "reached", "where")
OF_FINDING = ("n", "n_undefined", "estimate", "low", "high", "p_for", "p_against", "method")


@dataclass(frozen=True)
class Finding:
    """Numbers of a contrast: p_for of "not as claimed", p_against of "as claimed, and by what matters"."""

    n: int
    n_undefined: int
    estimate: float
    low: float
    high: float
    sd: float
    p_for: float
    p_against: float
    method: str


def find(contrast: Contrast, rng: np.random.Generator, test: bool = True) -> Finding:
    """Return the mean difference with its 95 % BCa interval, and one-sided sign-flip p values in both directions.

    test: whether there is anything to compare; if not, no test is made.
    """
    values = contrast.differences.to_numpy(np.float64)
    defined = np.asarray(values[np.isfinite(values)], np.float64)
    interval = bca_interval(defined)
    p_for, p_against = _both_ways(contrast, defined, rng) if defined.size and test else (np.nan, np.nan)
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
    """Return the decision on a contrast, from p values adjusted over the claim's compared contrasts.

    increase: supported if p_for < .05, the interval is above 0 and the estimate at least `smallest`; contradicted if
    p_against < .05 and the interval is below `smallest`, whatever its sign: a difference too small to matter is not
    what was claimed. not_worse: supported if p_for < .05 and the interval is above -smallest, contradicted if p_against
    < .05 and it is below. same: supported if p_for < .05 and the interval is within +-smallest, contradicted if
    p_against < .05 and it is outside. Otherwise undecided.
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


def not_compared(contrasts: Sequence[Contrast]) -> list[Decision | None]:
    """Return for each contrast of a claim why nothing is compared, None if something is.

    A cell compared with itself, as when tuning chose none, says nothing about a gain. It does support a claim of no
    loss, provided that none of the claim's contrasts asks for a gain.
    """
    gain = any(one.expectation == "increase" for one in contrasts)
    return ["same cell" if gain and one.same_cell else one.silenced for one in contrasts]


def against(contrast: Contrast, found: Finding, decision: Decision) -> Against:
    """Return what a contradicted contrast shows.

    For a claim of a gain: the opposite, if the interval is below 0 and the loss is at least what would matter, else a
    gain too small to matter. For a claim of no loss, a loss; for one of no difference, a difference.
    """
    if decision != "contradicted":
        return ""
    if contrast.expectation == "increase":
        return "opposite" if found.high < 0 and found.estimate <= -contrast.smallest else "too small"
    return "loss" if contrast.expectation == "not_worse" else "difference"


def combined(decisions: Sequence[Decision], combine: Combine) -> Verdict:
    """Return a claim's verdict: with "all", every contrast must hold and one against it suffices; "any" is the reverse.

    Contrasts that compare nothing do not count; without any other the claim is undecided.
    """
    verdicts: list[Verdict] = [one for one in decisions if one in VERDICTS]  # type: ignore[misc]
    if not verdicts:
        return "undecided"
    decisive, unanimous = ("contradicted", "supported") if combine == "all" else ("supported", "contradicted")
    if decisive in verdicts:
        return decisive
    return unanimous if set(verdicts) == {unanimous} else "undecided"  # type: ignore[return-value]


def to_decide(contrast: Contrast, found: Finding, family: int = 1) -> int | None:
    """Return the seeds that would decide the estimated difference, with power .8 one-sided; None if no number would.

    family: number of contrasts of the claim; Bonferroni's bound on Holm's adjustment gives each an equal share of the
    level.
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


def ledger(claims: Sequence[Claim], evidence: Evidence, seed: int) -> pd.DataFrame:
    """Return every contrast of every claim with its numbers and verdicts, columns `LEDGER`.

    p values are adjusted by Holm's method over the compared contrasts of each claim, for and against separately.
    """
    rows = [row for claim in claims for row in _rows(claim, evidence, seed)]
    return pd.DataFrame(rows, columns=list(LEDGER)).astype({"seeds_to_decide": "Int64"})


def evidence_table(claims: Sequence[Claim], evidence: Evidence) -> pd.DataFrame:
    """Return the values by seed behind every contrast, columns `EVIDENCE`."""
    rows = [
        (evidence.study.name, claim.name, contrast.key, contrast.quantity, *term.cell, term.weight, seed, value)
        for claim in claims
        for contrast in claim.contrasts(evidence)
        for term in contrast.terms
        for seed, value in term.by_seed.items()
    ]
    return pd.DataFrame(rows, columns=list(EVIDENCE))


def _rows(claim: Claim, evidence: Evidence, seed: int) -> list[dict[str, object]]:
    contrasts = list(claim.contrasts(evidence))
    idle = not_compared(contrasts)
    found = [
        find(one, row_generator(seed, "claim", claim.name, one.key), test=not why)
        for one, why in zip(contrasts, idle, strict=True)
    ]
    p_for, p_against = (holm([getattr(one, which) for one in found]) for which in ("p_for", "p_against"))
    decisions: list[Decision] = [
        why or decide(*each) for why, *each in zip(idle, contrasts, found, p_for, p_against, strict=True)
    ]
    compared = [one for one, why in zip(contrasts, idle, strict=True) if not why]
    of_claim = {
        "study": evidence.study.name,
        "claim": claim.name,
        "statement": claim.statement,
        "verdict": combined(decisions, claim.combine),
        "combine": claim.combine,
        **_scope(compared, evidence),
        "changed": claim.changed,
        "notes": " ".join(claim.notes(evidence)),
    }
    return [
        {
            **of_claim,
            "contrast": contrast.key,
            **{key: getattr(contrast, key) for key in OF_CONTRAST},
            **{key: getattr(one, key) for key in OF_FINDING},
            "p_for_adjusted": a,
            "p_against_adjusted": b,
            "contrast_verdict": decision,
            "against": against(contrast, one, decision),
            "seeds_to_decide": to_decide(contrast, one, len(compared)) if decision == "undecided" else None,
            "figure": _drawn(contrast, evidence),
        }
        for contrast, one, a, b, decision in zip(contrasts, found, p_for, p_against, decisions, strict=True)
    ]


def _drawn(contrast: Contrast, evidence: Evidence) -> str:
    """Return the figure that shows a contrast, if the study draws it of these regimes; else the figure of claims."""
    shown = evidence.study.draws(contrast.figure, {cell.regime for cell in contrast.cells})
    return contrast.figure if shown else "claims"


def _scope(contrasts: Sequence[Contrast], evidence: Evidence) -> dict[str, str]:
    """Return the settings and the labels of methods on which a verdict rests, in the order of the contrasts."""
    cells = [cell for contrast in contrasts for cell in contrast.cells]
    settings = dict.fromkeys(evidence.setting_of(cell) for cell in cells)
    strengths = dict.fromkeys(label for cell in cells for label in cell.methods)
    return {"settings": "; ".join(settings), "strengths": "; ".join(strengths)}
