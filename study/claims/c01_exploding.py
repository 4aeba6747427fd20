from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from study.claims.base import NEAR, Cell, Claim, Contrast, Term
from study.parameters import Positive, Text, Texts

if TYPE_CHECKING:
    import pandas as pd

    from study.analysis.evidence import Evidence


class Exploding(Claim):
    """Claim that with the clip fewer runs diverge, as the study defines it, and the largest gradient is smaller."""

    statement: ClassVar[str] = "Clipping controls exploding gradients."
    source: ClassVar[str] = "@pascanu2013"
    takes_sweeps: ClassVar[bool] = True
    figures: ClassVar[tuple[str, ...]] = ("sweeps",)
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
            without = [(evidence.runs_of(cell, "diverged"), cell) for cell in evidence.cells(name)]
            clipped = [(evidence.runs_of(cell, "diverged"), cell) for cell in self._clipped(evidence, name)]
            yield Contrast(
                key=f"{name}: divergence",
                hypothesis=f"fewer runs diverge with {self.clip}, on average over {name}",
                terms=_means(without, clipped),
                unit="fewer of the runs diverged or at chance",
                smallest=self.fewer,
                quantity="runs, status != ok",
                figure="sweeps",
                points=True,
                reached=_counts([values for values, _ in without], [values for values, _ in clipped]),
            )
            yield Contrast(
                key=f"{name}: largest norm",
                hypothesis=f"the largest gradient norm of a run is smaller with {self.clip}, on average over {name}",
                terms=_means(
                    [(evidence.largest_norm(cell), cell) for cell in evidence.cells(name)],
                    [(evidence.largest_norm(cell), cell) for cell in self._clipped(evidence, name)],
                ),
                unit="smaller norm (log10)",
                smallest=self.shrinks,
                quantity="runs, log10 of norm_max",
            )

    def _clipped(self, evidence: "Evidence", name: str) -> list[Cell]:
        return [cell._replace(clip=self.clip) for cell in evidence.cells(name)]

    def notes(self, evidence: "Evidence") -> Iterator[str]:
        yield from super().notes(evidence)
        near = []
        for name in self.regimes:
            cells = [*evidence.cells(name), *self._clipped(evidence, name)]
            line, there, runs = evidence.at_the_line(cells)
            near += [f"{there} of {runs} runs in `{name}`"] if there else []
        if near:
            yield (
                f"Within {100 * NEAR:g} points of a training accuracy of {100 * line:g} %, twice that of guessing, at"
                f" which a run counts as failed, end {', '.join(near)}: in these counts a small difference in accuracy"
                " can be a whole one."
            )


Values = Sequence[tuple["pd.Series[float]", Cell]]


def _means(without: Values, clipped: Values) -> list[Term]:
    """Return the mean of the values without the clip less that of those with it."""
    own = [Term(1 / len(without), cell, values) for values, cell in without]
    return own + [Term(-1 / len(clipped), cell, values) for values, cell in clipped]


def _counts(without: "Sequence[pd.Series[float]]", clipped: "Sequence[pd.Series[float]]") -> str:
    """Return `9 of 20 fail, 0 with the clip: 9 saved, 0 lost`, seed by seed."""
    saved = sum(int((own > other).sum()) for own, other in zip(without, clipped, strict=True))
    lost = sum(int((own < other).sum()) for own, other in zip(without, clipped, strict=True))
    failed, still = (sum(int(own.sum()) for own in each) for each in (without, clipped))
    return f"{failed} of {sum(map(len, without))} fail, {still} with the clip: {saved} saved, {lost} lost"
