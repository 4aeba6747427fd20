"""The steps of all models at once by torch: for a GPU, and where the compiled program is not to be had."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from study.optim.rng import Noise
from study.training.graph import traced
from study.training.update import State


@dataclass(eq=False)
class Stacked:
    """The step of one model, mapped over stacked replicates and traced once, at its first batch."""

    update: Callable[..., Any]
    graph: Callable[..., Any] | None = None

    @torch.no_grad()
    def step(
        self, state: State, x: Tensor, targets: Tensor, noise: Noise, rate: Tensor
    ) -> tuple[State, Mapping[str, Tensor]]:
        """The state [R, ...] after a step on x [R, B, P], targets [R, B, K] at rates [R], and what was measured."""
        inputs = (state, x, targets, noise, rate)
        if self.graph is None:
            self.graph = traced(self.update, inputs)
        return self.graph(*inputs)
