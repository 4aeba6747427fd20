from collections.abc import Mapping
from typing import ClassVar, Literal

from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Positive
from study.regularization.base import Place, Rate, Regularization
from study.utils.lazy import torch


class WeightClipping(Regularization):
    """Clip each parameter, biases included, to [-bound, bound] after every step.

    It is the projection onto a box, and bounds the Lipschitz constant of the network. It clips weights, not gradients.
    """

    search: ClassVar[LogRange | None] = LogRange("bound", 0.003, 1)
    name: Literal["weight_clipping"] = "weight_clipping"
    place: ClassVar[Place] = "projection"
    formula: ClassVar[str] = r"w \leftarrow \min(\max(w, -c), c)"
    source: ClassVar[str] = "@arjovsky2017, algorithm 1"
    waives: ClassVar[Mapping[str, str]] = {"biases_exempt": "the published clip is of all parameters"}
    bound: Positive

    def update(self, parameters: Tensors, lr: Rate, state: Tensors) -> tuple[Tensors, Tensors]:
        return {key: torch.clamp(p, -self.bound, self.bound) for key, p in parameters.items()}, state
