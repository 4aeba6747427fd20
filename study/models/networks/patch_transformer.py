"""The modules of a pre-norm transformer over the patches of an image."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from study.models.base import ACTIVATIONS, SIDE, Activation, Site, untouched

if TYPE_CHECKING:
    from study.models.patch_transformer import PatchTransformer

EPSILON = 1e-5  # added to the variance, as in torch.nn.LayerNorm


def normalised(h: torch.Tensor) -> torch.Tensor:
    """Layer normalization without gain and bias: zero mean and unit variance over the last axis."""
    centred = h - h.mean(-1, keepdim=True)
    # A root and a division round the same beside any company; torch.rsqrt need not.
    return centred / (centred.square().mean(-1, keepdim=True) + EPSILON).sqrt()


def positions(tokens: int, width: int) -> torch.Tensor:
    """Sines and cosines of each position, [tokens, width]: Vaswani et al. 2017, section 3.5."""
    place, pair = torch.arange(tokens, dtype=torch.float64), torch.arange(width // 2, dtype=torch.float64)
    angle = place[:, None] * torch.exp(-math.log(10_000.0) * 2 * pair / width)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1).float()


class Block(torch.nn.Module):
    """Attention, then a perceptron at each token; each reads the normalised state and adds to it (pre-norm)."""

    def __init__(self, width: int, heads: int, hidden: int, activation: Activation) -> None:
        super().__init__()
        self.query, self.key, self.value = (torch.nn.Linear(width, width) for _ in range(3))
        self.mix = torch.nn.Linear(width, width)
        self.up, self.down = torch.nn.Linear(width, hidden), torch.nn.Linear(hidden, width)
        self.heads, self.activation = heads, activation

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        h = h + self.mix(self.attended(normalised(h)))
        added: torch.Tensor = self.down(self.activation(self.up(normalised(h))))
        return h + added

    def attended(self, h: torch.Tensor) -> torch.Tensor:
        """softmax(Q K^T / sqrt(d)) V in each head, [B, T, width]."""
        split = (part(h).unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (self.query, self.key, self.value))
        q, k, v = split
        weights = torch.softmax(q @ k.mT / q.shape[-1] ** 0.5, dim=-1)
        return (weights @ v).transpose(1, 2).flatten(-2)


class Patches(torch.nn.Module):
    """An image as a row of patches, moved on by blocks; the mean over the patches gives the logits."""

    def __init__(self, given: PatchTransformer, classes: int) -> None:
        super().__init__()
        self.patch = given.patch
        self.embed = torch.nn.Linear(given.patch**2, given.width)
        activation = ACTIVATIONS[given.activation]
        self.blocks = torch.nn.ModuleList(
            Block(given.width, given.heads, given.expansion * given.width, activation) for _ in range(given.blocks)
        )
        self.output = torch.nn.Linear(given.width, classes)

    def forward(self, x: torch.Tensor, site: Site = untouched) -> torch.Tensor:
        image = site("input", x).unflatten(1, (SIDE // self.patch, self.patch, SIDE // self.patch, self.patch))
        h = self.embed(image.transpose(2, 3).flatten(3).flatten(1, 2))
        h = h + positions(h.shape[-2], h.shape[-1]).to(h)
        for number, block in enumerate(self.blocks):
            h = site(f"hidden{number}", block(h))
        logits: torch.Tensor = self.output(normalised(h).mean(1))
        return logits
