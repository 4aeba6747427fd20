"""Statistics measured now and then, on a fixed batch a replicate, without touching the training."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from study.gradients import Tensors, noise_scale, tensor_norms
from study.losses import Loss
from study.training import one_hot

PROBES = (
    "sample_norm_q10",
    "sample_norm_q50",
    "sample_norm_q90",
    "noise_scale",
    "signal_to_noise",
    "first_to_last",
    "dead_units",
)
AT_ONCE = 16  # per-sample gradients held in memory together


def probe(module: nn.Module, loss: Loss, parameters: Tensors, images: Tensor, labels: Tensor, classes: int) -> Tensor:
    """The statistics named in `PROBES` of one model, [7], in evaluation mode and without penalties.

    images [B, P], labels [B]. Quantiles of the per-sample gradient norms; noise scale and signal-to-noise
    (McCandlish et al. 2018); norm of the first weight's gradient over the last's; share of hidden units whose
    activation is the same for every sample.
    """
    targets = one_hot(labels, classes).to(images.device)

    def sample_loss(p: Tensors, x: Tensor, y: Tensor) -> Tensor:
        return loss.value(functional_call(module, p, (x[None],)), y[None])

    def batch_loss(p: Tensors) -> Tensor:
        return loss.value(functional_call(module, p, (images,)), targets)

    per_sample = vmap(grad(sample_loss), in_dims=(None, 0, 0))
    squares = []
    for x, y in zip(images.split(AT_ONCE), targets.split(AT_ONCE), strict=True):
        gradients = per_sample(parameters, x, y)
        each = [torch.linalg.vector_norm(g.flatten(1), dim=1) for g in gradients.values()]
        squares.append(torch.stack(each).square().sum(0))
    mean = grad(batch_loss)(parameters)
    sample_norms = torch.cat(squares).sqrt()
    quantiles = torch.quantile(sample_norms, sample_norms.new_tensor([0.1, 0.5, 0.9]))
    scale, signal = noise_scale(sample_norms.square(), tensor_norms(mean).square().sum())
    return torch.stack([*quantiles, scale, signal, first_to_last(mean), dead_units(module, parameters, images)])


def first_to_last(gradient: Tensors) -> Tensor:
    """Norm of the first weight tensor's gradient over the norm of the last's."""
    weights = [g for g in gradient.values() if g.ndim > 1]
    return torch.linalg.vector_norm(weights[0]) / torch.linalg.vector_norm(weights[-1])


@torch.no_grad()
def dead_units(module: nn.Module, parameters: Tensors, images: Tensor) -> Tensor:
    """Share of hidden units with one and the same activation for every sample; NaN for a model without hidden units."""
    constant: list[Tensor] = []

    def record(name: str, h: Tensor) -> Tensor:
        if name != "input":
            flat = h.flatten(1)
            constant.append(flat.amax(0) == flat.amin(0))
        return h

    functional_call(module, parameters, (images, record))
    return torch.cat(constant).float().mean() if constant else images.new_tensor(torch.nan)
