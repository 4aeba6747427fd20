"""Measurements of gradients: pure functions of one model's tensors, mapped over replicates by the engine."""

from __future__ import annotations

import torch
from torch import Tensor

from study.optim.tensors import Tensors, global_norm, ratio, tensor_norms

EVERY_STEP = ("loss", "norm_before", "norm_after", "coefficient", "fired", "changed", "cosine", "finite")


def measure(loss: Tensor, gradient: Tensors, clipped: Tensors, scale: Tensors | None) -> Tensors:
    """Measure a step: the least from which its statistics can be derived later.

    loss []; before [K], norms per tensor; nothing else if nothing was clipped; scale [K] if whole tensors were
    rescaled; else after [K], inner [] (of before and after) and changed [] (the share of coordinates).
    """
    found = {"loss": loss, "before": tensor_norms(gradient)}
    if clipped is gradient:
        return found
    if scale is not None:
        return found | {"scale": torch.stack(list(scale.values()))}
    inner, changed = _by_entry(gradient, clipped)
    return found | {"after": tensor_norms(clipped), "inner": inner, "changed": changed}


def norms_after(measured: Tensors) -> Tensor:
    """Return the norms [..., K] after the clip; those of rescaled tensors follow from their coefficients."""
    if "scale" in measured:
        return measured["before"] * measured["scale"].abs()
    return measured.get("after", measured["before"])


def step_statistics(measured: Tensors, sizes: Tensor) -> Tensor:
    """Return the whole-gradient statistics of steps, [..., 8] in the order of `EVERY_STEP`, from measurements [...].

    sizes [K]: entries of each tensor. A coordinate of a rescaled tensor counts as changed. A zero gradient has
    coefficient 1; if it or the clipped one is zero, the cosine between them is NaN.
    """
    loss, before = measured["loss"], global_norm(measured["before"])
    after = global_norm(norms_after(measured))
    inner, changed = _inner_and_changed(measured, sizes)
    finite = torch.isfinite(loss) & torch.isfinite(before)
    columns = (
        loss,
        before,
        after,
        ratio(after, before, 1.0),
        changed > 0,
        changed,
        ratio(inner, before * after, torch.nan),
    )
    return torch.stack([*(column.to(loss.dtype) for column in columns), finite.to(loss.dtype)], dim=-1)


def _inner_and_changed(measured: Tensors, sizes: Tensor) -> tuple[Tensor, Tensor]:
    """Return <g, h> and the share of coordinates in which they differ."""
    if "inner" in measured:
        return measured["inner"], measured["changed"]
    scale = measured.get("scale", torch.ones_like(measured["before"]))
    return (scale * measured["before"].square()).sum(-1), ((scale != 1) * sizes).sum(-1) / sizes.sum()


def _by_entry(gradient: Tensors, clipped: Tensors) -> tuple[Tensor, Tensor]:
    """Return <g, h> and the share of coordinates in which they differ, entry by entry."""
    pairs = [(gradient[key], clipped[key]) for key in gradient]
    inner = torch.stack([(g * h).sum() for g, h in pairs]).sum()
    # A sum of ones, by XLA faster than counting; what is not a number does not count.
    count = torch.stack([torch.where((g - h).abs() > 0, 1.0, 0.0).sum() for g, h in pairs]).sum()
    return inner, count / sum(g.numel() for g, _ in pairs)


def noise_scale(sample_gradients: Tensor, batch_gradient: Tensor) -> tuple[Tensor, Tensor]:
    """Return the simple noise scale tr(Sigma) / ||G||^2 and the signal-to-noise ratio, its inverse root.

    `sample_gradients` [B]: squared norms of the per-sample gradients; `batch_gradient`: squared norm of their mean.
    Unbiased for both parts: ||G||^2 is (B |mean|^2 - mean |g|^2) / (B - 1), tr(Sigma) is (mean |g|^2 - |mean|^2) B / (B
    - 1). A signal estimated at or below zero gives an infinite scale and no signal. Source: McCandlish et al. 2018,
    appendix A.1.
    """
    b = sample_gradients.numel()
    mean_square = sample_gradients.mean()
    signal = (b * batch_gradient - mean_square) / (b - 1)
    noise = (mean_square - batch_gradient) * b / (b - 1)
    scale = torch.where(signal > 0, noise / signal, torch.inf)
    return scale, torch.where(signal > 0, (signal / noise).sqrt(), 0.0)
