"""The module of a multilayer perceptron."""

from __future__ import annotations

from itertools import pairwise

import torch

from study.models.base import Activation, Site, untouched
from study.models.networks.batch_norm import BatchNorm


class Perceptron(torch.nn.Module):
    """Linear layers with an activation between them, before it a normalization if asked for."""

    def __init__(self, widths: tuple[int, ...], activation: Activation, batch_norm: bool = False) -> None:
        super().__init__()
        *hidden, classes = widths[1:]
        self.norms = torch.nn.ModuleList(BatchNorm(width) if batch_norm else torch.nn.Identity() for width in hidden)
        layers = [torch.nn.Linear(a, b, bias=not batch_norm) for a, b in pairwise((widths[0], *hidden))]
        self.layers = torch.nn.ModuleList([*layers, torch.nn.Linear(widths[-2], classes)])
        self.activation = activation

    def forward(self, x: torch.Tensor, site: Site = untouched) -> torch.Tensor:
        x = site("input", x)
        *hidden, last = self.layers
        for index, (layer, norm) in enumerate(zip(hidden, self.norms, strict=True)):
            x = site(f"hidden{index}", self.activation(norm(layer(x))))
        logits: torch.Tensor = last(x)
        return logits
