from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from study.claims.base import Claim, Combine, Contrast, Term
from study.parameters import Positive, Texts

if TYPE_CHECKING:
    from study.analysis.evidence import Evidence


class Efficiency(Claim):
    """Claim that the clipped net reaches a validation accuracy sooner, each at its best learning rate and threshold."""

    statement: ClassVar[str] = "Clipping makes training more efficient."
    combine: ClassVar[Combine] = "any"
    setting_fields: ClassVar[tuple[str, ...]] = ("settings",)
    clip_fields: ClassVar[tuple[str, ...]] = ("clips",)
    name: Literal["efficiency"] = "efficiency"
    settings: Texts = ("decades",)
    clips: Texts = ("value", "global_norm")
    target: Positive = 0.85
    smallest: Positive = 0.15

    def contrasts(self, evidence: "Evidence") -> Iterator[Contrast]:
        for setting in self.settings:
            none = evidence.chosen(setting, "clip", "none")
            for clip in self.clips:
                own = evidence.chosen(setting, "clip", clip)
                yield Contrast(
                    key=f"{setting}: {clip}",
                    hypothesis=f"{clip}, its learning rate tuned too, sooner reaches {self.target:.0%} in validation",
                    terms=[
                        Term(1, none, evidence.epochs_to(none, "validation_accuracy", self.target)),
                        Term(-1, own, evidence.epochs_to(own, "validation_accuracy", self.target)),
                    ],
                    unit="fewer epochs (log2)",
                    smallest=self.smallest,
                    quantity=f"epochs, log2 of those to a validation_accuracy of {self.target:g}",
                )

    def notes(self, evidence: "Evidence") -> Iterator[str]:
        yield from super().notes(evidence)
        yield from evidence.untuned(self.settings, "clip", self.clips)
