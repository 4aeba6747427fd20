from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import pandas as pd
from pydantic import Field

from study.analysis.claims.base import Claim, Combine, Contrast
from study.parameters import Must, Positive, Texts

if TYPE_CHECKING:
    from study.analysis.claims.evidence import Evidence


class NoneIsBest(Claim):
    """The tuned method that comes first on average over the settings is beaten somewhere by another one."""

    statement: ClassVar[str] = "Better clipping and smarter regularization are open problems: none is best everywhere."
    combine: ClassVar[Combine] = "any"
    setting_fields: ClassVar[tuple[str, ...]] = ("settings",)
    regularization_fields: ClassVar[tuple[str, ...]] = ("regularizations",)
    name: Literal["none_is_best"] = "none_is_best"
    settings: Texts = ("memorize", "clean", "optimizers_optimizer=adam", "optimizers_optimizer=rmsprop")
    regularizations: Annotated[Texts, Field(min_length=2), Must("a list of two texts or more", ([], ["l2"]))] = (
        "none",
        "l2",
        "dropout",
    )
    smallest: Positive = 0.005

    def contrasts(self, evidence: "Evidence") -> Iterator[Contrast]:
        accuracy = {
            (setting, method): evidence.runs_of(evidence.chosen(setting, "regularization", method), "test_accuracy")
            for setting in self.settings
            for method in self.regularizations
        }
        means = pd.DataFrame(
            {one: [accuracy[setting, one].mean() for setting in self.settings] for one in self.regularizations},
            index=list(self.settings),
        ).fillna(0.0)
        first = str(means.rank(axis=1).mean().idxmax())
        for setting in self.settings:
            rival = str(means.loc[setting].drop(first).idxmax())
            yield Contrast(
                key=f"{setting}: {rival} against {first}",
                hypothesis=f"{rival} is better than {first}, the first on average, in {setting}",
                differences=accuracy[setting, rival] - accuracy[setting, first],
                unit="test accuracy",
                smallest=self.smallest,
                where=f"runs: {evidence.chosen(setting, 'regularization', rival).text} minus"
                f" {evidence.chosen(setting, 'regularization', first).text}, test_accuracy",
                figure="tuning_curves",
            )
