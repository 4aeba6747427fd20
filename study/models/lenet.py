from itertools import pairwise
from typing import Annotated, ClassVar, Literal

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from study.models.base import ACTIVATIONS, SIDE, Activation, Model, Site, among, untouched
from study.models.initialisations import InitialisationChoice, PyTorch

KERNEL = 5  # pixels along a side


class Convolutional(nn.Module):
    """Two convolutions with 6 and 16 kernels of 5 x 5, each followed by average pooling, and three linear layers."""

    def __init__(self, classes: int, activation: Activation) -> None:
        super().__init__()
        self.kernels = nn.ModuleList(nn.Linear(channels * KERNEL**2, out) for channels, out in ((1, 6), (6, 16)))
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise((16 * 5 * 5, 120, 84, classes)))
        self.activation = activation

    def forward(self, x: Tensor, site: Site = untouched) -> Tensor:
        maps = F.pad(site("input", x).unflatten(1, (SIDE, SIDE)), (2, 2, 2, 2))[..., None]
        for index, kernel in enumerate(self.kernels):
            maps = pooled(self.activation(kernel(patches(maps, KERNEL))))
            maps = site(f"hidden{index}", maps.movedim(-1, 1)).movedim(1, -1)
        h = maps.movedim(-1, 1).flatten(1)
        *hidden, last = self.layers
        for index, layer in enumerate(hidden, len(self.kernels)):
            h = site(f"hidden{index}", self.activation(layer(h)))
        logits: Tensor = last(h)
        return logits


def patches(maps: Tensor, side: int) -> Tensor:
    """Return the side x side patch around each pixel that has a whole one, [B, H', W', side^2 C], of maps [B, H, W, C].

    A patch is in the order of rows, columns, channels. Shifted copies, first along rows and then along columns, are
    the fastest way that torch.func.vmap can map.
    """
    high, wide = (size - side + 1 for size in maps.shape[1:3])
    along_row = torch.cat([maps[:, :, j : j + wide] for j in range(side)], dim=-1)
    return torch.cat([along_row[:, i : i + high] for i in range(side)], dim=-1)


def pooled(maps: Tensor) -> Tensor:
    """Return the means of squares of 2 x 2 pixels, [B, H/2, W/2, C], of maps [B, H, W, C]."""
    for axis in (1, 2):
        even, odd = maps.unflatten(axis, (-1, 2)).unbind(axis + 1)
        maps = (even + odd) / 2
    return maps


class LeNet(Model):
    """A small convolutional network: LeNet-5 without its trained pooling and partial connections, for 28 x 28 pixels.

    Convolution 5 x 5 to 6 maps (padding 2), pooling, convolution 5 x 5 to 16 maps, pooling, then 120-84-classes.
    Pooling takes the mean of 2 x 2 pixels, as the original does; their maximum takes longer here. The hidden sites are
    the pooled maps [B, C, H, W], so that dropout zeroes single pooled pixels, and the two linear layers. Weights of a
    convolution are [out, 25 in], the inputs in the order of rows, columns, channels.
    """

    formula: ClassVar[str] = (
        r"h_l = \mathrm{pool}(\phi(W_l * h_{l-1} + b_l)),\ l = 1, 2;\quad "
        r"h_l = \phi(W_l h_{l-1} + b_l),\ l = 3, 4;\quad z = W_5 h_4 + b_5"
    )
    source: ClassVar[str] = "@lecun1998, section II.B"
    reads: ClassVar[tuple[int, int] | None] = (SIDE, SIDE)
    name: Literal["lenet"] = "lenet"
    activation: Annotated[str, *among(ACTIVATIONS)] = "tanh"
    init: InitialisationChoice = PyTorch()

    def network(self, inputs: int, classes: int) -> nn.Module:
        self.needs_images(inputs)
        return Convolutional(classes, ACTIVATIONS[self.activation])

    def initialise(self, module: nn.Module, random: Generator) -> dict[str, Tensor]:
        return self.init.initialise(module, random, {"kernels.0": KERNEL**2, "kernels.1": KERNEL**2})
