"""The module of a multilayer perceptron."""

from __future__ import annotations

from itertools import pairwise

import torch

from study.models.base import Activation, Site, untouched


class Perceptron(torch.nn.Module):
    """Linear layers with an activation between them."""

    def __init__(self, widths: tuple[int, ...], activation: Activation) -> None:
        super().__init__()
        self.layers = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in pairwise(widths))
        self.activation = activation

    def forward(self, x: torch.Tensor, site: Site = untouched) -> torch.Tensor:
        x = site("input", x)
        *hidden, last = self.layers
        for index, layer in enumerate(hidden):
            x = site(f"hidden{index}", self.activation(layer(x)))
        logits: torch.Tensor = last(x)
        return logits
