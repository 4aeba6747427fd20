from typing import ClassVar, Literal

from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Flag, NonNegative
from study.regularization.base import Place, Regularization, add_scaled, penalized


class WeightDecay(Regularization):
    """Add strength times the weights to the clipped gradient: g + lambda w; biases too, if asked for.

    This is the `weight_decay` of torch's SGD and Adam. Without a clip it equals `l2`; with one it does not, since its
    pull is never clipped. An adaptive optimizer rescales it together with the gradient, unlike `decoupled_decay`.
    """

    search: ClassVar[LogRange | None] = LogRange("strength", 1e-5, 0.1)
    name: Literal["weight_decay"] = "weight_decay"
    place: ClassVar[Place] = "gradient"
    formula: ClassVar[str] = r"w \leftarrow w - \eta\,(\mathrm{clip}(g) + \lambda w)"
    source: ClassVar[str] = "@krogh1991"
    strength: NonNegative
    biases: Flag = False

    def after_clip(
        self, gradient: Tensors, parameters: Tensors, noise: Tensors, state: Tensors
    ) -> tuple[Tensors, Tensors]:
        return add_scaled(gradient, penalized(parameters, self.biases), self.strength), state
