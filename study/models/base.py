"""Base class of the models: a module for one model, with sites where a regularizer may change the activations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias

from pydantic import AfterValidator, SerializerFunctionWrapHandler, model_serializer

from study.methods.base import Method
from study.parameters import Must, listed
from study.utils.lazy import torch

Activation: TypeAlias = "Callable[[torch.Tensor], torch.Tensor]"
Site: TypeAlias = "Callable[[str, torch.Tensor], torch.Tensor]"
SIDE = 28  # pixels


def untouched(name: str, h: torch.Tensor) -> torch.Tensor:
    """Return the activations as they are: the site of a model in evaluation."""
    return h


# torch.sigmoid and torch's gelu may round an entry differently beside others: a model's bits would depend on how many
# are trained together. tanh and erf do not.


def sigmoid(x: torch.Tensor) -> torch.Tensor:
    """Return 1 / (1 + exp(-x))."""
    return torch.tanh(x / 2) / 2 + 0.5


def gelu(x: torch.Tensor) -> torch.Tensor:
    """Return x times the standard normal distribution function at x."""
    return x / 2 * (1 + torch.erf(x * 0.5**0.5))


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {"relu": lambda x: torch.relu(x), "tanh": lambda x: torch.tanh(x), "sigmoid": sigmoid, "gelu": gelu}
)


def among(table: Mapping[str, object]) -> tuple[AfterValidator, Must]:
    """Return a validator that admits the names of a table, and the words for it."""

    def check(name: str) -> str:
        if name not in table:
            raise ValueError
        return name

    return AfterValidator(check), Must(f"one of {listed(tuple(table))}", ("unheard-of", 3))


class Model(Method):
    """An architecture; `build` makes the module, `initialise` its parameters.

    A subclass defines `network` and `initialise`. Every parameter belongs to an `nn.Linear` that is called as a module
    on inputs [B, ..., in], once or several times. The gradients of single samples can then be computed from the inputs
    and outputs of these layers. A model is written for one model: no Python `if` on a tensor's value, no random
    numbers. Only one with a true `batch_norm` may have layers such as torch.nn.BatchNorm1d.
    """

    family: ClassVar[str] = "model"
    came_later: ClassVar[Mapping[str, Any]] = MappingProxyType({"batch_norm": False})
    reads: ClassVar[tuple[int, int] | None] = None  # the pixels of the images that it is made for

    def network(self, inputs: int, classes: int) -> torch.nn.Module:
        """Return a module whose forward takes x [B, inputs] and a `Site` and returns logits [B, classes].

        It passes the pixels to the site as "input", then the hidden activations as "hidden0", "hidden1", ..., and
        continues with what the site returns.
        """
        raise NotImplementedError

    def initialise(self, module: torch.nn.Module, random: torch.Generator) -> dict[str, torch.Tensor]:
        """Return fresh parameters, drawn from the generator alone."""
        raise NotImplementedError

    def build(self, inputs: int, classes: int) -> torch.nn.Module:
        """Return the network, its parameters not yet set."""
        from study.models.networks.batch_norm import fresh_statistics, in_place_of_torchs

        with torch.device("meta"):  # draws no random numbers
            module = in_place_of_torchs(self.network(inputs, classes))
        module.to_empty(device="cpu")
        for key, statistic in fresh_statistics(module).items():
            module.get_buffer(key).copy_(statistic)
        return module

    @property
    def normalizes_batches(self) -> bool:
        """True if its network has batch normalization, by which a sample's logits depend on the rest of its batch."""
        return bool(getattr(self, "batch_norm", False))

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return self.without_later(handler(self))

    def needs_images(self, inputs: int) -> None:
        """Raise ValueError if the inputs are not the pixels of an image that the architecture can read."""
        if inputs != SIDE * SIDE:
            wanted = f"{SIDE * SIDE}, the pixels of an image of {SIDE} x {SIDE}"
            raise ValueError(f"The number of inputs of {self.owner()} must be {wanted}. Got {inputs} instead.")


def outside_linear_layers(module: torch.nn.Module) -> list[str]:
    """Return the names of the parameters that belong to no nn.Linear."""
    keys = [key for key, _ in module.named_parameters()]
    return [key for key in keys if type(module.get_submodule(key.rpartition(".")[0])) is not torch.nn.Linear]


def sites(module: torch.nn.Module, batch: int, inputs: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes [B, ...] of the activations at each site of one model, in forward order."""
    seen: dict[str, tuple[int, ...]] = {}

    def record(name: str, h: torch.Tensor) -> torch.Tensor:
        seen[name] = tuple(h.shape)
        return h

    with torch.no_grad():
        module(torch.zeros(batch, inputs), record)
    return seen
