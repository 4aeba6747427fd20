from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from study.analysis.claims.base import Claim, Contrast
from study.parameters import Positive, Texts
from study.tuning import method_of, strength_of

if TYPE_CHECKING:
    from study.analysis.claims.evidence import Evidence
    from study.config import Study


class LambdaByValidation(Claim):
    """The strength picked by validation is as good on the test set as the best, the tutorial's range as good as all.

    Validation goes by the loss, so the loss on the test set is what it can be held to; a reader wants the accuracy too.
    """

    statement: ClassVar[str] = "Lambda should be picked by cross-validation or grid search from 1e-4 to 1e-2."
    setting_fields: ClassVar[tuple[str, ...]] = ("settings",)
    regularization_fields: ClassVar[tuple[str, ...]] = ("regularizations",)
    name: Literal["lambda_by_validation"] = "lambda_by_validation"
    settings: Texts = ("memorize", "clean")
    regularizations: Texts = ("l1", "l2")
    low: Positive = 1e-4
    high: Positive = 1e-2
    margin: Positive = 0.005
    margin_of_loss: Positive = 0.02

    def faults(self, study: "Study") -> Iterator[tuple[str, str, object]]:
        yield from super().faults(study)
        for setting in self.settings:
            for regime in list(study.tuned_settings.get(setting, {}).values())[:1]:
                for method in self.regularizations:
                    tried = [strength_of(one) for one in regime.regularization_labels if method_of(one) == method]
                    if tried and not any(self.low <= strength <= self.high for strength in tried):
                        must = f"have a strength from {self.low:g} to {self.high:g} tried in '{setting}'"
                        yield "regularizations", must, f"'{method}' at {', '.join(f'{one:g}' for one in tried)}"

    def contrasts(self, evidence: "Evidence") -> Iterator[Contrast]:
        for setting in self.settings:
            for method in self.regularizations:
                chosen = evidence.chosen(setting, "regularization", method)
                by_accuracy, by_loss = (
                    evidence.best(setting, "regularization", method, by) for by in ("test_accuracy", "test_loss")
                )
                inside = evidence.chosen_within(setting, "regularization", method, self.low, self.high)
                span = f"{self.low:g} to {self.high:g}"
                where = f"{method} in {setting}"
                yield evidence.between(
                    by_loss,
                    chosen,
                    "test_loss",
                    key=f"{setting}: {method}, regret in loss",
                    hypothesis=f"{where}: the chosen strength loses nothing against the best in test loss",
                    unit="nats",
                    smallest=self.margin_of_loss,
                    figure="tuning_curves",
                    expectation="not_worse",
                )
                yield evidence.between(
                    chosen,
                    by_accuracy,
                    "test_accuracy",
                    key=f"{setting}: {method}, regret in accuracy",
                    hypothesis=f"{where}: the chosen strength loses nothing against the best in test accuracy",
                    unit="test accuracy",
                    smallest=self.margin,
                    figure="tuning_curves",
                    expectation="not_worse",
                )
                yield evidence.between(
                    inside,
                    chosen,
                    "test_accuracy",
                    key=f"{setting}: {method}, range",
                    hypothesis=f"{where}: choosing within {span} loses nothing against choosing from all",
                    unit="test accuracy",
                    smallest=self.margin,
                    figure="tuning_curves",
                    expectation="not_worse",
                )
