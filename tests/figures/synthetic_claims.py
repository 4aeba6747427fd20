"""A ledger of claims decided on made-up differences: every verdict, every expectation, long names, and none defined."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from study.analysis.verdicts import ledger
from study.claims.base import Cell, Combine, Contrast, Expectation, Idle, Term

# The true difference in units of what would matter, and its noise.
TRUTHS: dict[str, list[tuple[str, Expectation, float, float]]] = {
    "Clipping controls exploding gradients.": [
        ("decades: divergence", "increase", 4.0, 0.5),
        ("deep_depth=20_activation=sigmoid: the largest norm of a run", "increase", 120.0, 5.0),
    ],
    "Clipping cures vanishing gradients.": [
        ("deep: value", "increase", 0.0, 0.2),
        ("deep: norm", "increase", -3.0, 0.5),
        ("tuned: the same", "increase", 0.0, 0.0),
        ("tuned: gaps below zero", "increase", 1.0, 0.2),
    ],
    "Lambda should be picked by cross-validation or grid search from 1e-4 to 1e-2.": [
        ("regret", "not_worse", 0.0, 0.3),
        ("range", "not_worse", -1.0, 3.0),
        ("interaction", "same", 0.1, 0.2),
        ("unknown", "same", np.nan, 1.0),
    ],
}


@dataclass(frozen=True)
class MadeUp:
    """A claim as the ledger sees it."""

    name: str
    statement: str
    seeds: int
    combine: Combine = "all"
    changed: str = ""

    def notes(self, evidence: Any) -> Iterator[str]:
        yield from ()

    def contrasts(self, evidence: Any) -> Iterator[Contrast]:
        rng = np.random.default_rng(len(self.statement))
        for key, expectation, truth, noise in TRUTHS[self.statement]:
            values = pd.Series(0.5 * (truth + noise * rng.standard_normal(self.seeds)))
            one = Cell("decades", key)
            none = one if key.endswith("the same") else Cell("decades")
            terms = [Term(1, one, values), Term(-1, none, 0 * values)]
            silenced: Idle | None = "gaps below zero" if key.endswith("below zero") else None
            yield Contrast(
                key, f"{key} is as claimed", terms, "points", 0.5, "rows", "figure", expectation, silenced=silenced
            )


def claims_table(seeds: int) -> pd.DataFrame:
    """The columns `LEDGER`; seeds: how many differences each contrast has, 0 for a study that names no claim."""
    made_up: Any = [MadeUp(f"claim{i}", statement, seeds) for i, statement in enumerate(TRUTHS if seeds else ())]
    shown = SimpleNamespace(name="synthetic", draws=lambda figure, regimes: False)
    evidence: Any = SimpleNamespace(study=shown, setting_of=lambda cell: cell.regime)
    return ledger(made_up, evidence, seed=0)
