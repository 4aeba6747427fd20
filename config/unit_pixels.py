"""A perceptron that reads pixels from 0 to 1; elsewhere in the suite they have mean 0 and standard deviation 1."""

from typing import ClassVar, Literal

from torch import Tensor, nn

from study.data.digits import DATA_SETS
from study.models.base import Site, untouched
from study.models.mlp import MLP

MNIST = DATA_SETS["mnist"]


class Unscaled(nn.Module):
    """A network on pixels as they were before they were standardised."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, site: Site = untouched) -> Tensor:
        return self.network(x * MNIST.std + MNIST.mean, site)


class UnitPixels(MLP):
    """A multilayer perceptron on MNIST's pixels from 0 (black) to 1 (white)."""

    formula: ClassVar[str] = r"h_0 = \sigma x + \mu,\quad h_l = \phi(W_l h_{l-1} + b_l),\quad z = W_L h_{L-1} + b_L"
    name: Literal["unit_pixels"] = "unit_pixels"

    def network(self, inputs: int, classes: int) -> nn.Module:
        return Unscaled(super().network(inputs, classes))
