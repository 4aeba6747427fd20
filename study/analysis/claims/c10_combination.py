from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from study.analysis.claims.base import Claim, Contrast
from study.analysis.claims.evidence import Cell
from study.parameters import Positive, Text, Texts

if TYPE_CHECKING:
    from study.analysis.claims.evidence import Evidence


class Combination(Claim):
    """A clip and a regularizer together do better on the test set than either alone."""

    statement: ClassVar[str] = "Clipping and regularization differ and can be combined, to advantage."
    regime_fields: ClassVar[tuple[str, ...]] = ("regime",)
    clip_fields: ClassVar[tuple[str, ...]] = ("clip",)
    regularization_fields: ClassVar[tuple[str, ...]] = ("regularizations",)
    name: Literal["combination"] = "combination"
    regime: Text = "together"
    clip: Text = "global_norm(0.1)"
    regularizations: Texts = ("l2(0.01)", "dropout(0.5)")
    smallest: Positive = 0.005

    def contrasts(self, evidence: "Evidence") -> Iterator[Contrast]:
        for label in self.regularizations:
            both = Cell(self.regime, self.clip, label)
            for alone in (Cell(self.regime, self.clip), Cell(self.regime, regularization=label)):
                less = alone.clip if alone.clip != "none" else alone.regularization
                yield evidence.between(
                    both,
                    alone,
                    "test_accuracy",
                    key=f"{self.clip} with {label}, against {less}",
                    hypothesis=f"test accuracy is higher with {self.clip} and {label} than with {less} alone",
                    unit="test accuracy",
                    smallest=self.smallest,
                    figure="heatmap",
                )
