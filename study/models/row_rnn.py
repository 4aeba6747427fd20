from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from study.models.base import ACTIVATIONS, SIDE, Activation, Model, among
from study.models.initialisations import InitialisationChoice, PyTorch
from study.parameters import PositiveInt
from study.utils.lazy import torch

PLAIN: Mapping[str, Activation] = MappingProxyType({name: ACTIVATIONS[name] for name in ("tanh", "relu")})


class RowRNN(Model):
    """A recurrent network without gates that reads an image row by row, 28 steps of 28 pixels.

    It has one bias, that of the inputs; torch.nn.RNN has two, which add up. The only hidden site is the last state,
    from which the logits are computed: dropout at every step would erase what the state remembers, and is kept off the
    recurrent connections for that reason (Zaremba, Sutskever, Vinyals 2014).
    """

    formula: ClassVar[str] = r"h_0 = 0,\quad h_t = \phi(W x_t + U h_{t-1} + b),\quad z = V h_{28} + c"
    source: ClassVar[str] = "@elman1990; digits as sequences: @le2015, there pixel by pixel; dropout: @zaremba2014"
    reads: ClassVar[tuple[int, int] | None] = (SIDE, SIDE)
    name: Literal["row_rnn"] = "row_rnn"
    units: PositiveInt = 128
    activation: Annotated[str, *among(PLAIN)] = "tanh"
    init: InitialisationChoice = PyTorch()

    def network(self, inputs: int, classes: int) -> torch.nn.Module:
        self.needs_images(inputs)
        from study.models.networks.row_rnn import Recurrent

        return Recurrent(self.units, classes, PLAIN[self.activation])

    def initialise(self, module: torch.nn.Module, random: torch.Generator) -> dict[str, torch.Tensor]:
        return self.init.initialise(module, random)
