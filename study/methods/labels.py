"""Labels of methods and cells in the tables, and the columns that hold their parts."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from study.methods.base import Method

NONE = "none"
"""The label of the baseline of clips, and of that of regularizers."""


class Cell(NamedTuple):
    """A trained variant, named by its labels in the tables."""

    regime: str
    clip: str = "none"
    regularization: str = "none"

    @property
    def text(self) -> str:
        """Return the columns by which its rows are found in the tables: `regime=.. clip=.. regularization=..`."""
        return f"regime={self.regime} clip={self.clip} regularization={self.regularization}"

    @property
    def methods(self) -> list[str]:
        """Return the labels of the clip and of the regularizers, without `none`."""
        labels = [self.clip, *self.regularization.split(" + ")]
        return [label for label in labels if label != "none"]


def method_of(label: str) -> str:
    """Return the method or combination without parameters: "l2(0.1) + dropout(0.5)" -> "l2 + dropout"."""
    return re.sub(r"\([^()]*\)", "", label)


def strength_of(method: Method) -> float:
    """Return the parameter `strength` of a method, else its first number; NaN where it has none."""
    values = {key: getattr(method, key) for key in type(method).model_fields}
    numbers = {key: value for key, value in values.items() if type(value) in (int, float)}  # a flag is an int too
    return float(numbers.get("strength", next(iter(numbers.values()), math.nan)))


def columns_of(kind: str, methods: Sequence[Method]) -> dict[str, str | float]:
    """Return the columns `<kind>_method` and `<kind>_strength` of a cell's clip or regularizers.

    The methods of a combination are joined by " + "; its strength is that of the first.
    """
    names = " + ".join(method.name for method in methods)
    return {f"{kind}_method": names, f"{kind}_strength": strength_of(methods[0])}
