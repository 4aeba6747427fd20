from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from study.methods.ranges import LogRange
from study.optim.rng import Beta, Distribution
from study.optim.tensors import Tensors
from study.parameters import NonNegative
from study.regularization.base import Place, Regularization
from study.utils.lazy import torch


class Mixup(Regularization):
    """Learn from mixtures of two samples and of their targets; one random share for the batch, 0 mixes nothing.

    The partners are the batch in reverse order, which is random because the batches are. In a batch of odd size the
    middle sample stays as it is. Evaluations use the samples without mixing.
    """

    search: ClassVar[LogRange | None] = LogRange("alpha", 0.03, 3)
    name: Literal["mixup"] = "mixup"
    place: ClassVar[Place] = "data"
    formula: ClassVar[str] = (
        r"(x_i, y_i) \leftarrow \mu\, (x_i, y_i) + (1 - \mu)\, (x_{B + 1 - i}, y_{B + 1 - i}), \quad"
        r" \mu \sim \mathrm{Beta}(\alpha, \alpha)"
    )
    source: ClassVar[str] = "@zhang2018"
    alpha: NonNegative

    def noise(self, sites: Mapping[str, tuple[int, ...]], parameters: Tensors) -> Mapping[str, Distribution]:
        return {"share": Beta((), self.alpha)} if self.alpha > 0 else {}

    def batch(self, x: torch.Tensor, targets: torch.Tensor, noise: Tensors) -> tuple[torch.Tensor, torch.Tensor]:
        if self.alpha == 0:
            return x, targets
        return mixed(x, noise["share"]), mixed(targets, noise["share"])


def mixed(t: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """Mix each row of t [B, ...] with its partner."""
    return share * t + (1 - share) * t.flip(0)
