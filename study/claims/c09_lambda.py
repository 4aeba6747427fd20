from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from study.claims.base import Claim, Contrast
from study.methods.labels import columns_of
from study.parameters import Positive, Texts

if TYPE_CHECKING:
    from study.analysis.evidence import Evidence
    from study.config.study import Study

HIGHER = "higher test accuracy"


class LambdaByValidation(Claim):
    """Claim that the validated strength is as good on test data as the best, and the tutorial's range as good as all.

    Validation uses the loss, so the choice is judged by the test loss; accuracy is reported too.
    """

    statement: ClassVar[str] = "Lambda should be picked by cross-validation or grid search from 1e-4 to 1e-2."
    changed: ClassVar[str] = (
        "a choice that is the very strength that it is held against loses nothing and counts for the claim, which is"
        " one of no loss; before, such contrasts decided nothing."
    )
    figures: ClassVar[tuple[str, ...]] = ("tuning_curves",)
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
                    given = [columns_of("regularization", several) for several in regime.regularizations]
                    own = [one for one in given if one["regularization_method"] == method]
                    tried = [float(one["regularization_strength"]) for one in own]
                    if tried and not any(self.low <= strength <= self.high for strength in tried):
                        must = f"have a strength from {self.low:g} to {self.high:g} tried in '{setting}'"
                        yield "regularizations", must, f"'{method}' at {', '.join(f'{one:g}' for one in tried)}"

    def contrasts(self, evidence: "Evidence") -> Iterator[Contrast]:
        for setting in self.settings:
            for method in self.regularizations:
                yield from self._of(evidence, setting, method)

    def _of(self, evidence: "Evidence", setting: str, method: str) -> Iterator[Contrast]:
        """Yield the choice's loss against the best, in loss and accuracy, and the range against all strengths."""
        chosen = evidence.chosen(setting, "regularization", method)
        by_accuracy, by_loss = (
            evidence.best(setting, "regularization", method, by) for by in ("test_accuracy", "test_loss")
        )
        inside = evidence.chosen_within(setting, "regularization", method, self.low, self.high)
        range_ = f"choosing within {self.low:g} to {self.high:g} loses nothing against choosing from all"
        best = "the chosen strength loses nothing against the best in test"
        for what, said, more, less, column, unit, margin in (
            ("regret in loss", f"{best} loss", by_loss, chosen, "test_loss", "lower test loss (nats)",
             self.margin_of_loss),
            ("regret in accuracy", f"{best} accuracy", chosen, by_accuracy, "test_accuracy", HIGHER, self.margin),
            ("range", range_, inside, chosen, "test_accuracy", HIGHER, self.margin),
        ):  # fmt: skip
            yield evidence.between(
                more,
                less,
                column,
                key=f"{setting}: {method}, {what}",
                hypothesis=f"{method} in {setting}: {said}",
                unit=unit,
                smallest=margin,
                figure="tuning_curves",
                expectation="not_worse",
            )
