from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import pandas as pd
from pydantic import Field

from study.analysis.claims.base import Claim, Combine, Contrast
from study.parameters import Must, Positive, Texts

if TYPE_CHECKING:
    from study.analysis.claims.evidence import Evidence


class NoneIsBest(Claim):
    """The tuned method that comes first on average over the settings is beaten somewhere by another, or by none."""

    statement: ClassVar[str] = "Better clipping and smarter regularization are open problems: none is best everywhere."
    combine: ClassVar[Combine] = "any"
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
        kinds = dict.fromkeys(self.regularizations, "regularization") | dict.fromkeys(self.clips, "clip")
        chosen = {
            (setting, method): evidence.chosen(setting, kind, method)
            for setting in self.settings
            for method, kind in kinds.items()
        }
        accuracy = {key: evidence.runs_of(cell, "test_accuracy") for key, cell in chosen.items()}
        means = pd.DataFrame(
            {one: [accuracy[setting, one].mean() for setting in self.settings] for one in kinds},
            index=list(self.settings),
        ).fillna(0.0)
        first = str(means.rank(axis=1).mean().idxmax())
        for setting in self.settings:
            rival = str(means.loc[setting].drop(first).idxmax())
            yield Contrast(
                key=f"{setting}: {rival} against {first}",
                hypothesis=f"{rival} is better than {first}, the first on average, in {setting}",
                differences=accuracy[setting, rival] - accuracy[setting, first],
                unit="higher test accuracy",
                smallest=self.smallest,
                where=f"runs: {chosen[setting, rival].text} minus {chosen[setting, first].text}, test_accuracy",
                figure="tuning_curves",
                sides=([chosen[setting, rival]], [chosen[setting, first]]),
            )

    def notes(self, evidence: "Evidence") -> Iterator[str]:
        yield from super().notes(evidence)
        methods = ", ".join(f"`{one}`" for one in (*self.regularizations, *self.clips))
        yield f"It looks at {methods}, at no other method."
