from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from study.claims.base import Claim, Contrast
from study.parameters import Positive, Texts

if TYPE_CHECKING:
    from study.analysis.evidence import Evidence


class RegularizationLowersGap(Claim):
    """At the strength that tuning chose, each penalty lowers the accuracy gap and does not cost test accuracy."""

    statement: ClassVar[str] = "Regularization lowers the gap and keeps test performance."
    figures: ClassVar[tuple[str, ...]] = ("tuning_curves",)
    setting_fields: ClassVar[tuple[str, ...]] = ("settings",)
    regularization_fields: ClassVar[tuple[str, ...]] = ("regularizations",)
    name: Literal["regularization_lowers_gap"] = "regularization_lowers_gap"
    settings: Texts = ("memorize", "clean")
    regularizations: Texts = ("l1", "l2", "elastic_net")
    lower_gap: Positive = 0.01
    margin: Positive = 0.005

    def contrasts(self, evidence: "Evidence") -> Iterator[Contrast]:
        for setting in self.settings:
            for method in self.regularizations:
                yield evidence.lower_gap(setting, "regularization", method, self.lower_gap)
                yield evidence.accuracy_kept(setting, "regularization", method, self.margin)

    def notes(self, evidence: "Evidence") -> Iterator[str]:
        yield from super().notes(evidence)
        yield from evidence.of_wrong_labels(self.settings)
