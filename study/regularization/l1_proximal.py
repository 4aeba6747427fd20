from typing import ClassVar, Literal

from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Flag, NonNegative
from study.regularization.base import Place, Rate, Regularization, penalized, soft_threshold


class L1Proximal(Regularization):
    """Move each weight towards zero by lr strength after the optimizer's step, and no further than zero.

    The soft threshold sign(w) max(|w| - lr strength, 0) is the proximal step of the penalty strength ||w||_1. Unlike
    the subgradient of `l1`, it makes weights exactly zero. The step size is the scheduled learning rate under any
    optimizer: Adam and RMSprop do not rescale it by coordinate, and no momentum accumulates it. Biases are left alone,
    unless asked for.
    """

    search: ClassVar[LogRange | None] = LogRange("strength", 1e-6, 0.01)
    name: Literal["l1_proximal"] = "l1_proximal"
    place: ClassVar[Place] = "update"
    formula: ClassVar[str] = r"w \leftarrow \mathrm{sign}(w)\,\max(|w| - \eta\lambda,\, 0)"
    source: ClassVar[str] = "@duchi2009; @parikh2014"
    strength: NonNegative
    biases: Flag = False

    def update(self, parameters: Tensors, lr: Rate, state: Tensors) -> tuple[Tensors, Tensors]:
        chosen = penalized(parameters, self.biases)
        return parameters | {key: soft_threshold(w, lr * self.strength) for key, w in chosen.items()}, state
