from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from study.methods.base import MethodCombination
from study.methods.ranges import LogRange
from study.optim.rng import Distribution, Normal
from study.optim.tensors import Tensors
from study.parameters import NonNegative, PositiveInt
from study.regularization.base import Objective, Place, Regularization
from study.utils.lazy import torch


class Jacobian(Regularization):
    """Penalty in the loss: strength times the mean over samples of ||dz/dx||_F^2, logits z by normalised pixels x.

    The estimate is unbiased: it projects the K logits on `projections` random unit vectors v, drawn anew for each
    sample and step, by ||J||_F^2 = K E ||v^T J||^2. The paper writes half the strength.
    """

    search: ClassVar[LogRange | None] = LogRange("strength", 0.0001, 1)
    name: Literal["jacobian"] = "jacobian"
    place: ClassVar[Place] = "loss"
    formula: ClassVar[str] = (
        r"\mathcal{L} + \frac{\lambda}{B} \sum_i \Big\lVert\frac{\partial z(x_i)}{\partial x_i}\Big\rVert_F^2"
    )
    source: ClassVar[str] = "@hoffman2019, algorithm 1"
    strength: NonNegative
    projections: PositiveInt = 1

    def noise(self, sites: Mapping[str, tuple[int, ...]], parameters: Tensors) -> Mapping[str, Distribution]:
        samples, classes = sites["input"][0], list(parameters.values())[-1].shape[0]  # the last layer gives logits
        return {"directions": Normal((self.projections, samples, classes))} if self.strength > 0 else {}

    def conflict_with(self, combination: MethodCombination) -> str | None:
        if combination.model.normalizes_batches:
            return f"regularization '{self.name}' is of single samples' logits, which batch normalization mixes"
        return None

    def data_penalty(self, parameters: Tensors, objective: Objective, noise: Tensors) -> torch.Tensor:
        if self.strength == 0:
            return objective.x.new_zeros(())
        directions = noise["directions"]
        units = directions / torch.linalg.vector_norm(directions, dim=-1, keepdim=True)
        pull = torch.func.vjp(lambda x: objective.network(parameters, x), objective.x)[1]
        squares = torch.stack([pull(v)[0].square().sum() for v in units.unbind()])
        _, samples, classes = directions.shape
        return self.strength * classes / samples * squares.mean()
