"""Random numbers: named streams, each from a seed and its name alone, and what regularizers draw from them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from study.optim.tensors import Tensors

Noise = dict[str, Tensors]  # by regularizer, then by name


def stream_seed(seed: int, stream: str) -> int:
    """A 32-bit seed for the stream called `stream` (split, init, order, label-noise, dropout, ...) of a replicate."""
    digest = hashlib.sha256(f"{seed}/{stream}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def generator(seed: int, stream: str) -> torch.Generator:
    """A generator on the CPU at the start of the stream; CPU also for a GPU run, so that both draw the same numbers."""
    return torch.Generator().manual_seed(stream_seed(seed, stream))


@dataclass(frozen=True)
class Draw:
    """Random numbers of a shape, uniform on [0, 1); a subclass is another distribution."""

    shape: tuple[int, ...]

    def fill(self, out: Tensor, random: Generator) -> None:
        """Overwrite `out` [*shape] with the next numbers of the stream."""
        out.uniform_(generator=random)


@dataclass(frozen=True)
class Normal(Draw):
    """Standard normal."""

    def fill(self, out: Tensor, random: Generator) -> None:
        out.normal_(generator=random)


@dataclass(frozen=True)
class Beta(Draw):
    """Beta(a, a), by inverting its distribution function at a uniform number."""

    a: float

    def fill(self, out: Tensor, random: Generator) -> None:
        from scipy.special import betaincinv  # only mixup needs it

        uniform = torch.rand(self.shape, generator=random, dtype=torch.float64)
        out.copy_(torch.from_numpy(np.asarray(betaincinv(self.a, self.a, uniform.numpy()))))


Draws = Mapping[str, Mapping[str, Draw]]  # by regularizer, then by name


@dataclass(frozen=True, eq=False)
class NoiseStreams:
    """The numbers of R replicates: each regularizer's from the stream of the replicate's seed that bears its name."""

    draws: Draws
    buffers: Noise
    generators: dict[str, tuple[Generator, ...]]

    @classmethod
    def open(cls, draws: Draws, seeds: Sequence[int]) -> NoiseStreams:
        """Streams at their start, for what one step of one model needs."""
        buffers = {
            name: {key: torch.empty(len(seeds), *draw.shape) for key, draw in needed.items()}
            for name, needed in draws.items()
        }
        return cls(draws, buffers, {name: tuple(generator(seed, name) for seed in seeds) for name in draws})

    def draw(self, device: torch.device) -> Noise:
        """The next step's numbers [R, ...], on the CPU in buffers that the following draw overwrites."""
        for name, needed in self.draws.items():
            for key, draw in needed.items():
                for row, random in zip(self.buffers[name][key], self.generators[name], strict=True):
                    draw.fill(row, random)
        return {name: {key: b.to(device) for key, b in each.items()} for name, each in self.buffers.items()}
