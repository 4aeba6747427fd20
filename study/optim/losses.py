"""Data losses of one model on a batch; targets are distributions over classes, so soft labels need no other form."""

from __future__ import annotations

from typing import ClassVar, Literal

from study.methods.base import Method
from study.utils.lazy import torch


class Loss(Method):
    """The mean over the batch of a loss between logits [B, K] and targets [B, K]."""

    family: ClassVar[str] = "loss"

    def value(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the loss, a scalar."""
        raise NotImplementedError


class CrossEntropy(Loss):
    """-sum_k y_k log softmax(z)_k, in nats."""

    name: Literal["cross_entropy"] = "cross_entropy"

    def value(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return -(targets * torch.nn.functional.log_softmax(logits, dim=-1)).sum(-1).mean()


class SquaredError(Loss):
    """1/2 sum_k (y_k - z_k)^2 on one-hot targets, the tutorial's J1."""

    name: Literal["squared_error"] = "squared_error"

    def value(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return 0.5 * torch.square(targets - logits).sum(-1).mean()
