from typing import ClassVar, Literal

import torch
from torch import Tensor

from study.optim.tensors import Tensors
from study.parameters import Positive, PositiveInt
from study.regularization.base import Place, Regularization, penalized

WARM_UP = 15  # power iterations on the initial weights, as in torch.nn.utils.parametrizations.spectral_norm


class SpectralNorm(Regularization):
    """Scale each weight matrix to a spectral norm (largest singular value) of at most `bound` after every step.

    The spectral norm is estimated from below by `iterations` steps of the power method, which go on from where the last
    optimizer step left them: u <- W W^T u, normalised; so the bound is met as closely as u keeps up with the weights,
    loosely where one iteration meets a large learning rate. The start is fixed, not random. A convolution's weight is
    taken as a matrix (out, the rest); biases are left alone.
    """

    name: Literal["spectral_norm"] = "spectral_norm"
    place: ClassVar[Place] = "projection"
    formula: ClassVar[str] = r"W \leftarrow \frac{W}{\max(1,\, \sigma(W) / c)}"
    source: ClassVar[str] = "@gouk2021; the power method as in @miyato2018"
    bound: Positive
    iterations: PositiveInt = 1

    def initial_state(self, parameters: Tensors) -> Tensors:
        weights = penalized(parameters, biases=False)
        return {key: power_method(w.flatten(1), start(w), WARM_UP)[1] for key, w in weights.items()}

    def update(self, parameters: Tensors, lr: float, state: Tensors) -> tuple[Tensors, Tensors]:
        found = {key: power_method(parameters[key].flatten(1), u, self.iterations) for key, u in state.items()}
        scaled = {key: parameters[key] * torch.clamp(self.bound / sigma, max=1) for key, (sigma, _) in found.items()}
        return parameters | scaled, {key: u for key, (_, u) in found.items()}


def start(w: Tensor) -> Tensor:
    """A unit vector [out]; not of equal entries, which are orthogonal to all that softmax teaches the last layer."""
    u = torch.cos(torch.arange(1, w.shape[0] + 1, dtype=w.dtype, device=w.device))
    return u / torch.linalg.vector_norm(u)


def power_method(w: Tensor, u: Tensor, iterations: int) -> tuple[Tensor, Tensor]:
    """The spectral norm of w [out, in] seen from u [out], and the next u; a zero matrix keeps it.

    Sums, not products of matrices: the rounding of those depends on how many replicates are mapped over.
    """
    for _ in range(iterations):
        right = (w * u[:, None]).sum(0)
        left = (w * (right / torch.linalg.vector_norm(right).clamp(min=torch.finfo(w.dtype).tiny))).sum(1)
        sigma = torch.linalg.vector_norm(left)
        u = torch.where(sigma > 0, left / sigma, u)
    return sigma, u
