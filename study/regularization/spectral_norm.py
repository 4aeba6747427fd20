from __future__ import annotations

from typing import ClassVar, Literal

from study.methods.ranges import LogRange
from study.optim.tensors import Tensors
from study.parameters import Positive, PositiveInt
from study.regularization.base import Place, Rate, Regularization, penalized
from study.utils.lazy import torch

WARM_UP = 15  # power iterations on the initial weights, as in torch.nn.utils.parametrizations.spectral_norm


class SpectralNorm(Regularization):
    """Scale each weight matrix to a spectral norm (largest singular value) of at most `bound` after every step.

    The spectral norm is estimated from below by `iterations` steps of the power method, u <- W W^T u, normalised,
    which continue from the u of the previous optimizer step. The bound is met as closely as u follows the weights:
    loosely where one iteration meets a large learning rate. The first u is fixed, not random. A convolution's weight
    counts as a matrix (out, the rest); biases are left alone.
    """

    search: ClassVar[LogRange | None] = LogRange("bound", 0.5, 20)
    name: Literal["spectral_norm"] = "spectral_norm"
    place: ClassVar[Place] = "projection"
    formula: ClassVar[str] = r"W \leftarrow \frac{W}{\max(1,\, \sigma(W) / c)}"
    source: ClassVar[str] = "@gouk2021; the power method as in @miyato2018"
    bound: Positive
    iterations: PositiveInt = 1

    def initial_state(self, parameters: Tensors) -> Tensors:
        weights = penalized(parameters, biases=False)
        return {key: power_method(w.flatten(1), start(w), WARM_UP)[1] for key, w in weights.items()}

    def update(self, parameters: Tensors, lr: Rate, state: Tensors) -> tuple[Tensors, Tensors]:
        found = {key: power_method(parameters[key].flatten(1), u, self.iterations) for key, u in state.items()}
        scaled = {key: parameters[key] * torch.clamp(self.bound / sigma, max=1) for key, (sigma, _) in found.items()}
        return parameters | scaled, {key: u for key, (_, u) in found.items()}


def start(w: torch.Tensor) -> torch.Tensor:
    """Return the first u, a unit vector [out].

    Its entries differ: a vector of equal entries is orthogonal to every gradient of a softmax's last layer.
    """
    u = torch.cos(torch.arange(1, w.shape[0] + 1, dtype=w.dtype, device=w.device))
    return u / torch.linalg.vector_norm(u)


def power_method(w: torch.Tensor, u: torch.Tensor, iterations: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the estimated spectral norm of w [out, in] and the next u [out]; a zero matrix keeps u.

    Sums are used, not matrix products, whose rounding depends on how many replicates are mapped over.
    """
    for _ in range(iterations):
        right = (w * u[:, None]).sum(0)
        left = (w * (right / torch.linalg.vector_norm(right).clamp(min=torch.finfo(w.dtype).tiny))).sum(1)
        sigma = torch.linalg.vector_norm(left)
        u = torch.where(sigma > 0, left / sigma, u)
    return sigma, u
