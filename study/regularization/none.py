from typing import Literal

from study.regularization.base import Regularization


class NoRegularization(Regularization):
    """Nothing: the baseline of every comparison."""

    name: Literal["none"] = "none"
