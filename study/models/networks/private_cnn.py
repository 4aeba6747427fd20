"""The module of a convolutional network with strides, as squares of 2 x 2 pixels."""

from __future__ import annotations

from itertools import pairwise

import torch

from study.models.base import SIDE, Activation, Site, untouched
from study.models.networks.lenet import patches

STRIDE = 2  # pixels, of both convolutions
PADDING = 3  # pixels on each side, before the first convolution
KERNELS = (8, 4)  # pixels along a side
MAPS = (16, 32)
UNITS = 32


class Strided(torch.nn.Module):
    """Two convolutions of stride 2, each followed by a maximum of neighbours, and two linear layers."""

    def __init__(self, classes: int, activation: Activation) -> None:
        super().__init__()
        channels = zip(pairwise((1, *MAPS)), KERNELS, strict=True)
        self.kernels = torch.nn.ModuleList(torch.nn.Linear(a * side**2, b) for (a, b), side in channels)
        self.layers = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in pairwise((MAPS[1] * 4 * 4, UNITS, classes)))
        self.activation = activation

    def forward(self, x: torch.Tensor, site: Site = untouched) -> torch.Tensor:
        maps = torch.nn.functional.pad(site("input", x).unflatten(1, (SIDE, SIDE)), (PADDING,) * 4)[..., None]
        for index, (kernel, side) in enumerate(zip(self.kernels, KERNELS, strict=True)):
            maps = largest(self.activation(kernel(patches(squares(maps), side // STRIDE))))
            maps = site(f"hidden{index}", maps.movedim(-1, 1)).movedim(1, -1)
        hidden, last = self.layers
        h = site("hidden2", self.activation(hidden(maps.movedim(-1, 1).flatten(1))))
        logits: torch.Tensor = last(h)
        return logits


def squares(maps: torch.Tensor) -> torch.Tensor:
    """Return squares of 2 x 2 pixels as channels, [B, H // 2, W // 2, 4 C], of maps [B, H, W, C].

    A convolution of stride 2 with an even kernel is one of stride 1 of these, whose patches need no strided copies. A
    square is in the order of rows, columns, channels; an odd last row or column is left out.
    """
    high, wide = (size // STRIDE for size in maps.shape[1:3])
    whole = maps[:, : high * STRIDE, : wide * STRIDE]
    return whole.unflatten(2, (wide, STRIDE)).unflatten(1, (high, STRIDE)).movedim(2, 3).flatten(3)


def largest(maps: torch.Tensor) -> torch.Tensor:
    """Return the maximum of each 2 x 2 pixels, [B, H - 1, W - 1, C], of maps [B, H, W, C]."""
    rows = torch.maximum(maps[:, 1:], maps[:, :-1])
    return torch.maximum(rows[:, :, 1:], rows[:, :, :-1])
