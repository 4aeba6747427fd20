from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from study.analysis.claims.base import Cell, Claim, Contrast
from study.analysis.claims.c07_regularization import RegularizationLowersGap
from study.parameters import Positive, Text, Texts

if TYPE_CHECKING:
    from study.analysis.claims.evidence import Evidence


class DropoutLowersGap(RegularizationLowersGap):
    """At the strength that tuning chose, dropout lowers the accuracy gap and does not cost test accuracy."""

    statement: ClassVar[str] = "Dropout lowers the gap and keeps test performance."
    source: ClassVar[str] = "@srivastava2014"
    name: Literal["dropout_lowers_gap"] = "dropout_lowers_gap"  # type: ignore[assignment]
    regularizations: Texts = ("dropout",)


class DropoutOtherwise(Claim):
    """Dropout leaves the weights large where L2 shrinks them, and neither makes the other's effect on the gap smaller.

    Two that worked by the same mechanism would lower the gap together by less than each of them alone, summed.
    """

    statement: ClassVar[str] = "Dropout works by another mechanism than a penalty."
    source: ClassVar[str] = "@srivastava2014"
    regime_fields: ClassVar[tuple[str, ...]] = ("regime",)
    regularization_fields: ClassVar[tuple[str, ...]] = ("dropout", "penalty", "both")
    name: Literal["dropout_otherwise"] = "dropout_otherwise"
    regime: Text = "together"
    dropout: Text = "dropout(0.5)"
    penalty: Text = "l2(0.01)"
    both: Text = "dropout(0.5) + l2(0.01)"
    smaller: Positive = 0.5
    redundant: Positive = 0.02

    def contrasts(self, evidence: "Evidence") -> Iterator[Contrast]:
        none, dropout, penalty, both = (
            Cell(self.regime, regularization=label) for label in ("none", self.dropout, self.penalty, self.both)
        )
        yield Contrast(
            key="weights",
            hypothesis=f"the weights' norm is larger with {self.dropout} than with {self.penalty} in {self.regime}",
            differences=evidence.logged(dropout, "weight_norm") - evidence.logged(penalty, "weight_norm"),
            unit="larger norm of the weights (log2)",
            smallest=self.smaller,
            where=f"runs: {dropout.text} minus {penalty.text}, weight_norm",
            figure="weights",
            sides=([dropout], [penalty]),
        )
        gap = {cell: evidence.runs_of(cell, "gap_accuracy") for cell in (none, dropout, penalty, both)}
        yield Contrast(
            key="interaction",
            hypothesis=f"{self.dropout} and {self.penalty} together lower the accuracy gap by no less than each alone,"
            f" summed, in {self.regime}",
            differences=(gap[none] - gap[both]) - (gap[none] - gap[dropout]) - (gap[none] - gap[penalty]),
            unit="lower accuracy gap",
            smallest=self.redundant,
            where=f"runs: the two alone, less {both.text}, less none, gap_accuracy",
            figure="heatmap",
            expectation="not_worse",
            sides=([both, none], [dropout, penalty]),
        )
