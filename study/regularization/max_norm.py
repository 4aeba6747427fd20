from typing import ClassVar, Literal

from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Positive
from study.regularization.base import Place, Rate, Regularization, penalized
from study.regularization.group_lasso import group_norms
from study.utils.lazy import torch


class MaxNorm(Regularization):
    """Scale each unit's incoming weights to a norm of at most `bound` after every step.

    This is the projection onto the ball. A unit is a row of torch's weight (out, in), in a convolution an output
    channel. All layers are bounded, the last too; biases are not.
    """

    search: ClassVar[LogRange | None] = LogRange("bound", 0.3, 10)
    name: Literal["max_norm"] = "max_norm"
    place: ClassVar[Place] = "projection"
    formula: ClassVar[str] = r"w_i \leftarrow w_i \min\left(1,\, \frac{c}{\lVert w_i\rVert}\right)"
    source: ClassVar[str] = "@srivastava2014, section 5.1"
    bound: Positive

    def update(self, parameters: Tensors, lr: Rate, state: Tensors) -> tuple[Tensors, Tensors]:
        norms = {key: group_norms(w, "incoming") for key, w in penalized(parameters, biases=False).items()}
        shares = {key: torch.clamp(self.bound / norm, max=1) for key, norm in norms.items()}
        return parameters | {key: parameters[key] * share for key, share in shares.items()}, state
