"""Schedules of the learning rate: a factor for each step."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from study.methods import Method
from study.parameters import NaturalInt, Positive, PositiveInt, Share


class Schedule(Method):
    """How the learning rate moves over a run; `warmup` steps of linear rise come first, whatever follows."""

    family: ClassVar[str] = "schedule"
    warmup: NaturalInt = 0

    def factor(self, step: int, steps: int) -> float:
        """What the learning rate is multiplied by at a step, from 0, of a run of so many.

        (step + 1) / warmup during the warm-up; after it, `decay` at the share of the remaining steps taken.
        """
        if step < self.warmup:
            return (step + 1) / self.warmup
        return self.decay((step - self.warmup) / max(steps - self.warmup, 1))

    def decay(self, share: float) -> float:
        """The factor at a share from 0 to below 1 of the run."""
        raise NotImplementedError


class Constant(Schedule):
    """The learning rate as it is."""

    name: Literal["constant"] = "constant"

    def decay(self, share: float) -> float:
        return 1.0


class Steps(Schedule):
    """Times `gamma` after each of `drops` + 1 equal parts of the run but the last (torch's StepLR)."""

    name: Literal["step"] = "step"
    drops: PositiveInt = 2
    gamma: Positive = 0.1

    def decay(self, share: float) -> float:
        return self.gamma ** math.floor(share * (self.drops + 1) + 1e-9)


class Cosine(Schedule):
    """Half a cosine from 1 down to `final`, without restarts: Loshchilov, Hutter 2017 (torch's CosineAnnealingLR)."""

    name: Literal["cosine"] = "cosine"
    final: Share = 0.0

    def decay(self, share: float) -> float:
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * share)) / 2
