from typing import ClassVar, Literal

import torch
from torch import Tensor

from study.parameters import Flag, NonNegative
from study.regularization.base import Place, Regularization, Tensors, penalized


class SumOfNorms(Regularization):
    """What the tutorial's "L2" code computes: strength times the sum of each tensor's unsquared 2-norm.

    A group penalty with one group per tensor, biases included as printed; its pull has the same size however large
    the weights are.
    """

    name: Literal["sum_of_norms"] = "sum_of_norms"
    place: ClassVar[Place] = "loss"
    strength: NonNegative
    biases: Flag = True

    def penalty(self, parameters: Tensors) -> Tensor:
        chosen = penalized(parameters, self.biases).values()
        return self.strength * torch.stack([torch.linalg.vector_norm(p) for p in chosen]).sum()
