"""Initial weights of a model; biases start at zero, except in torch's default."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import PlainSerializer

from study.methods.base import Method, entry
from study.parameters import Positive
from study.utils.lazy import torch


class Initialisation(Method):
    """A rule for fresh parameters; a subclass defines `weight`, and `bias` where it is not zero."""

    family: ClassVar[str] = "initialisation"

    def initialise(
        self, module: torch.nn.Module, random: torch.Generator, pixels: Mapping[str, int] = MappingProxyType({})
    ) -> dict[str, torch.Tensor]:
        """Return fresh parameters for a module: of its linear layers drawn from the generator alone, of norms 1 and 0.

        pixels: the number of pixels of each layer that serves as the kernel of a convolution, by the layer's name.
        """
        from study.models.networks.batch_norm import BatchNorm

        for name, layer in module.named_modules():
            if isinstance(layer, torch.nn.Linear):
                self._layer(layer, random, pixels.get(name, 1))
            elif isinstance(layer, BatchNorm | torch.nn.LayerNorm | torch.nn.GroupNorm):
                layer.reset_parameters()
        return {key: p.detach().clone() for key, p in module.named_parameters()}

    def _layer(self, layer: torch.nn.Linear, random: torch.Generator, pixels: int) -> None:
        w = layer.weight.detach()
        # torch counts the outputs of a kernel with its pixels; which input is on which axis does not matter to a draw.
        self.weight(w if pixels == 1 else w.unflatten(1, (-1, pixels)), random)
        if layer.bias is not None:
            self.bias(layer.bias.detach(), layer.in_features, random)

    def weight(self, w: torch.Tensor, random: torch.Generator) -> None:
        """Overwrite a weight [out, in], or [out, channels, pixels] for a convolution."""
        raise NotImplementedError

    def bias(self, b: torch.Tensor, inputs: int, random: torch.Generator) -> None:
        """Overwrite the bias [out] of a layer with `inputs` inputs."""
        b.zero_()


class PyTorch(Initialisation):
    """torch's default: uniform within 1 / sqrt(n) for n inputs, weights and biases."""

    formula: ClassVar[str] = r"w, b \sim U\left(-1/\sqrt{n_\text{in}},\ 1/\sqrt{n_\text{in}}\right)"
    source: ClassVar[str] = "torch.nn.Linear, torch.nn.Conv2d"
    name: Literal["pytorch"] = "pytorch"

    def weight(self, w: torch.Tensor, random: torch.Generator) -> None:
        self.bias(w, w[0].numel(), random)

    def bias(self, b: torch.Tensor, inputs: int, random: torch.Generator) -> None:
        bound = inputs**-0.5
        torch.nn.init.uniform_(b, -bound, bound, random)


class He(Initialisation):
    """Normal with variance 2 / n for n inputs, which keeps the activations' size under relu."""

    formula: ClassVar[str] = r"w \sim N(0,\ 2/n_\text{in})"
    source: ClassVar[str] = "@he2015, eq. 10; torch's kaiming_normal_"
    name: Literal["he"] = "he"

    def weight(self, w: torch.Tensor, random: torch.Generator) -> None:
        torch.nn.init.kaiming_normal_(w, nonlinearity="relu", generator=random)


class Xavier(Initialisation):
    """Uniform with variance 2 / (n + m) for n inputs and m outputs, between what forward and backward pass ask for."""

    formula: ClassVar[str] = r"w \sim U(-a, a),\quad a = \sqrt{6 / (n_\text{in} + n_\text{out})}"
    source: ClassVar[str] = "@glorot2010, eq. 16; torch's xavier_uniform_"
    name: Literal["xavier"] = "xavier"

    def weight(self, w: torch.Tensor, random: torch.Generator) -> None:
        torch.nn.init.xavier_uniform_(w, generator=random)


class Orthogonal(Initialisation):
    """A random matrix with orthonormal rows, or columns where there are fewer."""

    formula: ClassVar[str] = r"W W^\top = I \text{ or } W^\top W = I"
    source: ClassVar[str] = "@saxe2014; torch's orthogonal_"
    name: Literal["orthogonal"] = "orthogonal"

    def weight(self, w: torch.Tensor, random: torch.Generator) -> None:
        torch.nn.init.orthogonal_(w, generator=random)


class NormalWeights(Initialisation):
    """Normal with standard deviation `std`, whatever the size of the layer."""

    formula: ClassVar[str] = r"w \sim N(0, \sigma^2)"
    source: ClassVar[str] = "torch's normal_"
    name: Literal["normal"] = "normal"
    std: Positive = 0.01

    def weight(self, w: torch.Tensor, random: torch.Generator) -> None:
        torch.nn.init.normal_(w, std=self.std, generator=random)


class Zero(Initialisation):
    """All weights zero: only the last bias can move, if the activation is 0 at 0."""

    formula: ClassVar[str] = r"w = 0"
    name: Literal["zero"] = "zero"

    def weight(self, w: torch.Tensor, random: torch.Generator) -> None:
        w.zero_()


def _written(init: Initialisation) -> str | dict[str, Any]:
    """Return the bare name where the rule has no parameters, so runs stored as names keep their identity."""
    given = init.model_dump(mode="json")
    return given if len(given) > 1 else init.name


if TYPE_CHECKING:  # a type checker sees what a field holds, pydantic also how it is read
    InitialisationChoice = Initialisation
else:
    InitialisationChoice = Annotated[entry(Initialisation), PlainSerializer(_written)]
