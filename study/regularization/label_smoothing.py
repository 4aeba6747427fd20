from __future__ import annotations

from typing import ClassVar, Literal

from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Share
from study.regularization.base import Place, Regularization
from study.utils.lazy import torch


class LabelSmoothing(Regularization):
    """Learn from targets that spread a share of their weight evenly over all K classes, the right one included.

    Evaluations use the targets without smoothing.
    """

    search: ClassVar[LogRange | None] = LogRange("smoothing", 0.01, 0.6)
    name: Literal["label_smoothing"] = "label_smoothing"
    place: ClassVar[Place] = "data"
    formula: ClassVar[str] = r"y \leftarrow (1 - \varepsilon)\, y + \frac{\varepsilon}{K}"
    source: ClassVar[str] = "@szegedy2016, section 7"
    smoothing: Share

    def batch(self, x: torch.Tensor, targets: torch.Tensor, noise: Tensors) -> tuple[torch.Tensor, torch.Tensor]:
        return x, targets * (1 - self.smoothing) + self.smoothing / targets.shape[-1]
