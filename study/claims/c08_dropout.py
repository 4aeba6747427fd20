from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from study.claims.base import Cell, Claim, Contrast, Term
from study.claims.c07_regularization import RegularizationLowersGap
from study.parameters import Positive, Text, Texts

if TYPE_CHECKING:
    from study.analysis.evidence import Evidence


class DropoutLowersGap(RegularizationLowersGap):
    """Claim that dropout, at its tuned strength, lowers the accuracy gap and does not cost test accuracy."""

    statement: ClassVar[str] = "Dropout lowers the gap and keeps test performance."
    source: ClassVar[str] = "@srivastava2014"
    name: Literal["dropout_lowers_gap"] = "dropout_lowers_gap"  # type: ignore[assignment]
    regularizations: Texts = ("dropout",)


class DropoutOtherwise(Claim):
    """Claim that dropout leaves weights large where L2 shrinks them, and neither weakens the other's effect on the gap.

    Two methods that worked by the same mechanism would together lower the gap by less than the sum of each alone.
    """

    statement: ClassVar[str] = "Dropout works by another mechanism than a penalty."
    source: ClassVar[str] = "@srivastava2014"
    figures: ClassVar[tuple[str, ...]] = ("weights", "heatmap")
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
            terms=[
                Term(1, dropout, evidence.logged(dropout, "weight_norm")),
                Term(-1, penalty, evidence.logged(penalty, "weight_norm")),
            ],
            unit="larger norm of the weights (log2)",
            smallest=self.smaller,
            quantity="runs, log2 of weight_norm",
            figure="weights",
        )
        signs = {dropout: 1, penalty: 1, both: -1, none: -1}
        yield Contrast(
            key="interaction",
            hypothesis=f"{self.dropout} and {self.penalty} together lower the accuracy gap by no less than each alone,"
            f" summed, in {self.regime}",
            terms=[Term(sign, cell, evidence.runs_of(cell, "gap_accuracy")) for cell, sign in signs.items()],
            unit="lower accuracy gap",
            smallest=self.redundant,
            quantity="runs, gap_accuracy",
            figure="heatmap",
            expectation="not_worse",
            points=True,
            reached=evidence.gaps(signs),
        )

    def notes(self, evidence: "Evidence") -> Iterator[str]:
        yield from super().notes(evidence)
        yield from evidence.of_wrong_labels([self.regime])
