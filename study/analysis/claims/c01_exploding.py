from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from study.analysis.claims.base import Claim, Contrast
from study.parameters import Positive, Text, Texts

if TYPE_CHECKING:
    from study.analysis.claims.evidence import Evidence


class Exploding(Claim):
    """With the clip fewer runs diverge, as the study defines it, and the largest gradient is smaller."""

    statement: ClassVar[str] = "Clipping controls exploding gradients."
    source: ClassVar[str] = "@pascanu2013"
    takes_sweeps: ClassVar[bool] = True
    changed: ClassVar[str] = (
        "a run at chance level counts as diverged, as everywhere in the study; before, it did not count if its training"
        " loss had fallen in every epoch."
    )
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
                differences=evidence.mean_of([evidence.runs_of(cell, "diverged") for cell in without])
                - evidence.mean_of([evidence.runs_of(cell, "diverged") for cell in clipped]),
                unit="fewer of the runs diverged (share)",
                smallest=self.fewer,
                where=f"{where}, status != ok",
                figure="sweeps",
                sides=(without, clipped),
            )
            yield Contrast(
                key=f"{name}: largest norm",
                hypothesis=f"the largest gradient norm of a run is smaller with {self.clip}, on average over {name}",
                differences=evidence.mean_of([evidence.largest_norm(cell) for cell in without])
                - evidence.mean_of([evidence.largest_norm(cell) for cell in clipped]),
                unit="smaller norm (log10)",
                smallest=self.shrinks,
                where=f"{where}, norm_max",
                figure="sweeps",
                sides=(without, clipped),
            )
