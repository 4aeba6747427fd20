from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, ClassVar, Literal

from study.claims.base import Cell, Claim, Combine, Contrast, Term
from study.parameters import Positive, Text, Texts

if TYPE_CHECKING:
    from study.analysis.evidence import Evidence


class OfPairs(Claim):
    """Claim about a clip together with each of some regularizers, at one strength each, in one regime."""

    figures: ClassVar[tuple[str, ...]] = ("heatmap",)
    regime_fields: ClassVar[tuple[str, ...]] = ("regime",)
    clip_fields: ClassVar[tuple[str, ...]] = ("clip",)
    regularization_fields: ClassVar[tuple[str, ...]] = ("regularizations",)
    regime: Text = "together"
    clip: Text = "global_norm(0.1)"
    regularizations: Texts = ("l2(0.01)", "dropout(0.5)")


class Combination(OfPairs):
    """Claim that some regularizer together with a clip does better on the test set than the better one alone."""

    statement: ClassVar[str] = "Clipping and regularization can be combined, to advantage."
    combine: ClassVar[Combine] = "any"
    name: Literal["combination"] = "combination"
    smallest: Positive = 0.005

    def contrasts(self, evidence: "Evidence") -> Iterator[Contrast]:
        for label in self.regularizations:
            alone = (Cell(self.regime, self.clip), Cell(self.regime, regularization=label))
            better = max(alone, key=lambda cell: evidence.runs_of(cell, "test_accuracy").mean())
            name = better.clip if better.clip != "none" else better.regularization
            yield evidence.between(
                Cell(self.regime, self.clip, label),
                better,
                "test_accuracy",
                key=f"{self.clip} with {label}, against {name}",
                hypothesis=f"test accuracy is higher with {self.clip} and {label} than with {name}, the better alone",
                unit="higher test accuracy",
                smallest=self.smallest,
                figure="heatmap",
            )


class Additivity(OfPairs):
    """Claim that the effects of a clip and a regularizer on test accuracy add up, within a margin."""

    statement: ClassVar[str] = "Clipping and regularization differ: their effects on test accuracy add up."
    name: Literal["additivity"] = "additivity"
    margin: Positive = 0.01

    def contrasts(self, evidence: "Evidence") -> Iterator[Contrast]:
        for label in self.regularizations:
            cells = [Cell(self.regime, *pair) for pair in product((self.clip, "none"), (label, "none"))]
            signs = zip((1, -1, -1, 1), cells, strict=True)
            yield Contrast(
                key=f"{self.clip} with {label}",
                hypothesis=f"the effects of {self.clip} and {label} on test accuracy add up in {self.regime}",
                terms=[Term(sign, cell, evidence.runs_of(cell, "test_accuracy")) for sign, cell in signs],
                unit="test accuracy beyond the sum",
                smallest=self.margin,
                quantity="runs, test_accuracy",
                figure="heatmap",
                expectation="same",
                points=True,
            )
