"""Penalties on the gradient of a discriminator in what it is shown; a subclass says where and what it should be."""

from __future__ import annotations

from study.methods.base import MethodCombination
from study.optim.tensors import Tensors
from study.parameters import NonNegative
from study.regularization.base import Objective, Regularization
from study.utils.lazy import torch


class DiscriminatorRegularization(Regularization):
    """Something done to a discriminator's batch, whose first half is real and whose second half is generated."""

    def conflict_with(self, combination: MethodCombination) -> str | None:
        if combination.workload.name != "adversarial":
            return f"regularization '{self.name}' needs the workload 'adversarial', whose discriminator it is for"
        if any(other.name == "mixup" for other in combination.regularization):
            return f"regularization '{self.name}' tells real rows from generated ones, which mixup mixes"
        return None


class InputGradientPenalty(DiscriminatorRegularization):
    """Penalty strength times a mean over rows x, of a function of the norm of dD/dx, D being the discriminator."""

    strength: NonNegative

    def data_penalty(self, parameters: Tensors, objective: Objective, noise: Tensors) -> torch.Tensor:
        if self.strength == 0:
            return objective.x.new_zeros(())
        x = self.at(*real_and_generated(objective.x), noise)
        return self.strength * self.from_squares(squared_slopes(objective, parameters, x)).mean()

    def at(self, real: torch.Tensor, generated: torch.Tensor, noise: Tensors) -> torch.Tensor:
        """Return the rows [B, P] at which the gradient counts, from the real and the generated ones [B, P]."""
        raise NotImplementedError

    def from_squares(self, squares: torch.Tensor) -> torch.Tensor:
        """Return the penalty [B] of squared gradient norms [B]: half of them, unless a subclass says otherwise."""
        return squares / 2


def real_and_generated(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the halves [B, ...] of a batch [2B, ...]."""
    half = x.shape[0] // 2
    return x[:half], x[half : 2 * half]


def squared_slopes(objective: Objective, parameters: Tensors, x: torch.Tensor) -> torch.Tensor:
    """Return the squared norm [B] of the gradient of the logits' sum in each row of x [B, P]."""
    slopes = torch.func.grad(lambda inputs: objective.network(parameters, inputs).sum())(x)
    return slopes.flatten(1).square().sum(1)


def off_one(squares: torch.Tensor) -> torch.Tensor:
    """Return (norm - 1)^2 for squared norms [B]; where a norm is 0, its slope counts as 0."""
    tiny = torch.finfo(squares.dtype).tiny
    return (squares.clamp(min=tiny).sqrt() - 1).square()
