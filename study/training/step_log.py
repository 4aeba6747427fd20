"""Log of the measurements of every step of R replicates, turned into statistics at the end."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from study.optim.tensors import Tensors, global_norm
from study.training.measurements import EVERY_STEP, norms_after, step_statistics

STEP_COLUMNS = (*EVERY_STEP, "update_ratio")
Floats = NDArray[np.float32]


@dataclass(eq=False)
class StepLog:
    """The measurements of at most S steps of R = `count` replicates, by name [S, R, ...].

    sizes [K]: entries of each tensor of one model. Beside what `measurements.measure` finds: `rate`, the learning rate;
    `weights`, the norm of all parameters after the step; `moved`, the norm of their change, where it is not the
    rate times the norm of what the optimizer got.
    """

    steps: int
    count: int
    sizes: Tensor
    kept: Tensors = field(default_factory=dict)
    taken: int = 0

    def add(self, measured: Tensors) -> None:
        """Add the measurements of the next S steps, each [S, R, ...]."""
        following = self.taken
        for name, value in measured.items():
            if name not in self.kept:
                self.kept[name] = torch.full((self.steps, *value.shape[1:]), torch.nan)
            following = self.taken + len(value)
            self.kept[name][self.taken : following] = value
        self.taken = following

    def columns(self) -> Floats:
        """Return the statistics of the steps taken, [S, R, 9] in the order of `STEP_COLUMNS`."""
        if not self.taken:
            return np.empty((0, self.count, len(STEP_COLUMNS)), np.float32)
        statistics = step_statistics(self._taken(), self.sizes)
        return torch.cat([statistics, self._update_ratio().unsqueeze(-1)], dim=-1).numpy()

    def norms(self) -> Floats:
        """Return the norms per tensor before and after the clip, [S, R, 2, K]."""
        if not self.taken:
            return np.empty((0, self.count, 2, len(self.sizes)), np.float32)
        found = self._taken()
        return torch.stack([found["before"], norms_after(found)], dim=2).numpy()

    def _update_ratio(self) -> Tensor:
        found = self._taken()
        given = found.get("given", global_norm(norms_after(found)))
        return found.get("moved", found["rate"] * given) / found["weights"]

    def _taken(self) -> Tensors:
        return {name: value[: self.taken] for name, value in self.kept.items()}
