from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from study.methods.ranges import LogRange
from study.optim.rng import Distribution, Normal
from study.optim.tensors import Tensors
from study.parameters import Must, NonNegative
from study.regularization.base import Place, Regularization
from study.utils.lazy import torch

DECAY = 0.55  # as in the paper


class GradientNoise(Regularization):
    """Add normal noise of variance eta / (1 + t)^0.55 at step t to each coordinate of the gradient.

    `when` chooses between noise before the clip, which is then clipped too, and noise after it. t counts from 0. With
    `sam`, if its ascent is clipped, noise before the clip changes the ascent alone.
    """

    search: ClassVar[LogRange | None] = LogRange("eta", 1e-5, 0.1)
    name: Literal["gradient_noise"] = "gradient_noise"
    place: ClassVar[Place] = "gradient"
    formula: ClassVar[str] = (
        r"g_t \leftarrow g_t + \epsilon, \quad \epsilon_i \sim N\big(0,\, \eta / (1 + t)^{0.55}\big)"
    )
    source: ClassVar[str] = "@neelakantan2015"
    eta: NonNegative
    when: Annotated[Literal["before", "after"], Must("'before' or 'after'", ("during", True))] = "after"

    def initial_state(self, parameters: Tensors) -> Tensors:
        return {"step": torch.tensor(0)}

    def noise(self, sites: Mapping[str, tuple[int, ...]], parameters: Tensors) -> Mapping[str, Distribution]:
        return {key: Normal(tuple(p.shape)) for key, p in parameters.items()} if self.eta > 0 else {}

    def before_clip(
        self, gradient: Tensors, parameters: Tensors, noise: Tensors, state: Tensors
    ) -> tuple[Tensors, Tensors]:
        return self._noisy(gradient, noise, state) if self.when == "before" else (gradient, state)

    def after_clip(
        self, gradient: Tensors, parameters: Tensors, noise: Tensors, state: Tensors
    ) -> tuple[Tensors, Tensors]:
        return self._noisy(gradient, noise, state) if self.when == "after" else (gradient, state)

    @property
    def acts_before_clip(self) -> bool:
        return self.when == "before"

    def _noisy(self, gradient: Tensors, noise: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        following = {"step": state["step"] + 1}
        if self.eta == 0:
            return gradient, following
        std = (self.eta / following["step"].to(torch.float32) ** DECAY).sqrt()
        return {key: g + std * noise[key] for key, g in gradient.items()}, following
