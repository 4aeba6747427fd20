from itertools import pairwise
from typing import Annotated, ClassVar, Literal

from torch import Generator, Tensor, nn

from study.models.base import ACTIVATIONS, Activation, Model, Site, among, untouched
from study.models.initialisations import InitialisationChoice, PyTorch
from study.parameters import Must, PositiveInt


class Perceptron(nn.Module):
    """Linear layers with an activation between them."""

    def __init__(self, widths: tuple[int, ...], activation: Activation) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.activation = activation

    def forward(self, x: Tensor, site: Site = untouched) -> Tensor:
        x = site("input", x)
        *hidden, last = self.layers
        for index, layer in enumerate(hidden):
            x = site(f"hidden{index}", self.activation(layer(x)))
        logits: Tensor = last(x)
        return logits


class MLP(Model):
    """A multilayer perceptron of any widths and depth."""

    formula: ClassVar[str] = r"h_0 = x,\quad h_l = \phi(W_l h_{l-1} + b_l),\quad z = W_L h_{L-1} + b_L"
    source: ClassVar[str] = "@rumelhart1986"
    name: Literal["mlp"] = "mlp"
    hidden: Annotated[
        tuple[PositiveInt, ...], Must("a list of whole numbers of at least 1", ("wide", [0], [1.5], 128))
    ] = (128,)
    activation: Annotated[str, *among(ACTIVATIONS)] = "relu"
    init: InitialisationChoice = PyTorch()

    def network(self, inputs: int, classes: int) -> nn.Module:
        return Perceptron((inputs, *self.hidden, classes), ACTIVATIONS[self.activation])

    def initialise(self, module: nn.Module, random: Generator) -> dict[str, Tensor]:
        return self.init.initialise(module, random)
