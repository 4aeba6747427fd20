"""The module of a recurrent network that reads an image row by row."""

from __future__ import annotations

import torch

from study.models.base import SIDE, Activation, Site, untouched


class Recurrent(torch.nn.Module):
    """A state that is updated by each row of the image; the last state gives the logits."""

    def __init__(self, units: int, classes: int, activation: Activation) -> None:
        super().__init__()
        self.inputs = torch.nn.Linear(SIDE, units)
        self.recurrent = torch.nn.Linear(units, units, bias=False)
        self.output = torch.nn.Linear(units, classes)
        self.activation = activation

    def forward(self, x: torch.Tensor, site: Site = untouched) -> torch.Tensor:
        first, *later = self.inputs(site("input", x).unflatten(1, (SIDE, SIDE))).unbind(1)
        h = self.activation(first)  # the state before the first row is zero
        for driven in later:
            h = self.activation(driven + self.recurrent(h))
        logits: torch.Tensor = self.output(site("hidden0", h))
        return logits
