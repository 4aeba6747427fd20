from __future__ import annotations

from typing import ClassVar, Literal

from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Flag, NonNegative
from study.regularization.base import Place, Regularization, add_scaled, penalized, signs
from study.utils.lazy import torch


class ElasticNet(Regularization):
    """Penalty strength/2 sum(lambda1 |w| + lambda2 w^2) in the loss, as the tutorial writes it.

    The strength multiplies both weights, so one of the three is redundant: lambda1 = 2 s, lambda2 = 0 is `l1` of
    strength s, and lambda1 = 0, lambda2 = s is `l2` of strength s. Zou, Hastie 2005.
    """

    search: ClassVar[LogRange | None] = LogRange("strength", 0.0001, 0.1)
    name: Literal["elastic_net"] = "elastic_net"
    place: ClassVar[Place] = "loss"
    formula: ClassVar[str] = r"\mathcal{L} + \frac{\lambda}{2} \sum_i (\lambda_1 |w_i| + \lambda_2 w_i^2)"
    source: ClassVar[str] = "@zou2005, in the tutorial's parameterisation"
    lambda1: NonNegative
    lambda2: NonNegative
    strength: NonNegative = 1.0
    biases: Flag = False

    def penalty(self, parameters: Tensors) -> torch.Tensor:
        chosen = list(penalized(parameters, self.biases).values())
        l1 = torch.stack([torch.linalg.vector_norm(p, 1) for p in chosen]).sum()
        l2 = torch.stack([p.square().sum() for p in chosen]).sum()
        return self.strength / 2 * (self.lambda1 * l1 + self.lambda2 * l2)

    def penalized_gradient(self, gradient: Tensors, parameters: Tensors) -> Tensors:
        chosen = penalized(parameters, self.biases)
        gradient = add_scaled(gradient, chosen, self.strength * self.lambda2)
        return add_scaled(gradient, signs(chosen), self.strength * self.lambda1 / 2)
