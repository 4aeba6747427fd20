from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from study.claims.base import Cell, Claim, Contrast
from study.parameters import Positive, Text

if TYPE_CHECKING:
    from study.analysis.evidence import Evidence


class Sparsity(Claim):
    """Claim that L1 in the loss, by its subgradient, makes weights exactly zero, and more of them small."""

    statement: ClassVar[str] = "L1 makes weights sparse (as a penalty in the loss)."
    source: ClassVar[str] = "@tibshirani1996"
    figures: ClassVar[tuple[str, ...]] = ("weights",)
    regime_fields: ClassVar[tuple[str, ...]] = ("regime",)
    regularization_fields: ClassVar[tuple[str, ...]] = ("penalty",)
    name: Literal["sparsity"] = "sparsity"
    regime: Text = "memorize"
    penalty: Text = "l1(0.001)"
    smallest: Positive = 0.1

    def contrasts(self, evidence: "Evidence") -> Iterator[Contrast]:
        for column, what in (("weight_zero", "exactly zero"), ("weight_small", "below .001 in size")):
            yield evidence.between(
                Cell(self.regime, regularization=self.penalty),
                Cell(self.regime),
                column,
                key=f"{self.penalty}: {what}",
                hypothesis=f"a larger share of the weights is {what} with {self.penalty} in {self.regime}",
                unit="more of the weights",
                smallest=self.smallest,
                figure="weights",
            )


class ProximalSparsity(Sparsity):
    """Claim that L1 by its proximal step makes weights exactly zero."""

    statement: ClassVar[str] = "L1 makes weights sparse (by proximal steps)."
    name: Literal["proximal_sparsity"] = "proximal_sparsity"  # type: ignore[assignment]
    penalty: Text = "l1_proximal(0.001)"
