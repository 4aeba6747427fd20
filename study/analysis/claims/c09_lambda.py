from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from study.analysis.claims.base import Claim, Contrast
from study.parameters import Positive, Texts

if TYPE_CHECKING:
    from study.analysis.claims.evidence import Evidence


class LambdaByValidation(Claim):
    """The strength picked by validation is as good on the test set as the best, the tutorial's range as good as all."""

    statement: ClassVar[str] = "Lambda should be picked by cross-validation or grid search from 1e-4 to 1e-2."
    setting_fields: ClassVar[tuple[str, ...]] = ("settings",)
    regularization_fields: ClassVar[tuple[str, ...]] = ("regularizations",)
    name: Literal["lambda_by_validation"] = "lambda_by_validation"
    settings: Texts = ("memorize", "clean")
    regularizations: Texts = ("l1", "l2")
    low: Positive = 1e-4
    high: Positive = 1e-2
    margin: Positive = 0.005

    def contrasts(self, evidence: "Evidence") -> Iterator[Contrast]:
        for setting in self.settings:
            for method in self.regularizations:
                chosen = evidence.chosen(setting, "regularization", method)
                best = evidence.best(setting, "regularization", method)
                inside = evidence.chosen_within(setting, "regularization", method, self.low, self.high)
                for key, what, own, other in (
                    ("regret", "the chosen strength loses nothing against the best on the test set", chosen, best),
                    ("range", f"choosing within {self.low:g} to {self.high:g} loses nothing against choosing from all",
                     inside, chosen),
                ):  # fmt: skip
                    yield evidence.between(
                        own,
                        other,
                        "test_accuracy",
                        key=f"{setting}: {method}, {key}",
                        hypothesis=f"{method} in {setting}: {what}",
                        unit="test accuracy",
                        smallest=self.margin,
                        figure="tuning_curves",
                        expectation="not_worse",
                    )
