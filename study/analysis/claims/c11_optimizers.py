from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from study.analysis.claims.base import Claim, Contrast
from study.parameters import Positive, Text, Texts

if TYPE_CHECKING:
    from study.analysis.claims.evidence import Evidence


class OtherOptimizers(Claim):
    """With Adam and RMSprop too, a tuned clip and tuned regularizers lower the gap without cost in test accuracy."""

    statement: ClassVar[str] = "Clipping and regularization help with Adam and RMSprop too."
    setting_fields: ClassVar[tuple[str, ...]] = ("settings",)
    clip_fields: ClassVar[tuple[str, ...]] = ("clip",)
    regularization_fields: ClassVar[tuple[str, ...]] = ("regularizations",)
    name: Literal["other_optimizers"] = "other_optimizers"
    settings: Texts = ("optimizers_optimizer=adam", "optimizers_optimizer=rmsprop")
    clip: Text = "global_norm"
    regularizations: Texts = ("l2", "dropout")
    lower_gap: Positive = 0.01
    margin: Positive = 0.005

    def contrasts(self, evidence: "Evidence") -> Iterator[Contrast]:
        pairs = [("clip", self.clip), *(("regularization", method) for method in self.regularizations)]
        for setting in self.settings:
            for kind, method in pairs:
                yield evidence.lower_gap(setting, kind, method, self.lower_gap)
                yield evidence.accuracy_kept(setting, kind, method, self.margin)
