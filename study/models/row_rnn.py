from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from torch import Generator, Tensor, nn

from study.models.base import ACTIVATIONS, SIDE, Activation, Model, Site, among, untouched
from study.models.initialisations import InitialisationChoice, PyTorch
from study.parameters import PositiveInt

PLAIN: Mapping[str, Activation] = MappingProxyType({name: ACTIVATIONS[name] for name in ("tanh", "relu")})


class Recurrent(nn.Module):
    """A state that is updated by each row of the image; the last state gives the logits."""

    def __init__(self, units: int, classes: int, activation: Activation) -> None:
        super().__init__()
        self.inputs = nn.Linear(SIDE, units)
        self.recurrent = nn.Linear(units, units, bias=False)
        self.output = nn.Linear(units, classes)
        self.activation = activation

    def forward(self, x: Tensor, site: Site = untouched) -> Tensor:
        first, *later = self.inputs(site("input", x).unflatten(1, (SIDE, SIDE))).unbind(1)
        h = self.activation(first)  # the state before the first row is zero
        for driven in later:
            h = self.activation(driven + self.recurrent(h))
        logits: Tensor = self.output(site("hidden0", h))
        return logits


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

    def network(self, inputs: int, classes: int) -> nn.Module:
        self.needs_images(inputs)
        return Recurrent(self.units, classes, PLAIN[self.activation])

    def initialise(self, module: nn.Module, random: Generator) -> dict[str, Tensor]:
        return self.init.initialise(module, random)
