from collections.abc import Mapping
from typing import ClassVar, Literal

from study.regularization.base import Regularization


class NoRegularization(Regularization):
    """Change nothing: the baseline of every comparison."""

    name: Literal["none"] = "none"
    formula: ClassVar[str] = r"\mathcal{L}"
    source: ClassVar[str] = "the baseline"
    waives: ClassVar[Mapping[str, str]] = {"some_is_not_none": "it is none"}
