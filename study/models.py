"""Models: plain modules for one model, with sites where a regularizer may touch the activations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import AfterValidator
from torch import Generator, Tensor, nn

from study.methods import Method
from study.parameters import Must, PositiveInt

Site = Callable[[str, Tensor], Tensor]


def untouched(name: str, h: Tensor) -> Tensor:
    """The site of a model in evaluation: activations pass as they are."""
    return h


ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType(
    {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "gelu": nn.functional.gelu}
)


def _pytorch(layer: nn.Linear, random: Generator) -> None:
    """torch's default: uniform within 1 / sqrt(fan in), weights and biases."""
    bound = layer.in_features**-0.5
    nn.init.uniform_(layer.weight, -bound, bound, random)
    nn.init.uniform_(layer.bias, -bound, bound, random)


def _with_zero_bias(rule: Callable[[Tensor, Generator], object]) -> Callable[[nn.Linear, Generator], None]:
    def initialise(layer: nn.Linear, random: Generator) -> None:
        rule(layer.weight, random)
        nn.init.zeros_(layer.bias)

    return initialise


INITIALISATIONS: Mapping[str, Callable[[nn.Linear, Generator], None]] = MappingProxyType(
    {
        "pytorch": _pytorch,
        "he": _with_zero_bias(lambda w, r: nn.init.kaiming_normal_(w, nonlinearity="relu", generator=r)),
        "xavier": _with_zero_bias(lambda w, r: nn.init.xavier_uniform_(w, generator=r)),
        "orthogonal": _with_zero_bias(lambda w, r: nn.init.orthogonal_(w, generator=r)),
    }
)


def _known(table: Mapping[str, object]) -> tuple[AfterValidator, Must]:
    """A validator that admits the names of a table, and the words for it."""
    names = ", ".join(f"'{name}'" for name in table)

    def check(name: str) -> str:
        if name not in table:
            raise ValueError
        return name

    return AfterValidator(check), Must(f"one of {names}", ("unheard-of", 3))


class Model(Method):
    """An architecture; `build` makes the module, `initialise` its parameters."""

    family: ClassVar[str] = "model"

    def build(self, inputs: int, classes: int) -> nn.Module:
        """A module whose forward takes x [B, inputs] and a `Site`, and gives logits [B, classes]."""
        raise NotImplementedError

    def initialise(self, module: nn.Module, random: Generator) -> dict[str, Tensor]:
        """Fresh parameters, drawn from the generator alone."""
        raise NotImplementedError


class Perceptron(nn.Module):
    """Linear layers with an activation between them."""

    def __init__(self, widths: tuple[int, ...], activation: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.activation = activation

    def forward(self, x: Tensor, site: Site = untouched) -> Tensor:
        x = site("input", x)
        *hidden, last = self.layers
        for index, layer in enumerate(hidden):
            x = site(f"hidden{index}", self.activation(layer(x)))
        logits: Tensor = last(x)
        return logits


class MLP(Model):
    """A multilayer perceptron of any widths and depth."""

    name: Literal["mlp"] = "mlp"
    hidden: Annotated[
        tuple[PositiveInt, ...], Must("a list of whole numbers of at least 1", ("wide", [0], [1.5], 128))
    ] = (128,)
    activation: Annotated[str, *_known(ACTIVATIONS)] = "relu"
    init: Annotated[str, *_known(INITIALISATIONS)] = "pytorch"

    def build(self, inputs: int, classes: int) -> nn.Module:
        with torch.device("meta"):  # draws no random numbers
            module = Perceptron((inputs, *self.hidden, classes), ACTIVATIONS[self.activation])
        return module.to_empty(device="cpu")

    def initialise(self, module: nn.Module, random: Generator) -> dict[str, Tensor]:
        for layer in module.modules():
            if isinstance(layer, nn.Linear):
                INITIALISATIONS[self.init](layer, random)
        return {key: p.detach().clone() for key, p in module.named_parameters()}


def sites(module: nn.Module, batch: int, inputs: int) -> dict[str, tuple[int, ...]]:
    """The shapes [B, ...] of the activations at each site of one model, in forward order."""
    seen: dict[str, tuple[int, ...]] = {}

    def record(name: str, h: Tensor) -> Tensor:
        seen[name] = tuple(h.shape)
        return h

    with torch.no_grad():
        module(torch.zeros(batch, inputs), record)
    return seen
