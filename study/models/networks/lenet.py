"""The module of a small convolutional network, and its patches and pooling."""

from __future__ import annotations

from itertools import pairwise

import torch

from study.models.base import SIDE, Activation, Site, untouched
from study.models.networks.batch_norm import BatchNorm

KERNEL = 5  # pixels along a side


class Convolutional(torch.nn.Module):
    """Two convolutions with 6 and 16 kernels of 5 x 5, each followed by average pooling, and three linear layers.

    If asked for, a normalization precedes each activation.
    """

    def __init__(self, classes: int, activation: Activation, batch_norm: bool = False) -> None:
        super().__init__()
        bias, widths = not batch_norm, (6, 16, 120, 84)
        self.norms = torch.nn.ModuleList(BatchNorm(n, -1) if batch_norm else torch.nn.Identity() for n in widths)
        self.kernels = torch.nn.ModuleList(
            torch.nn.Linear(channels * KERNEL**2, out, bias) for channels, out in ((1, 6), (6, 16))
        )
        layers = [torch.nn.Linear(a, b, bias) for a, b in pairwise((16 * 5 * 5, 120, 84))]
        self.layers = torch.nn.ModuleList([*layers, torch.nn.Linear(84, classes)])
        self.activation = activation

    def forward(self, x: torch.Tensor, site: Site = untouched) -> torch.Tensor:
        maps = torch.nn.functional.pad(site("input", x).unflatten(1, (SIDE, SIDE)), (2, 2, 2, 2))[..., None]
        of_maps, of_units = self.norms[: len(self.kernels)], self.norms[len(self.kernels) :]
        for index, (kernel, norm) in enumerate(zip(self.kernels, of_maps, strict=True)):
            maps = pooled(self.activation(norm(kernel(patches(maps, KERNEL)))))
            maps = site(f"hidden{index}", maps.movedim(-1, 1)).movedim(1, -1)
        h = maps.movedim(-1, 1).flatten(1)
        *hidden, last = self.layers
        for index, (layer, norm) in enumerate(zip(hidden, of_units, strict=True), len(self.kernels)):
            h = site(f"hidden{index}", self.activation(norm(layer(h))))
        logits: torch.Tensor = last(h)
        return logits


def patches(maps: torch.Tensor, side: int) -> torch.Tensor:
    """Return the side x side patch around each pixel that has a whole one, [B, H', W', side^2 C], of maps [B, H, W, C].

    A patch is in the order of rows, columns, channels. Shifted copies, first along rows and then along columns, are
    the fastest way that torch.func.vmap can map.
    """
    high, wide = (size - side + 1 for size in maps.shape[1:3])
    along_row = torch.cat([maps[:, :, j : j + wide] for j in range(side)], dim=-1)
    return torch.cat([along_row[:, i : i + high] for i in range(side)], dim=-1)


def pooled(maps: torch.Tensor) -> torch.Tensor:
    """Return the means of squares of 2 x 2 pixels, [B, H/2, W/2, C], of maps [B, H, W, C]."""
    for axis in (1, 2):
        even, odd = maps.unflatten(axis, (-1, 2)).unbind(axis + 1)
        maps = (even + odd) / 2
    return maps
