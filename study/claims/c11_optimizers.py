from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from study.claims.c07_regularization import TunedLowersGap
from study.parameters import Texts

if TYPE_CHECKING:
    from study.analysis.evidence import Evidence

ADAPTIVE = ("optimizers_optimizer=adam", "optimizers_optimizer=rmsprop")


class RegularizationWithOthers(TunedLowersGap):
    """Claim that with Adam and RMSprop too, tuned regularizers lower the accuracy gap and do not cost test accuracy."""

    statement: ClassVar[str] = "Regularization helps with Adam and RMSprop too."
    kind: ClassVar[Literal["clip", "regularization"]] = "regularization"
    regularization_fields: ClassVar[tuple[str, ...]] = ("regularizations",)
    name: Literal["regularization_with_others"] = "regularization_with_others"
    settings: Texts = ADAPTIVE
    regularizations: Texts = ("l2", "dropout")


class ClippingWithOthers(TunedLowersGap):
    """Claim that with Adam and RMSprop too, a tuned clip lowers the accuracy gap and does not cost test accuracy."""

    statement: ClassVar[str] = "Clipping helps with Adam and RMSprop too."
    kind: ClassVar[Literal["clip", "regularization"]] = "clip"
    clip_fields: ClassVar[tuple[str, ...]] = ("clips",)
    name: Literal["clipping_with_others"] = "clipping_with_others"
    settings: Texts = ADAPTIVE
    clips: Texts = ("global_norm",)

    def notes(self, evidence: "Evidence") -> Iterator[str]:
        yield from super().notes(evidence)
        yield from evidence.untuned(self.settings, "clip", self.clips)
