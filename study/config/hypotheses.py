"""Hypotheses of a study: expected gains, each with the cells that decide it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field

from study.config.fields import combined_label
from study.config.regime import Regime
from study.methods.labels import NONE, method_of
from study.parameters import Must, Settings, Text, Texts, listed

Metric = Literal[
    "best_test_accuracy", "best_test_loss", "best_gap_accuracy", "best_gap_loss",
    "test_accuracy", "test_loss", "gap_accuracy", "gap_loss", "failed",
]  # fmt: skip
METRICS: tuple[str, ...] = get_args(Metric)


class Methods(Settings):
    """A cell of any workload, given by the names of its methods, or by their labels if names are ambiguous."""

    title: ClassVar[str] = "against"
    clip: Text = NONE
    regularization: Text = NONE

    def cell_of(self, cells: list[tuple[str, str]]) -> tuple[str, str] | None:
        """Return the only one of these cells, given by labels, that matches; None if none or several match."""
        found = [cell for cell in cells if all(map(_names, (self.clip, self.regularization), cell))]
        return found[0] if len(found) == 1 else None


def _names(given: str, label: str) -> bool:
    return given in (label, method_of(label))


class Hypothesis(Methods):
    """Hypothesis that one cell is better than another, in each of some workloads, by more than the metric's margin.

    says: the hypothesis in words. against: the cell it is compared with, by default the baseline. claim: the claim of
    the literature that it tests, in a few words.
    """

    title: ClassVar[str] = "hypothesis"
    says: Text
    workloads: Annotated[Texts, Field(min_length=1)]
    against: Methods = Methods()
    metric: Annotated[Metric, Must(f"one of {listed(METRICS)}", ("speed", 3))] = "best_test_accuracy"
    claim: Text = ""

    def faults(self, regimes: Mapping[str, Regime]) -> Iterator[tuple[str, str, object]]:
        """Yield what it names and the study lacks, as (parameter, what it must do, what was given)."""
        for name in self.workloads:
            if (regime := regimes.get(name)) is None:
                yield "workloads", f"name regimes of the study, which are {listed(list(regimes))}", f"'{name}'"
                continue
            cells = [(clip.label, combined_label(several)) for clip, several in regime.cells]
            for parameter, methods in (("clip", self), ("against", self.against)):
                if methods.cell_of(cells) is None:
                    must = f"name one cell of '{name}', by methods or labels that are there"
                    yield parameter, must, f"'{methods.clip}' with '{methods.regularization}'"
        if self.cell_of([(self.against.clip, self.against.regularization)]):
            yield "against", "be another cell than its own", f"'{self.clip}' with '{self.regularization}'"
