from typing import ClassVar, Literal

from study.workloads.base import Workload


class Supervised(Workload):
    """One model learns all training digits, in a new order each epoch."""

    formula: ClassVar[str] = r"\min_w \frac1n \sum_{i=1}^n \ell(w; x_i, y_i)"
    source: ClassVar[str] = "@robbins1951"
    name: Literal["supervised"] = "supervised"
