from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from study.claims.base import Claim, Contrast
from study.parameters import Positive, Texts

if TYPE_CHECKING:
    from study.analysis.evidence import Evidence

ADAPTIVE = ("optimizers_optimizer=adam", "optimizers_optimizer=rmsprop")


class RegularizationWithOthers(Claim):
    """With Adam and RMSprop too, tuned regularizers lower the accuracy gap and do not cost test accuracy."""

    statement: ClassVar[str] = "Regularization helps with Adam and RMSprop too."
    figures: ClassVar[tuple[str, ...]] = ("tuning_curves",)
    setting_fields: ClassVar[tuple[str, ...]] = ("settings",)
    regularization_fields: ClassVar[tuple[str, ...]] = ("regularizations",)
    name: Literal["regularization_with_others"] = "regularization_with_others"
    settings: Texts = ADAPTIVE
    regularizations: Texts = ("l2", "dropout")
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


class ClippingWithOthers(Claim):
    """With Adam and RMSprop too, a tuned clip lowers the accuracy gap and does not cost test accuracy."""

    statement: ClassVar[str] = "Clipping helps with Adam and RMSprop too."
    figures: ClassVar[tuple[str, ...]] = ("tuning_curves",)
    setting_fields: ClassVar[tuple[str, ...]] = ("settings",)
    clip_fields: ClassVar[tuple[str, ...]] = ("clips",)
    name: Literal["clipping_with_others"] = "clipping_with_others"
    settings: Texts = ADAPTIVE
    clips: Texts = ("global_norm",)
    lower_gap: Positive = 0.01
    margin: Positive = 0.005

    def contrasts(self, evidence: "Evidence") -> Iterator[Contrast]:
        for setting in self.settings:
            for method in self.clips:
                yield evidence.lower_gap(setting, "clip", method, self.lower_gap)
                yield evidence.accuracy_kept(setting, "clip", method, self.margin)

    def notes(self, evidence: "Evidence") -> Iterator[str]:
        yield from super().notes(evidence)
        yield from evidence.of_wrong_labels(self.settings)
        yield from evidence.untuned(self.settings, "clip", self.clips)
