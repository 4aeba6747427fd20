"""Dictionaries of tensors, of one model or stacked: norms, products, one-hot labels, as pure functions."""

from __future__ import annotations

from typing import TypeAlias

from study.utils.lazy import torch

Tensors: TypeAlias = "dict[str, torch.Tensor]"


def tensor_norms(tensors: Tensors) -> torch.Tensor:
    """Return the 2-norm of each tensor, [K] in the order of the dict."""
    return torch.stack([torch.linalg.vector_norm(t, 2.0) for t in tensors.values()])


def global_norm(norms: torch.Tensor) -> torch.Tensor:
    """Return the norm [...] over all tensors, from the norms [..., K] of each."""
    return torch.linalg.vector_norm(norms, dim=-1)


def ratio(numerator: torch.Tensor, denominator: torch.Tensor, of_zero: float) -> torch.Tensor:
    """Return numerator / denominator, and `of_zero` where the denominator is 0."""
    return torch.where(denominator == 0, of_zero, numerator / torch.where(denominator == 0, 1.0, denominator))


def rescaled(gradient: Tensors, scale: Tensors) -> Tensors:
    """Multiply each tensor by its coefficient, [] for one model and [R] for stacked tensors [R, ...]."""
    return {key: g * expand_to(scale[key], g) for key, g in gradient.items()}


def expand_to(coefficient: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
    """Reshape a coefficient [] or [R] so that it broadcasts to a tensor [...] or [R, ...]."""
    return coefficient.view(*coefficient.shape, *[1] * (g.ndim - coefficient.ndim))


def one_hot(labels: torch.Tensor, classes: int, out: torch.Tensor | None = None) -> torch.Tensor:
    """Return labels [...] as distributions [..., K] of float32; a negative label stands for none, and gives zeros."""
    targets = torch.zeros(*labels.shape, classes) if out is None else out.zero_()
    known = (labels >= 0).to(targets.dtype)
    return targets.scatter_(-1, labels.clamp(min=0).unsqueeze(-1), known.unsqueeze(-1))


def norm(gradient: Tensors, order: float = 2.0) -> torch.Tensor:
    """Return the norm over all tensors together, (sum |g|^p)^(1/p), a scalar."""
    return torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g, order) for g in gradient.values()]), order)
