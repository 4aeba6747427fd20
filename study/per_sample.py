"""Gradients of single samples, without a tensor of batch x parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class SampleGradients:
    """The gradients of the loss of each sample of a batch."""

    def norms(self) -> Tensors:
        """By tensor, the norm [B] of each sample's gradient."""
        raise NotImplementedError

    def mean(self, weights: Tensors | None) -> Tensors:
        """The mean over the batch of weight times gradient; weights [B] by tensor, or None for 1."""
        raise NotImplementedError


def sample_gradients(
    network: Callable[[Tensors, Tensor], Tensor],
    module: nn.Module,
    loss: Callable[[Tensor], Tensor],
    parameters: Tensors,
    x: Tensor,
) -> tuple[SampleGradients, Tensor]:
    """The gradients of each sample's loss and the loss of the batch."""
    raise NotImplementedError
