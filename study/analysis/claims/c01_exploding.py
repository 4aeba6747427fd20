from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from study.analysis.claims.base import Claim, Contrast
from study.parameters import Positive, Text, Texts

if TYPE_CHECKING:
    from study.analysis.claims.evidence import Evidence


class Exploding(Claim):
    """With the clip fewer runs diverge and the largest gradient is smaller."""

    statement: ClassVar[str] = "Clipping controls exploding gradients."
    source: ClassVar[str] = "@pascanu2013"
    takes_sweeps: ClassVar[bool] = True
    regime_fields: ClassVar[tuple[str, ...]] = ("regimes",)
    clip_fields: ClassVar[tuple[str, ...]] = ("clip",)
    name: Literal["exploding"] = "exploding"
    regimes: Texts = ("decades", "deep_exploding", "recurrent")
    clip: Text = "global_norm(0.1)"
    fewer: Positive = 0.1
    shrinks: Positive = 0.3

    def contrasts(self, evidence: "Evidence") -> Iterator[Contrast]:
        for name in self.regimes:
            members = evidence.members(name)
            where = f"runs: regime in ({', '.join(members)}), clip=none minus clip={self.clip}, regularization=none"
            without, clipped = evidence.cells(name), [cell._replace(clip=self.clip) for cell in evidence.cells(name)]
            yield Contrast(
                key=f"{name}: divergence",
                hypothesis=f"fewer runs diverge with {self.clip}, on average over {name}",
                differences=evidence.mean_of([evidence.exploded(cell) for cell in without])
                - evidence.mean_of([evidence.exploded(cell) for cell in clipped]),
                unit="share of runs",
                smallest=self.fewer,
                where=f"{where}, status != ok, but for runs at chance level whose training loss fell in every epoch",
                figure="sweeps",
            )
            yield Contrast(
                key=f"{name}: largest norm",
                hypothesis=f"the largest gradient norm of a run is smaller with {self.clip}, on average over {name}",
                differences=evidence.mean_of([evidence.largest_norm(cell) for cell in without])
                - evidence.mean_of([evidence.largest_norm(cell) for cell in clipped]),
                unit="log10 of the norm",
                smallest=self.shrinks,
                where=f"{where}, norm_max",
                figure="sweeps",
            )
