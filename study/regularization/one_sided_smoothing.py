from __future__ import annotations

from typing import ClassVar, Literal

from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Share
from study.regularization.base import Place
from study.regularization.input_gradient import DiscriminatorRegularization, real_and_generated
from study.utils.lazy import torch


class OneSidedSmoothing(DiscriminatorRegularization):
    """Teach the discriminator that a real sample is real with probability 1 - smoothing, a generated one with 0.

    `label_smoothing` smooths both sides, which tells the generator to keep to where it is.
    """

    search: ClassVar[LogRange | None] = LogRange("smoothing", 0.01, 0.6)
    name: Literal["one_sided_smoothing"] = "one_sided_smoothing"
    place: ClassVar[Place] = "data"
    formula: ClassVar[str] = r"y \leftarrow (1 - \varepsilon)\, y \text{ for real } x"
    source: ClassVar[str] = "@salimans2016, section 3.4"
    smoothing: Share

    def batch(self, x: torch.Tensor, targets: torch.Tensor, noise: Tensors) -> tuple[torch.Tensor, torch.Tensor]:
        real, generated = real_and_generated(targets)
        as_generated = torch.cat([torch.ones_like(real[:, :1]), torch.zeros_like(real[:, 1:])], 1)
        smooth = real * (1 - self.smoothing) + self.smoothing * as_generated
        return x, torch.cat([smooth, generated, targets[2 * len(real) :]])
