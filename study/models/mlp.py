from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from study.models.base import ACTIVATIONS, Model, among
from study.models.initialisations import InitialisationChoice, PyTorch
from study.parameters import Flag, Must, PositiveInt
from study.utils.lazy import torch


class MLP(Model):
    """A multilayer perceptron of any widths and depth.

    With `batch_norm` each hidden layer is normalized over the batch before its activation, its gain and shift in place
    of the layer's bias. They are parameters as all others: clips act on them, penalties count them with the biases.
    """

    formula: ClassVar[str] = r"h_0 = x,\quad h_l = \phi(W_l h_{l-1} + b_l),\quad z = W_L h_{L-1} + b_L"
    source: ClassVar[str] = "@rumelhart1986; batch normalization: @ioffe2015"
    name: Literal["mlp"] = "mlp"
    hidden: Annotated[
        tuple[PositiveInt, ...], Must("a list of whole numbers of at least 1", ("wide", [0], [1.5], 128))
    ] = (128,)
    activation: Annotated[str, *among(ACTIVATIONS)] = "relu"
    init: InitialisationChoice = PyTorch()
    batch_norm: Flag = False

    def network(self, inputs: int, classes: int) -> torch.nn.Module:
        from study.models.networks.mlp import Perceptron

        return Perceptron((inputs, *self.hidden, classes), ACTIVATIONS[self.activation], self.batch_norm)

    def initialise(self, module: torch.nn.Module, random: torch.Generator) -> dict[str, torch.Tensor]:
        return self.init.initialise(module, random)
