from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from study.claims.base import Cell, Claim, Contrast, Term
from study.parameters import Positive, Text

if TYPE_CHECKING:
    from study.analysis.evidence import Evidence


class Evenness(Claim):
    """Claim that with L2 the weights are more equal in size (Gini coefficient) and the largest is smaller."""

    statement: ClassVar[str] = "L2 evens the weights out."
    source: ClassVar[str] = "@krogh1991"
    figures: ClassVar[tuple[str, ...]] = ("weights",)
    regime_fields: ClassVar[tuple[str, ...]] = ("regime",)
    regularization_fields: ClassVar[tuple[str, ...]] = ("penalty",)
    name: Literal["evenness"] = "evenness"
    regime: Text = "memorize"
    penalty: Text = "l2(0.01)"
    gini: Positive = 0.02
    largest: Positive = 0.15

    def contrasts(self, evidence: "Evidence") -> Iterator[Contrast]:
        none, penalized = Cell(self.regime), Cell(self.regime, regularization=self.penalty)
        yield Contrast(
            key=f"{self.penalty}: Gini",
            hypothesis=f"the Gini coefficient of the absolute weights is lower with {self.penalty} in {self.regime}",
            terms=[Term(sign, cell, evidence.gini(cell)) for sign, cell in ((1, none), (-1, penalized))],
            unit="lower Gini coefficient",
            smallest=self.gini,
            quantity="weights, Gini coefficient",
            figure="weights",
        )
        yield Contrast(
            key=f"{self.penalty}: largest",
            hypothesis=f"the largest absolute weight is smaller with {self.penalty} in {self.regime}",
            terms=[
                Term(sign, cell, evidence.logged(cell, "weight_max")) for sign, cell in ((1, none), (-1, penalized))
            ],
            unit="smaller weight (log2)",
            smallest=self.largest,
            quantity="runs, log2 of weight_max",
            figure="weights",
        )
