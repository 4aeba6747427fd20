from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from study.methods.ranges import LogRange
from study.optim.rng import Distribution, Normal
from study.optim.tensors import Tensors
from study.parameters import NonNegative
from study.regularization.base import Place, Regularization
from study.utils.lazy import torch


class InputNoise(Regularization):
    """Add normal noise to each pixel of the input, while training.

    `std` is in units of the normalised input: 1 is the standard deviation of all pixels of the data set, for MNIST
    0.31 of the range from black to white. Pixels may leave the range of the data.
    """

    search: ClassVar[LogRange | None] = LogRange("std", 0.03, 1)
    name: Literal["input_noise"] = "input_noise"
    place: ClassVar[Place] = "data"
    formula: ClassVar[str] = r"x \leftarrow x + \epsilon, \quad \epsilon_i \sim N(0, \sigma^2)"
    source: ClassVar[str] = "@bishop1995"
    std: NonNegative

    def noise(self, sites: Mapping[str, tuple[int, ...]], parameters: Tensors) -> Mapping[str, Distribution]:
        return {"input": Normal(sites["input"])} if self.std > 0 else {}

    def batch(self, x: torch.Tensor, targets: torch.Tensor, noise: Tensors) -> tuple[torch.Tensor, torch.Tensor]:
        return (x + self.std * noise["input"] if self.std > 0 else x), targets
