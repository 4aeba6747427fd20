from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

from study.claims.base import Cell, Claim, Combine, Contrast, Term
from study.parameters import Positive, Text, Texts

if TYPE_CHECKING:
    from study.analysis.evidence import Evidence


FADING = ("fading_net=sigmoid3", "fading_net=sigmoid5", "fading_net=sigmoid20", "fading_net=tanh10")


class Vanishing(Claim):
    """Claim that the clip lets training get further in deep nets whose gradient fades towards the input."""

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
                yield self._further(evidence, Cell(regime, clip), Cell(regime))

    def _further(self, evidence: "Evidence", own: Cell, none: Cell) -> Contrast:
        given = evidence.between(
            own,
            none,
            "train_accuracy",
            key=f"{own.regime}: {own.clip}",
            hypothesis=f"training accuracy at the end is higher with {own.clip} in {own.regime}",
            unit="higher training accuracy",
            smallest=self.progress,
        )
        return replace(given, reached=evidence.reached(own, none, "train_accuracy"))


class VanishingSign(Vanishing):
    """Claim of `Vanishing` for steps of a given size in every coordinate, which enlarge small coordinates."""

    statement: ClassVar[str] = "The sign of the gradient in its place gets some net further whose gradient vanishes."
    changed: ClassVar[str] = (
        "this was one claim with `normalized`, that steps of a given length cure vanishing gradients; a net that got"
        " further need not have been cured, so the claim says no more than that."
    )
    name: Literal["vanishing_sign"] = "vanishing_sign"  # type: ignore[assignment]
    clips: Texts = ("sign(0.003)",)


class VanishingNormalized(Vanishing):
    """Claim of `Vanishing` for steps of a given length, to which a gradient that is small everywhere is enlarged."""

    statement: ClassVar[str] = "Steps of a given length get some net further whose gradient vanishes."
    changed: ClassVar[str] = "this was one claim with `sign`, and held if either did."
    name: Literal["vanishing_normalized"] = "vanishing_normalized"  # type: ignore[assignment]
    clips: Texts = ("normalized(0.5)",)


class LayerRatio(Claim):
    """Claim that the first weight's gradient norm over the last's is larger after the clip than without one."""

    statement: ClassVar[str] = "Clipping evens the gradient out between the first and the last layer of a deep net."
    regime_fields: ClassVar[tuple[str, ...]] = ("regimes",)
    clip_fields: ClassVar[tuple[str, ...]] = ("clip",)
    name: Literal["layer_ratio"] = "layer_ratio"
    regimes: Texts = FADING
    clip: Text = "global_norm(0.1)"
    smallest: Positive = 0.3

    def contrasts(self, evidence: "Evidence") -> Iterator[Contrast]:
        for regime in self.regimes:
            clipped, none = Cell(regime, self.clip), Cell(regime)
            yield Contrast(
                key=f"{regime}: {self.clip}",
                hypothesis=f"first over last weight's gradient norm is larger with {self.clip} in {regime}",
                terms=[
                    Term(1, clipped, evidence.first_to_last(clipped)),
                    Term(-1, none, evidence.first_to_last(none)),
                ],
                unit="larger ratio (log10)",
                smallest=self.smallest,
                quantity="tensors, log10 of the first weight's norm_after over the last's, median over the run",
            )
