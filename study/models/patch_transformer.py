"""A small transformer over the patches of an image."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Generator, Tensor, nn

from study.models.base import ACTIVATIONS, SIDE, Activation, Model, Site, among, untouched
from study.models.initialisations import InitialisationChoice, Xavier
from study.parameters import Must, NotBool, PositiveInt

EPSILON = 1e-5  # added to the variance, as in torch.nn.LayerNorm


def normalised(h: Tensor) -> Tensor:
    """Layer normalization without gain and bias: zero mean and unit variance over the last axis."""
    centred = h - h.mean(-1, keepdim=True)
    # A root and a division round the same beside any company; torch.rsqrt need not.
    return centred / (centred.square().mean(-1, keepdim=True) + EPSILON).sqrt()


def positions(tokens: int, width: int) -> Tensor:
    """Sines and cosines of each position, [tokens, width]: Vaswani et al. 2017, section 3.5."""
    place, pair = torch.arange(tokens, dtype=torch.float64), torch.arange(width // 2, dtype=torch.float64)
    angle = place[:, None] * torch.exp(-math.log(10_000.0) * 2 * pair / width)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1).float()


class Block(nn.Module):
    """Attention, then a perceptron at each token; each reads the normalised state and adds to it (pre-norm)."""

    def __init__(self, width: int, heads: int, hidden: int, activation: Activation) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.mix = nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.heads, self.activation = heads, activation

    def forward(self, h: Tensor) -> Tensor:
        h = h + self.mix(self.attended(normalised(h)))
        added: Tensor = self.down(self.activation(self.up(normalised(h))))
        return h + added

    def attended(self, h: Tensor) -> Tensor:
        """softmax(Q K^T / sqrt(d)) V in each head, [B, T, width]."""
        split = (part(h).unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (self.query, self.key, self.value))
        q, k, v = split
        weights = torch.softmax(q @ k.mT / q.shape[-1] ** 0.5, dim=-1)
        return (weights @ v).transpose(1, 2).flatten(-2)


class Patches(nn.Module):
    """An image as a row of patches, moved on by blocks; the mean over the patches gives the logits."""

    def __init__(self, given: PatchTransformer, classes: int) -> None:
        super().__init__()
        self.patch = given.patch
        self.embed = nn.Linear(given.patch**2, given.width)
        activation = ACTIVATIONS[given.activation]
        self.blocks = nn.ModuleList(
            Block(given.width, given.heads, given.expansion * given.width, activation) for _ in range(given.blocks)
        )
        self.output = nn.Linear(given.width, classes)

    def forward(self, x: Tensor, site: Site = untouched) -> Tensor:
        image = site("input", x).unflatten(1, (SIDE // self.patch, self.patch, SIDE // self.patch, self.patch))
        h = self.embed(image.transpose(2, 3).flatten(3).flatten(1, 2))
        h = h + positions(h.shape[-2], h.shape[-1]).to(h)
        for number, block in enumerate(self.blocks):
            h = site(f"hidden{number}", block(h))
        logits: Tensor = self.output(normalised(h).mean(1))
        return logits


class PatchTransformer(Model):
    """A pre-norm transformer encoder whose tokens are the patches of an image, 28 x 28 pixels.

    Layer normalization has no gain and bias, and positions are fixed, so that every parameter belongs to a linear
    layer and clips of single samples apply. `expansion`: width of a block's hidden layer, in widths of the state.
    """

    formula: ClassVar[str] = (
        r"H \leftarrow H + \text{softmax}\left(\tfrac{Q K^\top}{\sqrt{d}}\right) V W_o,\quad "
        r"H \leftarrow H + \phi(\text{LN}(H) W_1) W_2\quad\text{with } Q, K, V \text{ linear in } \text{LN}(H)"
    )
    source: ClassVar[str] = "@vaswani2017; images as patches: @dosovitskiy2021; pre-norm: @xiong2020"
    reads: ClassVar[tuple[int, int] | None] = (SIDE, SIDE)
    name: Literal["patch_transformer"] = "patch_transformer"
    blocks: Annotated[int, Field(ge=1, le=12), NotBool, Must("a whole number from 1 to 12", (0, 13, 1.5, True))] = 2
    width: PositiveInt = 64
    heads: PositiveInt = 4
    patch: Annotated[Literal[1, 2, 4, 7, 14, 28], Must("a divisor of 28: 1, 2, 4, 7, 14 or 28", (3, 0, "7x7"))] = (
        7  # pixels
    )
    expansion: PositiveInt = 2
    activation: Annotated[str, *among(ACTIVATIONS)] = "gelu"
    init: InitialisationChoice = Xavier()

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Self:
        if self.width % (2 * self.heads):
            self.refuse(("width", f"be a multiple of {2 * self.heads}, twice the number of heads", self.width))
        return self

    def network(self, inputs: int, classes: int) -> nn.Module:
        self.needs_images(inputs)
        return Patches(self, classes)

    def initialise(self, module: nn.Module, random: Generator) -> dict[str, Tensor]:
        return self.init.initialise(module, random)
