"""Measurements of gradients: pure functions of one model's tensors, mapped over replicates by the engine."""

from __future__ import annotations

import torch
from torch import Tensor

Tensors = dict[str, Tensor]

EVERY_STEP = ("loss", "norm_before", "norm_after", "coefficient", "fired", "changed", "cosine", "finite")


def tensor_norms(tensors: Tensors) -> Tensor:
    """The 2-norm of each tensor, [K] in the order of the dict."""
    return torch.stack([torch.linalg.vector_norm(t) for t in tensors.values()])


def whole(norms: Tensor) -> Tensor:
    """The norm over all tensors, from the norms [..., K] of each."""
    return torch.linalg.vector_norm(norms, dim=-1)


def ratio(numerator: Tensor, denominator: Tensor, of_zero: float) -> Tensor:
    """numerator / denominator, and `of_zero` where the denominator is 0."""
    return torch.where(denominator == 0, of_zero, numerator / torch.where(denominator == 0, 1.0, denominator))


def step_statistics(
    loss: Tensor, gradient: Tensors, clipped: Tensors, before: Tensor, after: Tensor, scale: Tensors | None
) -> Tensor:
    """The whole-gradient statistics of one step, [8] in the order of `EVERY_STEP`.

    `before`, `after` [K]: norms per tensor; `scale`: the coefficient of each tensor where the clip only rescales
    whole tensors. Then the cosine and the share of changed coordinates follow from them, which spares two passes over
    the gradient; a coordinate of a rescaled tensor counts as changed. A zero gradient has coefficient and cosine 1.
    """
    norm_before, norm_after = whole(before), whole(after)
    inner, changed = _by_scale(gradient, before, scale) if scale is not None else _by_entry(gradient, clipped)
    finite = torch.isfinite(loss) & torch.isfinite(norm_before)
    return torch.stack(
        [
            loss,
            norm_before,
            norm_after,
            ratio(norm_after, norm_before, 1.0),
            (changed > 0).to(loss.dtype),
            changed,
            ratio(inner, norm_before * norm_after, 1.0),
            finite.to(loss.dtype),
        ]
    )


def _by_scale(gradient: Tensors, before: Tensor, scale: Tensors) -> tuple[Tensor, Tensor]:
    """<g, cg> and the share of coordinates in tensors whose coefficient is not 1."""
    c = torch.stack(list(scale.values()))
    sizes = torch.tensor([g.numel() for g in gradient.values()], dtype=c.dtype, device=c.device)
    return (c * before.square()).sum(), ((c != 1) * sizes).sum() / sizes.sum()


def _by_entry(gradient: Tensors, clipped: Tensors) -> tuple[Tensor, Tensor]:
    """<g, h> and the share of coordinates in which they differ."""
    pairs = [(gradient[key], clipped[key]) for key in gradient]
    inner = torch.stack([(g * h).sum() for g, h in pairs]).sum()
    # The squared norm of the signs counts what is not zero, faster than counting does.
    count = torch.stack([torch.linalg.vector_norm(torch.sign(g - h)).square().round() for g, h in pairs]).sum()
    return inner, count / sum(g.numel() for g, _ in pairs)


def noise_scale(sample_gradients: Tensor, batch_gradient: Tensor) -> tuple[Tensor, Tensor]:
    """The simple noise scale tr(Sigma) / ||G||^2 and the signal-to-noise ratio, its inverse root.

    `sample_gradients` [B]: squared norms of the per-sample gradients; `batch_gradient`: squared norm of their mean.
    Unbiased for both parts: ||G||^2 is (B |mean|^2 - mean |g|^2) / (B - 1), tr(Sigma) is
    (mean |g|^2 - |mean|^2) B / (B - 1). McCandlish et al. 2018, appendix A.1. A signal estimated
    at or below zero gives an infinite scale and no signal.
    """
    b = sample_gradients.numel()
    mean_square = sample_gradients.mean()
    signal = (b * batch_gradient - mean_square) / (b - 1)
    noise = (mean_square - batch_gradient) * b / (b - 1)
    scale = torch.where(signal > 0, noise / signal, torch.inf)
    return scale, torch.where(signal > 0, (signal / noise).sqrt(), 0.0)
