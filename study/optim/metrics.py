"""Metrics of a user's own: a number of a model's outputs and the labels, beside loss and accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from study.methods.base import Method
from study.utils.lazy import torch

PREFIXES = ("best_", "train_", "validation_", "test_")  # of a metric's columns


class Metric(Method):
    """A score of a model in evaluation mode on all examples of a part: training, validation or test.

    better: whether a `higher` or a `lower` value is; unit: shown behind the number, "%" for a share from 0 to 1.
    """

    family: ClassVar[str] = "metric"
    better: ClassVar[Literal["higher", "lower"]] = "higher"
    unit: ClassVar[str] = ""

    @classmethod
    def declared(cls) -> Mapping[str, tuple[object, tuple[str, ...]]]:
        return {"better": (cls.better, ("higher", "lower"))}

    def value(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor | float:
        """Return the score of logits [N, C] and labels [N], one number; NaN where it is not defined."""
        raise NotImplementedError


def higher_is_better(column: str) -> bool:
    """Return whether more is better of a column of `runs`, such as `validation_loss` or that of a user's metric."""
    for prefix in PREFIXES:
        column = column.removeprefix(prefix)
    known = Metric.members.get(column)
    return issubclass(known, Metric) and known.better == "higher" if known else column.endswith("accuracy")
