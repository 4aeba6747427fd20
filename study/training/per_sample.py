"""Gradients of single samples, without a tensor of batch x parameters.

Every parameter belongs to a linear layer z = W h + b, used at one or more positions t. The gradient of a sample's loss
in W is sum_t delta_t h_t^T with delta_t its slope in z_t: so the inputs h and the slopes of the outputs hold the
gradients of all samples, and one backward pass that forms no gradient of W gives them (Goodfellow 2015).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import grad_and_value

from study.optim.tensors import Tensors

Hook = Callable[[str, Tensor, Tensor], Tensor]  # layer's name, input, output -> what takes the output's place


@dataclass(frozen=True)
class Bias:
    """Gradients of the samples in a bias; slopes [B, T, out] of the mean loss in the layer's outputs."""

    slopes: Tensor

    def norms(self) -> Tensor:
        """Return the norm [B] of the gradient of each sample's own loss."""
        return torch.linalg.vector_norm(self.slopes.sum(1), dim=1) * len(self.slopes)

    def mean(self, weights: Tensor | None) -> Tensor:
        """Return the mean over samples of weight [B] times gradient."""
        return self.weighted(weights).sum((0, 1))

    def weighted(self, weights: Tensor | None) -> Tensor:
        """Return each sample's slopes times its weight."""
        return self.slopes if weights is None else self.slopes * weights[:, None, None]


@dataclass(frozen=True)
class Weight(Bias):
    """Gradients of the samples in a weight [out, in]; inputs [B, T, in] of the layer."""

    inputs: Tensor

    def norms(self) -> Tensor:
        return self._root_of_squares() * len(self.slopes)

    def mean(self, weights: Tensor | None) -> Tensor:
        return self.weighted(weights).flatten(0, 1).mT @ self.inputs.flatten(0, 1)

    def _root_of_squares(self) -> Tensor:
        """Return the norms the cheaper way: by products of positions, T x T, or the gradients (Bu et al. 2022)."""
        slopes, inputs = self.slopes, self.inputs
        positions = slopes.shape[1]
        if positions == 1:
            return torch.linalg.vector_norm(slopes[:, 0], dim=1) * torch.linalg.vector_norm(inputs[:, 0], dim=1)
        if 2 * positions**2 < slopes.shape[2] * inputs.shape[2]:
            products = (slopes @ slopes.mT) * (inputs @ inputs.mT)
            return products.sum((1, 2)).clamp(min=0).sqrt()  # rounding may leave a zero below 0
        return torch.linalg.vector_norm((slopes.mT @ inputs).flatten(1), dim=1)


@dataclass(frozen=True)
class SampleGradients:
    """Gradients of the loss of each sample of a batch, by tensor."""

    parts: dict[str, Bias]

    def norms(self) -> Tensors:
        """Return, by tensor, the norm [B] of each sample's gradient."""
        return {key: part.norms() for key, part in self.parts.items()}

    def mean(self, weights: Tensors | None) -> Tensors:
        """Return the mean over the batch of weight times gradient; weights [B] by tensor, or None for 1."""
        return {key: part.mean(None if weights is None else weights[key]) for key, part in self.parts.items()}


def sample_gradients(
    network: Callable[[Tensors, Tensor], Tensor],
    module: nn.Module,
    loss: Callable[[Tensor], Tensor],
    parameters: Tensors,
    x: Tensor,
) -> tuple[SampleGradients, Tensor]:
    """Return the gradients of each sample's loss and the loss of the batch.

    x [B, ...]; `network` runs the module with these parameters on x; `loss` is the mean over samples of losses, each of
    one row of the logits. Raises ValueError for a parameter outside the nn.Linear layers that took part, and for a
    layer whose input has no sample in each row.
    """

    def forward(hook: Hook) -> Tensor:
        with hooked(module, hook):
            return network(parameters, x)

    def tapped(taps: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        inputs, left = list[Tensor](), iter(taps)

        def tap(name: str, h: Tensor, z: Tensor) -> Tensor:
            inputs.append(h)
            return z + next(left)

        return loss(forward(tap)), inputs

    names, taps = zero_taps(forward)
    slopes, (value, inputs) = grad_and_value(tapped, has_aux=True)(taps)
    uses = list(zip(names, inputs, slopes, strict=True))
    return SampleGradients(_by_parameter(module, parameters, len(x), uses)), value


def zero_taps(forward: Callable[[Hook], Tensor]) -> tuple[list[str], list[Tensor]]:
    """Return the names of the linear layers in the order of their calls, and zeros to add to their outputs."""
    names, taps = list[str](), list[Tensor]()

    def find(name: str, h: Tensor, z: Tensor) -> Tensor:
        names.append(name)
        taps.append(torch.zeros(z.shape, dtype=z.dtype, device=z.device))
        return z

    forward(find)  # for the shapes alone: a traced graph drops this pass
    return names, taps


@contextmanager
def hooked(module: nn.Module, hook: Hook) -> Iterator[None]:
    """Pass every call of a linear layer through the hook, within the context."""
    with ExitStack() as stack:
        for name, layer in module.named_modules():
            if type(layer) is nn.Linear:  # a subclass may make something else of its input
                stack.enter_context(layer.register_forward_hook(_called(name, hook)))
        yield


def _called(name: str, hook: Hook) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], Tensor]:
    return lambda layer, given, z: hook(name, given[0], z)


def _by_parameter(
    module: nn.Module, parameters: Tensors, batch: int, uses: Sequence[tuple[str, Tensor, Tensor]]
) -> dict[str, Bias]:
    """Return the uses (layer, input, slope) gathered by parameter, in the order of the parameters."""
    found: dict[str, Bias] = {}
    for name in dict.fromkeys(name for name, *_ in uses):
        inputs = _positions(name, [h for of, h, _ in uses if of == name], batch)
        slopes = _positions(name, [slope for of, _, slope in uses if of == name], batch)
        prefix = f"{name}." if name else ""
        found |= {f"{prefix}weight": Weight(slopes, inputs), f"{prefix}bias": Bias(slopes)}
    if missing := [key for key in parameters if key not in found]:
        raise ValueError(
            "Gradients of single samples are known for the parameters of linear layers that take part. "
            f"Got {', '.join(missing)} besides, in a {type(module).__name__}."
        )
    return {key: found[key] for key in parameters}


def _positions(name: str, tensors: Sequence[Tensor], batch: int) -> Tensor:
    """Return the tensors of several uses, [B, ..., features] each, as [B, T, features]."""
    for t in tensors:
        if t.ndim < 2 or t.shape[0] != batch:
            raise ValueError(f"Layer '{name}' must see one of {batch} samples a row. Got {list(t.shape)} instead.")
    each = [t.reshape(batch, -1, t.shape[-1]) for t in tensors]
    return each[0] if len(each) == 1 else torch.cat(each, dim=1)
