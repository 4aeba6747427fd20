"""Metrics of a user's own in a configuration: which are measured, their columns, and tuning by one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from study.config.tuning import METRICS, Tuning
from study.optim.metrics import Metric
from study.parameters import Must, first_duplicate, listed

TAKEN = ("loss", "accuracy", "right_loss", "right_accuracy")  # names of columns that are there already
CHOOSING = ("validation_", "best_validation_")


def _chooses(name: str) -> str:
    """Metrics of one's own choose by the validation examples alone."""
    if name not in METRICS and not name.startswith(CHOOSING):
        raise ValueError
    return name


class TuningByAnyMetric(Tuning):
    """Tuning whose metric may be one of the user's own on validation examples."""

    metric: Annotated[
        str,
        AfterValidator(_chooses),
        WithJsonSchema({"anyOf": [{"enum": list(METRICS)}, {"type": "string", "pattern": "^(best_)?validation_"}]}),
        Must(f"one of {listed(METRICS)}", ("test_loss", 3)),
    ] = "validation_loss"  # type: ignore[assignment]

    def unmeasured(self, metrics: Sequence[Metric]) -> str | None:
        """Return what is wrong with the metric, if a regime measures these."""
        own = [f"{prefix}{one.name}" for one in metrics for prefix in CHOOSING]
        return None if self.metric in (*METRICS, *own) else f"have a 'metric' out of {listed((*METRICS, *own))}"


def wrong_names(metrics: Sequence[Metric]) -> Iterator[tuple[str, str, object]]:
    """Yield what is wrong with the names of metrics, which name columns."""
    if twin := first_duplicate([one.name for one in metrics]):
        yield "metrics", "name each metric once", f"'{twin}' twice"
    for one in metrics:
        if one.name in TAKEN or not one.name.isidentifier():
            yield "metrics", "have names of lower-case letters that no column of the suite has", f"'{one.name}'"
