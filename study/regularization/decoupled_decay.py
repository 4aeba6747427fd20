from collections.abc import Mapping
from typing import ClassVar, Literal

from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Flag, NonNegative
from study.regularization.base import Place, Rate, Regularization, penalized


class DecoupledDecay(Regularization):
    """Shrink the weights by the factor 1 - lr strength in each step, beside the optimizer's update.

    This is the decay of AdamW. The decay of the weights from which the step started is subtracted after the
    optimizer's update, so neither a clip nor an adaptive optimizer changes it. It is proportional to the scheduled
    learning rate: half the rate gives half the decay of a step. Biases are left alone, unless asked for.
    """

    search: ClassVar[LogRange | None] = LogRange("strength", 1e-5, 0.1)
    name: Literal["decoupled_decay"] = "decoupled_decay"
    place: ClassVar[Place] = "update"
    formula: ClassVar[str] = r"w \leftarrow (1 - \eta\lambda)\,w - \eta u(\mathrm{clip}(g))"
    source: ClassVar[str] = "@loshchilov2019, algorithm 2"
    waives: ClassVar[Mapping[str, str]] = {
        "minimises": "it is a gradient step on the squared norm; the proximal step would be w / (1 + lr strength)"
    }
    strength: NonNegative
    biases: Flag = False

    def initial_state(self, parameters: Tensors) -> Tensors:
        return {key: w.clone() for key, w in penalized(parameters, self.biases).items()}

    def after_clip(
        self, gradient: Tensors, parameters: Tensors, noise: Tensors, state: Tensors
    ) -> tuple[Tensors, Tensors]:
        """Return the gradient unchanged, and copies of the weights, since the optimizer works in place."""
        return gradient, self.initial_state(parameters)

    def update(self, parameters: Tensors, lr: Rate, state: Tensors) -> tuple[Tensors, Tensors]:
        return parameters | {key: parameters[key] - lr * self.strength * w for key, w in state.items()}, state
