"""Schedules of the learning rate: a factor for each step."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from study.methods.base import Method
from study.parameters import NOT_NUMBERS, Must, NaturalInt, NotBool, PositiveInt, Share

Shrinking = Annotated[
    float, Field(gt=0, le=1), NotBool, Must("a number above 0 and at most 1", (-0.1, 0, 1.5, *NOT_NUMBERS))
]


class Schedule(Method):
    """A schedule of the learning rate over a run, after `warmup` steps of linear rise."""

    family: ClassVar[str] = "schedule"
    warmup: NaturalInt = 0

    def factor(self, step: int, steps: int) -> float:
        """Return the factor of the learning rate at a step, above 0 and at most 1.

        It is (step + 1) / warmup during the warm-up, then `decay` over the remaining steps. step: counted from 0;
        steps: the length of the run.
        """
        if step < self.warmup:
            return (step + 1) / self.warmup
        return self.decay(step - self.warmup, steps - self.warmup)

    def decay(self, step: int, steps: int) -> float:
        """Return the factor at a step after the warm-up, 1 at the first.

        step: counted from 0 after the warm-up; steps: the number of steps after the warm-up.
        """
        raise NotImplementedError


class Constant(Schedule):
    """Keep the learning rate constant."""

    formula: ClassVar[str] = r"\eta_t = \eta"
    source: ClassVar[str] = "warm-up: @goyal2017, section 2.2"
    name: Literal["constant"] = "constant"

    def decay(self, step: int, steps: int) -> float:
        return 1.0


class Steps(Schedule):
    """Multiply the learning rate by `gamma` after each of `drops` + 1 equal parts of the run but the last."""

    formula: ClassVar[str] = r"\eta_t = \eta\, \gamma^{\lfloor (k + 1) t / T \rfloor}"
    source: ClassVar[str] = "torch.optim.lr_scheduler.StepLR, MultiStepLR; warm-up: @goyal2017, section 2.2"
    name: Literal["step"] = "step"
    drops: PositiveInt = 2
    gamma: Shrinking = 0.1

    def decay(self, step: int, steps: int) -> float:
        return self.gamma ** ((self.drops + 1) * step // steps)


class Cosine(Schedule):
    """Lower the learning rate along half a cosine from factor 1 to `final`, just after the last step; no restarts."""

    formula: ClassVar[str] = r"\eta_t = \eta \left(f + (1 - f) \frac{1 + \cos(\pi t / T)}{2}\right)"
    source: ClassVar[str] = (
        "@loshchilov2017, eq. 5; torch.optim.lr_scheduler.CosineAnnealingLR; warm-up: @goyal2017, section 2.2"
    )
    name: Literal["cosine"] = "cosine"
    final: Share = 0.0

    def decay(self, step: int, steps: int) -> float:
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * step / steps)) / 2
