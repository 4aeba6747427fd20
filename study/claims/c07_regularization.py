from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from study.claims.base import Claim, Contrast
from study.parameters import Positive, Texts

if TYPE_CHECKING:
    from study.analysis.evidence import Evidence


class TunedLowersGap(Claim):
    """Claim that each method, at its tuned strength, lowers the accuracy gap and does not cost test accuracy.

    `kind` says of which kind the methods are, and so which field of a subclass lists them: `clips` or
    `regularizations`.
    """

    figures: ClassVar[tuple[str, ...]] = ("tuning_curves",)
    setting_fields: ClassVar[tuple[str, ...]] = ("settings",)
    kind: ClassVar[Literal["clip", "regularization"]]
    settings: Texts
    lower_gap: Positive = 0.01
    margin: Positive = 0.005

    def contrasts(self, evidence: "Evidence") -> Iterator[Contrast]:
        for setting in self.settings:
            for method in getattr(self, f"{self.kind}s"):
                yield evidence.lower_gap(setting, self.kind, method, self.lower_gap)
                yield evidence.accuracy_kept(setting, self.kind, method, self.margin)

    def notes(self, evidence: "Evidence") -> Iterator[str]:
        yield from super().notes(evidence)
        yield from evidence.of_wrong_labels(self.settings)


class RegularizationLowersGap(TunedLowersGap):
    """Claim that each penalty, at its tuned strength, lowers the accuracy gap and does not cost test accuracy."""

    statement: ClassVar[str] = "Regularization lowers the gap and keeps test performance."
    kind: ClassVar[Literal["clip", "regularization"]] = "regularization"
    regularization_fields: ClassVar[tuple[str, ...]] = ("regularizations",)
    name: Literal["regularization_lowers_gap"] = "regularization_lowers_gap"
    settings: Texts = ("memorize", "clean")
    regularizations: Texts = ("l1", "l2", "elastic_net")
