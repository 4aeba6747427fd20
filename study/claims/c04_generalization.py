from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from study.claims.base import Claim, Contrast
from study.parameters import Positive, Text, Texts

if TYPE_CHECKING:
    from study.analysis.evidence import Evidence


class ClippingGeneralizes(Claim):
    """Claim that tuned clipping lowers the gap and raises test accuracy: clean and wrong labels, the rate tuned too."""

    statement: ClassVar[str] = "Clipping reduces overfitting and helps generalization."
    source: ClassVar[str] = "against it: @pascanu2013"
    changed: ClassVar[str] = (
        "a contrast of two gaps that are both below zero no longer decides anything: there a lower one is no sign of"
        " less overfitting."
    )
    figures: ClassVar[tuple[str, ...]] = ("tuning_curves",)
    setting_fields: ClassVar[tuple[str, ...]] = ("settings",)
    clip_fields: ClassVar[tuple[str, ...]] = ("clip",)
    name: Literal["clipping_generalizes"] = "clipping_generalizes"
    settings: Texts = ("decades", "memorize", "rates")
    clip: Text = "global_norm"
    lower_gap: Positive = 0.01
    higher_accuracy: Positive = 0.005

    def contrasts(self, evidence: "Evidence") -> Iterator[Contrast]:
        for setting in self.settings:
            yield evidence.lower_gap(setting, "clip", self.clip, self.lower_gap)
            yield evidence.higher_accuracy(setting, "clip", self.clip, self.higher_accuracy)

    def notes(self, evidence: "Evidence") -> Iterator[str]:
        yield from super().notes(evidence)
        yield from evidence.of_wrong_labels(self.settings)
        yield from evidence.untuned(self.settings, "clip", (self.clip,))
