"""Batch normalization whose running statistics are state of a model in training, as its parameters are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

Tensors = dict[str, Tensor]
OF_TORCH = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class BatchNorm(nn.Module):
    """Normalization of each feature: y = w (h - mean) / sqrt(variance + epsilon) + b.

    Features lie along `axis`. In evaluation, as it starts, mean and variance are the running ones; `in_training` those
    of the batch, the variance divided by its size. It changes nothing of its own: `running_after` says what the running
    statistics come to. Source: @ioffe2015; torch.nn.BatchNorm2d.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(
        self, features: int, axis: int = 1, epsilon: float = 1e-5, momentum: float = 0.1, affine: bool = True
    ) -> None:
        super().__init__()
        self.axis, self.epsilon, self.momentum = axis, epsilon, momentum
        self.weight = nn.Parameter(torch.ones(features)) if affine else None
        self.bias = nn.Parameter(torch.zeros(features)) if affine else None
        self.register_buffer("running_mean", torch.zeros(features))
        self.register_buffer("running_var", torch.ones(features))
        self.training = False

    @classmethod
    def of_torch(cls, layer: nn.Module) -> BatchNorm | None:
        """Return the same as a layer of torch; None for any other, and for one without a moving average."""
        if not isinstance(layer, OF_TORCH) or type(layer) not in OF_TORCH:  # a subclass may do something else
            return None
        if layer.running_mean is None or layer.momentum is None:
            return None
        return cls(layer.num_features, 1, layer.eps, layer.momentum, layer.affine)

    def reset_parameters(self) -> None:
        """Set the parameters so that they change nothing: w = 1, b = 0."""
        if self.weight is not None and self.bias is not None:
            nn.init.ones_(self.weight)
            nn.init.zeros_(self.bias)

    def forward(self, h: Tensor) -> Tensor:
        mean, variance = self.of_batch(h) if self.training else (self.running_mean, self.running_var)
        scale = 1 / torch.sqrt(variance + self.epsilon)
        if self.weight is None or self.bias is None:
            return (h - self._along(mean, h)) * self._along(scale, h)
        return (h - self._along(mean, h)) * self._along(self.weight * scale, h) + self._along(self.bias, h)

    def of_batch(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean and the variance [F] of each feature of a batch."""
        others = [axis for axis in range(h.ndim) if axis != self.axis % h.ndim]
        mean = h.mean(others)
        return mean, (h - self._along(mean, h)).square().mean(others)

    def moved(self, mean: Tensor, variance: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return the running statistics [F] after a batch, whose variance counts by one sample less."""
        of_batch, biased = self.of_batch(h)
        count = h.numel() // len(of_batch)
        unbiased = biased * (count / (count - 1))
        old, new = 1 - self.momentum, self.momentum
        return old * mean + new * of_batch, old * variance + new * unbiased

    def _along(self, t: Tensor, h: Tensor) -> Tensor:
        """Return a tensor [F] in the form that fits the batch."""
        form = [1] * h.ndim
        form[self.axis] = len(t)
        return t.view(form)


def layers_of(module: nn.Module) -> Iterator[tuple[str, BatchNorm]]:
    """Yield the batch normalizations in a module, by name."""
    return ((name, layer) for name, layer in module.named_modules() if isinstance(layer, BatchNorm))


def in_place_of_torchs(module: nn.Module) -> nn.Module:
    """Return the module with these in place of torch's layers, which would change their own buffers."""
    made: dict[nn.Module, BatchNorm | None] = {}
    for parent in [*module.modules()]:
        for name, child in [*parent._modules.items()]:  # a layer that has two names keeps both
            if child is not None:
                new = made.setdefault(child, BatchNorm.of_torch(child))
                parent.add_module(name, child if new is None else new)
    return module


def fresh_statistics(module: nn.Module) -> Tensors:
    """Return the running statistics before training by name, means 0 and variances 1; empty without such a layer."""
    found: Tensors = {}
    for name, layer in layers_of(module):
        found |= {f"{name}.running_mean": torch.zeros_like(layer.running_mean)}
        found |= {f"{name}.running_var": torch.ones_like(layer.running_var)}
    return found


@contextmanager
def in_training(module: nn.Module) -> Iterator[None]:
    """Normalize by the batch within the context."""
    layers = [layer for _, layer in layers_of(module)]
    before = [layer.training for layer in layers]
    for layer in layers:
        layer.training = True
    try:
        yield
    finally:
        for layer, was in zip(layers, before, strict=True):
            layer.training = was


def running_after(module: nn.Module, running: Tensors, forward: Callable[[], object]) -> Tensors:
    """Return the running statistics after a forward pass, each layer's moved at each of its calls."""
    found = dict(running)

    def move(name: str, layer: BatchNorm, h: Tensor) -> None:
        keys = f"{name}.running_mean", f"{name}.running_var"
        mean, variance = (found[key] for key in keys)
        found.update(zip(keys, layer.moved(mean, variance, h), strict=True))

    with ExitStack() as stack:
        for name, layer in layers_of(module):
            hook = layer.register_forward_pre_hook(lambda layer, given, name=name: move(name, layer, given[0]))
            stack.enter_context(hook)
        forward()
    return found
