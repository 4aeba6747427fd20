from itertools import pairwise
from typing import Annotated, ClassVar, Literal

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from study.models.base import ACTIVATIONS, SIDE, Activation, Model, Site, among, untouched
from study.models.initialisations import InitialisationChoice, PyTorch
from study.models.lenet import patches

STRIDE = 2  # pixels, of both convolutions
PADDING = 3  # pixels on each side, before the first convolution
KERNELS = (8, 4)  # pixels along a side
MAPS = (16, 32)
UNITS = 32


class Strided(nn.Module):
    """Two convolutions of stride 2, each followed by a maximum of neighbours, and two linear layers."""

    def __init__(self, classes: int, activation: Activation) -> None:
        super().__init__()
        channels = zip(pairwise((1, *MAPS)), KERNELS, strict=True)
        self.kernels = nn.ModuleList(nn.Linear(a * side**2, b) for (a, b), side in channels)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise((MAPS[1] * 4 * 4, UNITS, classes)))
        self.activation = activation

    def forward(self, x: Tensor, site: Site = untouched) -> Tensor:
        maps = F.pad(site("input", x).unflatten(1, (SIDE, SIDE)), (PADDING,) * 4)[..., None]
        for index, (kernel, side) in enumerate(zip(self.kernels, KERNELS, strict=True)):
            maps = largest(self.activation(kernel(patches(squares(maps), side // STRIDE))))
            maps = site(f"hidden{index}", maps.movedim(-1, 1)).movedim(1, -1)
        hidden, last = self.layers
        h = site("hidden2", self.activation(hidden(maps.movedim(-1, 1).flatten(1))))
        logits: Tensor = last(h)
        return logits


def squares(maps: Tensor) -> Tensor:
    """Return squares of 2 x 2 pixels as channels, [B, H // 2, W // 2, 4 C], of maps [B, H, W, C].

    A convolution of stride 2 with an even kernel is one of stride 1 of these, whose patches need no strided copies. A
    square is in the order of rows, columns, channels; an odd last row or column is left out.
    """
    high, wide = (size // STRIDE for size in maps.shape[1:3])
    whole = maps[:, : high * STRIDE, : wide * STRIDE]
    return whole.unflatten(2, (wide, STRIDE)).unflatten(1, (high, STRIDE)).movedim(2, 3).flatten(3)


def largest(maps: Tensor) -> Tensor:
    """Return the maximum of each 2 x 2 pixels, [B, H - 1, W - 1, C], of maps [B, H, W, C]."""
    rows = torch.maximum(maps[:, 1:], maps[:, :-1])
    return torch.maximum(rows[:, :, 1:], rows[:, :, :-1])


class PrivateCNN(Model):
    """The small convolutional network of the literature on private learning of digits, for 28 x 28 pixels.

    Convolution 8 x 8 to 16 maps (stride 2, padding 3), maximum of 2 x 2 pixels at every pixel, convolution 4 x 4 to 32
    maps (stride 2), the maximum again, then 32-classes. Opacus' example on MNIST uses it with `relu`, Papernot et al.
    with `tanh`. The hidden sites are the pooled maps [B, C, H, W] and the linear layer. Weights of a convolution are
    [out, 64 in] and [out, 16 in], the inputs in the order of squares of 2 x 2 pixels, and within one of rows, columns,
    channels.
    """

    formula: ClassVar[str] = (
        r"h_l = \max\nolimits_{2 \times 2} \phi(W_l *_2 h_{l-1} + b_l),\ l = 1, 2;\quad "
        r"h_3 = \phi(W_3 h_2 + b_3),\quad z = W_4 h_3 + b_4"
    )
    source: ClassVar[str] = "@papernot2021; Opacus' example `mnist.py`"
    reads: ClassVar[tuple[int, int] | None] = (SIDE, SIDE)
    name: Literal["private_cnn"] = "private_cnn"
    activation: Annotated[str, *among(ACTIVATIONS)] = "relu"
    init: InitialisationChoice = PyTorch()

    def network(self, inputs: int, classes: int) -> nn.Module:
        self.needs_images(inputs)
        return Strided(classes, ACTIVATIONS[self.activation])

    def initialise(self, module: nn.Module, random: Generator) -> dict[str, Tensor]:
        pixels = {f"kernels.{index}": side**2 for index, side in enumerate(KERNELS)}
        return self.init.initialise(module, random, pixels)
