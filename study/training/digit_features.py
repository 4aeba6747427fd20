"""A small classifier of digits, shipped with its checksum: its features tell how alike two sets of digits are."""

from __future__ import annotations

import hashlib
import io
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

FILE = Path(__file__).parents[1] / "samples" / "digit_classifier.npz"
SHA256 = "eb4b29376517c75e38bb0e1fbca85f6ca2e2486e0c8d39b68094e9063df3bd94"
FEATURES = 64
SIDE = 28


class Read(NamedTuple):
    """Reading of N images by the classifier: features [N, 64] of about unit variance, and the digits [N] it sees."""

    features: Tensor
    digits: Tensor


class DigitClassifier(nn.Module):
    """Two convolutions with stride 2, a layer of 64 features, ten digits."""

    scale: Tensor  # standard deviations [64] of the features of real digits

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 8, 5, stride=2, padding=2)
        self.second = nn.Conv2d(8, 16, 5, stride=2, padding=2)
        self.features = nn.Linear(16 * 7 * 7, FEATURES)
        self.digits = nn.Linear(FEATURES, 10)
        self.register_buffer("scale", torch.ones(FEATURES))

    def hidden(self, images: Tensor) -> Tensor:
        """Return the last hidden layer [N, 64] for normalised pixels [N, 784]."""
        h = torch.relu(self.first(images.view(-1, 1, SIDE, SIDE)))
        return torch.relu(self.features(torch.relu(self.second(h)).flatten(1)))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [N, 10] for normalised pixels [N, 784]."""
        logits: Tensor = self.digits(self.hidden(images))
        return logits

    @torch.no_grad()
    def read(self, images: Tensor) -> Read:
        """Return what it makes of normalised pixels [N, 784]."""
        hidden = self.hidden(images.cpu())
        return Read((hidden / self.scale).double(), F.linear(hidden, self.digits.weight, self.digits.bias).argmax(1))


@cache
def digit_classifier() -> DigitClassifier:
    """Return the shipped classifier; `python -m study.samples.make_classifier` has trained it.

    Raises ValueError where the file is not the one that was shipped.
    """
    content = FILE.read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != SHA256:
        raise ValueError(f"The file '{FILE}' must have the SHA-256 {SHA256}. Got {found} instead.")
    module = DigitClassifier()
    with np.load(io.BytesIO(content)) as arrays:
        module.load_state_dict({key: torch.from_numpy(arrays[key]) for key in arrays.files})
    return module.requires_grad_(requires_grad=False).eval()
