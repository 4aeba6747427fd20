from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from study.analysis.claims.base import Cell, Claim, Contrast
from study.parameters import Positive, Text

if TYPE_CHECKING:
    from study.analysis.claims.evidence import Evidence


class Evenness(Claim):
    """With L2 the sizes of the weights are more equal (Gini coefficient) and the largest is smaller."""

    statement: ClassVar[str] = "L2 evens the weights out."
    source: ClassVar[str] = "@krogh1991"
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
            differences=evidence.gini(none) - evidence.gini(penalized),
            unit="lower Gini coefficient",
            smallest=self.gini,
            where=f"weights: regularization=none minus {penalized.text}",
            figure="weights",
            sides=([none], [penalized]),
        )
        yield Contrast(
            key=f"{self.penalty}: largest",
            hypothesis=f"the largest absolute weight is smaller with {self.penalty} in {self.regime}",
            differences=evidence.logged(none, "weight_max") - evidence.logged(penalized, "weight_max"),
            unit="smaller weight (log2)",
            smallest=self.largest,
            where=f"runs: regularization=none minus {penalized.text}, weight_max",
            figure="weights",
            sides=([none], [penalized]),
        )
