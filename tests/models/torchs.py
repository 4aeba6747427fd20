"""Nets held against the same nets of torch's layers."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad
from torch.nn import functional as F

from study.models import Model

MODULES = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "gelu": nn.GELU}


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def assert_as_torchs(
    model: Model,
    oracle: nn.Sequential,
    as_torchs: Callable[[Tensor], Tensor],
    atol: float,
) -> None:
    """Logits and gradients of seven random digits are those of torch's layers, given the same weights.

    as_torchs: turns a tensor of the model's parameters into that of the layer.
    """
    module = model.build(784, 10)
    parameters = model.initialise(module, random())
    weights = map(as_torchs, parameters.values())
    oracle.load_state_dict(dict(zip(oracle.state_dict(), weights, strict=True)))
    x, labels = torch.randn(7, 784, generator=random(1)), torch.arange(7)
    torch.testing.assert_close(functional_call(module, parameters, (x,)), oracle(x), rtol=1e-4, atol=atol)
    gradient = grad(lambda p: F.cross_entropy(functional_call(module, p, (x,)), labels))(parameters)
    F.cross_entropy(oracle(x), labels).backward()
    for ours, theirs in zip(gradient.values(), oracle.parameters(), strict=True):
        torch.testing.assert_close(as_torchs(ours), theirs.grad, rtol=1e-4, atol=atol)
