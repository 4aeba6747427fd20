from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from study.analysis.claims.base import Claim, Combine, Contrast
from study.analysis.claims.evidence import Cell
from study.parameters import Positive, Text, Texts

if TYPE_CHECKING:
    from study.analysis.claims.evidence import Evidence


FADING = ("fading_net=sigmoid3", "fading_net=sigmoid5", "fading_net=sigmoid20", "fading_net=tanh10")


class Vanishing(Claim):
    """In deep nets whose gradient fades towards the input, the clip lets training get further."""

    statement: ClassVar[str] = "Clipping cures vanishing gradients."
    combine: ClassVar[Combine] = "any"
    regime_fields: ClassVar[tuple[str, ...]] = ("regimes",)
    clip_fields: ClassVar[tuple[str, ...]] = ("clips",)
    name: Literal["vanishing"] = "vanishing"
    regimes: Texts = FADING
    clips: Texts = ("value(0.01)", "global_norm(0.1)")
    progress: Positive = 0.05

    def contrasts(self, evidence: "Evidence") -> Iterator[Contrast]:
        for regime in self.regimes:
            for clip in self.clips:
                yield Contrast(
                    key=f"{regime}: {clip}",
                    hypothesis=f"training accuracy at the end is higher with {clip} in {regime}",
                    differences=evidence.runs_of(Cell(regime, clip), "train_accuracy")
                    - evidence.runs_of(Cell(regime), "train_accuracy"),
                    unit="training accuracy",
                    smallest=self.progress,
                    where=f"runs: {Cell(regime, clip).text} minus clip=none, train_accuracy",
                    figure="sweeps",
                )


class VanishingSteps(Vanishing):
    """The same for steps of a given length: a sign or a normalized gradient can enlarge what is small."""

    statement: ClassVar[str] = (
        "Steps of a given length (sign, normalized) cure vanishing gradients, as no bound from above can."
    )
    name: Literal["vanishing_steps"] = "vanishing_steps"  # type: ignore[assignment]
    clips: Texts = ("normalized(0.5)", "sign(0.003)")


class LayerRatio(Claim):
    """The norm of the first weight's gradient over the last's is larger after the clip than without one."""

    statement: ClassVar[str] = "Clipping evens the gradient out between the first and the last layer of a deep net."
    regime_fields: ClassVar[tuple[str, ...]] = ("regimes",)
    clip_fields: ClassVar[tuple[str, ...]] = ("clip",)
    name: Literal["layer_ratio"] = "layer_ratio"
    regimes: Texts = FADING
    clip: Text = "global_norm(0.1)"
    smallest: Positive = 0.3

    def contrasts(self, evidence: "Evidence") -> Iterator[Contrast]:
        for regime in self.regimes:
            clipped = Cell(regime, self.clip)
            yield Contrast(
                key=f"{regime}: {self.clip}",
                hypothesis=f"first over last weight's gradient norm is larger with {self.clip} in {regime}",
                differences=evidence.first_to_last(clipped) - evidence.first_to_last(Cell(regime)),
                unit="log10 of the ratio",
                smallest=self.smallest,
                where=f"tensors: {clipped.text} minus clip=none, norm_after of the first and the last weight",
                figure="layer_norms",
            )
