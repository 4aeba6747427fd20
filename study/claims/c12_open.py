from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import pandas as pd
from pydantic import Field

from study.claims.base import Cell, Claim, Combine, Contrast
from study.parameters import Must, Positive, Texts

if TYPE_CHECKING:
    from study.analysis.evidence import Evidence


class NoneIsBest(Claim):
    """Claim that the tuned method that is first on average over settings is beaten somewhere by another, or by none."""

    statement: ClassVar[str] = "Better clipping and smarter regularization are open problems: none is best everywhere."
    combine: ClassVar[Combine] = "any"
    figures: ClassVar[tuple[str, ...]] = ("tuning_curves",)
    setting_fields: ClassVar[tuple[str, ...]] = ("settings",)
    clip_fields: ClassVar[tuple[str, ...]] = ("clips",)
    regularization_fields: ClassVar[tuple[str, ...]] = ("regularizations",)
    name: Literal["none_is_best"] = "none_is_best"
    settings: Texts = ("memorize", "clean", "optimizers_optimizer=adam", "optimizers_optimizer=rmsprop")
    regularizations: Annotated[Texts, Field(min_length=2), Must("a list of two texts or more", ([], ["l2"]))] = (
        "none",
        "l2",
        "dropout",
    )
    clips: Texts = ("global_norm",)
    smallest: Positive = 0.005

    def contrasts(self, evidence: "Evidence") -> Iterator[Contrast]:
        tuned = self._tuned(evidence, self.settings)
        first = self._first(evidence, tuned)
        for setting in self.settings:
            rival = max(
                (one for one in tuned[setting] if one != first), key=lambda one: _mean(evidence, tuned[setting][one])
            )
            yield evidence.between(
                tuned[setting][rival],
                tuned[setting][first],
                "test_accuracy",
                key=f"{setting}: {rival} against {first}",
                hypothesis=f"{rival} is better than {first}, the first on average, in {setting}",
                unit="higher test accuracy",
                smallest=self.smallest,
                figure="tuning_curves",
            )

    def _tuned(self, evidence: "Evidence", settings: Iterable[str]) -> dict[str, dict[str, Cell]]:
        """Return each method as tuned, in each setting."""
        kinds = dict.fromkeys(self.regularizations, "regularization") | dict.fromkeys(self.clips, "clip")
        return {one: {name: evidence.chosen(one, kind, name) for name, kind in kinds.items()} for one in settings}

    def _first(self, evidence: "Evidence", tuned: dict[str, dict[str, Cell]]) -> str:
        means = pd.DataFrame([{name: _mean(evidence, cell) for name, cell in own.items()} for own in tuned.values()])
        return str(means.rank(axis=1).mean().idxmax())

    def notes(self, evidence: "Evidence") -> Iterator[str]:
        yield from super().notes(evidence)
        methods = ", ".join(f"`{one}`" for one in (*self.regularizations, *self.clips))
        yield f"It looks at {methods}, at no other method."
        others = [name for name in evidence.study.tuned_settings if name not in self.settings]
        alike = [name for name in others if self._has_all(evidence, name)]
        if left := [f"`{name}`" for name in others if name not in alike]:
            yield f"It does not look at {', '.join(left)}, where not all of them are tuned."
        first = self._first(evidence, self._tuned(evidence, self.settings))
        if seen := [self._beside(evidence, name, first) for name in alike]:
            yield (
                "Nor does its rule look at these, where all of them are tuned; the best of the others against"
                f" `{first}`, in points of test accuracy: {'; '.join(seen)}."
            )

    def _has_all(self, evidence: "Evidence", setting: str) -> bool:
        try:
            return bool(self._tuned(evidence, [setting]))
        except KeyError:
            return False

    def _beside(self, evidence: "Evidence", setting: str, first: str) -> str:
        own = self._tuned(evidence, [setting])[setting]
        rival = max((one for one in own if one != first), key=lambda one: _mean(evidence, own[one]))
        return f"`{rival}` {evidence.gain(own[rival], own[first], 'test_accuracy')} in `{setting}`"


def _mean(evidence: "Evidence", cell: Cell) -> float:
    """Return mean test accuracy, 0 where no run has one."""
    mean = float(evidence.runs_of(cell, "test_accuracy").mean())
    return mean if mean == mean else 0.0
