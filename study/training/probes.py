"""Probes: statistics measured now and then on a fixed batch per replicate, without affecting the training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, grad, vjp, vmap

from study.models import outside_linear_layers
from study.optim.tensors import Tensors, one_hot, tensor_norms
from study.training.measurements import noise_scale
from study.training.per_sample import sample_gradients

PROBES = (
    "sample_norm_q10",
    "sample_norm_q50",
    "sample_norm_q90",
    "noise_scale",
    "signal_to_noise",
    "first_to_last",
    "dead_units",
    "hessian_top",
)
Product = Callable[[NDArray[np.float32]], NDArray[np.float32]]
CHUNK = 16  # samples whose whole gradients are formed at once
LEAST = 20  # products; with fewer the second eigenvalue is now and then taken for the first
MOST = 200  # products, before it is given up
EXHAUSTED = 1e-5  # share of the matrix below which a new direction is one of rounding
TOLERANCE = 1e-4  # ||Hv - av|| / |a| at which it stops: an eigenvalue lies within that share of a


class Loss(Protocol):
    """A mean over samples of a loss, as in `study.optim.losses`."""

    def value(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the loss, a scalar."""


def probe(module: nn.Module, loss: Loss, parameters: Tensors, images: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Return the statistics named in `PROBES` of one model, [8], in evaluation mode and without penalties.

    parameters: with the running statistics, if it has any; images [B, P], labels [B]. Quantiles of the per-sample
    gradient norms; noise scale and signal-to-noise (McCandlish et al. 2018); norm of the first weight's gradient over
    the last's; share of hidden units whose activation is the same for every sample; the largest eigenvalue of the
    loss's Hessian.
    """
    targets = one_hot(labels, classes).to(images.device)
    learned = {key: parameters[key] for key, _ in module.named_parameters()}

    def network(p: Tensors, x: Tensor) -> Tensor:
        logits: Tensor = functional_call(module, {**parameters, **p}, (x,))
        return logits

    def loss_of(logits: Tensor) -> Tensor:
        return loss.value(logits, targets)

    def loss_of_one(p: Tensors, x: Tensor, target: Tensor) -> Tensor:
        return loss.value(network(p, x[None]), target[None])

    if outside_linear_layers(module):
        norms, mean = one_by_one(loss_of_one, learned, images, targets)
    else:
        samples, _ = sample_gradients(network, module, loss_of, learned, images)
        norms, mean = samples.norms(), samples.mean(None)
    sample_norms = torch.linalg.vector_norm(torch.stack(list(norms.values())), dim=0)
    quantiles = torch.quantile(sample_norms, sample_norms.new_tensor([0.1, 0.5, 0.9]))
    scale, signal = noise_scale(sample_norms.square(), tensor_norms(mean).square().sum())
    top = images.new_tensor(hessian_top(lambda p: loss_of(network(p, images)), learned))
    return torch.stack([*quantiles, scale, signal, first_to_last(mean), dead_units(module, parameters, images), top])


def one_by_one(
    loss: Callable[[Tensors, Tensor, Tensor], Tensor], parameters: Tensors, x: Tensor, targets: Tensor
) -> tuple[Tensors, Tensors]:
    """Return the norm [B] of each sample's gradient, by tensor, and the mean gradient, for layers of any kind.

    loss: of the parameters and one sample; x [B, ...], targets [B, K].
    """
    each = vmap(grad(loss), (None, 0, 0), chunk_size=CHUNK)(parameters, x, targets)
    norms = {key: torch.linalg.vector_norm(g.flatten(1), dim=1) for key, g in each.items()}
    return norms, {key: g.mean(0) for key, g in each.items()}


def first_to_last(gradient: Tensors) -> Tensor:
    """Return the norm of the first weight tensor's gradient over the norm of the last's."""
    weights = [g for g in gradient.values() if g.ndim > 1]
    return torch.linalg.vector_norm(weights[0]) / torch.linalg.vector_norm(weights[-1])


@torch.no_grad()
def dead_units(module: nn.Module, parameters: Tensors, images: Tensor) -> Tensor:
    """Return the share of hidden units with the same activation for every sample; NaN without hidden units.

    A unit is an entry of the second dimension of a site's activations [B, U, ...]: a channel of an image, not a
    position of it. It is dead if it tells two samples apart at no position and in no call of the site.
    """
    dead: dict[str, Tensor] = {}

    def record(name: str, h: Tensor) -> Tensor:
        if name != "input":
            constant = (h.amax(0) == h.amin(0)).flatten(1).all(1) if h.ndim > 2 else h.amax(0) == h.amin(0)
            dead[name] = dead[name] & constant if name in dead else constant
        return h

    functional_call(module, parameters, (images, record))
    return torch.cat(list(dead.values())).float().mean() if dead else images.new_tensor(torch.nan)


def hessian_top(loss: Callable[[Tensors], Tensor], parameters: Tensors) -> float:
    """Return the largest eigenvalue of a loss's Hessian at these parameters, with its sign; NaN if there is none.

    By Lanczos' method on products of the Hessian with vectors, from a fixed start. NaN if a parameter or a product is
    not finite, and if it does not converge.
    """
    if not all(bool(p.isfinite().all()) for p in parameters.values()):
        return float("nan")
    try:
        return largest_eigenvalue(hessian_product(loss, parameters), sum(p.numel() for p in parameters.values()))
    except FloatingPointError:
        return float("nan")


def largest_eigenvalue(product: Product, size: int) -> float:
    """Return the largest eigenvalue of a symmetric matrix given by its product with a vector [size].

    By Lanczos' method without reorthogonalisation: lost orthogonality repeats eigenvalues already found, and moves none
    (Paige 1980). Raises FloatingPointError if `MOST` products do not bring the residual to `TOLERANCE`.
    """
    from scipy.linalg import eigh_tridiagonal
    from scipy.linalg.blas import snrm2  # squares of small and of large numbers are no trouble to it
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    start = np.random.default_rng(0).standard_normal(size, dtype=np.float32)
    before, vector = np.zeros_like(start), start / snrm2(start)
    diagonal, beside = list[float](), [0.0]
    with threadpool_limits(1, "blas"):  # the last digits depend on the threads, and jobs share the cores
        for taken in range(1, MOST + 1):
            column = product(vector)
            diagonal.append(float(vector @ column))
            column = column - np.float32(diagonal[-1]) * vector - np.float32(beside[-1]) * before
            beside.append(float(snrm2(column)))
            exhausted = beside[-1] <= EXHAUSTED * max(map(abs, (*diagonal, *beside)))
            if taken >= LEAST or exhausted:
                last = taken - 1, taken - 1
                (top,), ends = eigh_tridiagonal(diagonal, beside[1:-1], select="i", select_range=last)
                if exhausted or beside[-1] * abs(ends[-1, 0]) <= TOLERANCE * abs(top):
                    return float(top)
            before, vector = vector, column / np.float32(beside[-1])
    raise FloatingPointError(f"no eigenvalue is found with {MOST} products")


def hessian_product(loss: Callable[[Tensors], Tensor], parameters: Tensors) -> Product:
    """Return the Hessian as a map of flat vectors [P]; raises FloatingPointError if a product is not finite."""
    pull = vjp(grad(loss), parameters)[1]
    sizes = [p.numel() for p in parameters.values()]

    def product(vector: NDArray[np.float32]) -> NDArray[np.float32]:
        flat = torch.from_numpy(vector.reshape(-1)).split(sizes)
        direction = {key: v.view_as(p).to(p) for v, (key, p) in zip(flat, parameters.items(), strict=True)}
        (column,) = pull(direction)
        found = torch.cat([column[key].flatten() for key in parameters]).cpu().numpy()
        if not np.isfinite(found).all():
            raise FloatingPointError("the Hessian is not finite here")
        return found

    return product
