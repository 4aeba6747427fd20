"""Random numbers: named streams, each determined by a seed and a name, and what regularizers draw from them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from study.optim.tensors import Tensors
from study.utils.lazy import torch

Noise = dict[str, Tensors]  # by regularizer, then by name


def stream_seed(seed: int, stream: str) -> int:
    """Return a 32-bit seed for a named stream of a replicate (split, init, order, label-noise, dropout, ...)."""
    digest = hashlib.sha256(f"{seed}/{stream}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def generator(seed: int, stream: str) -> torch.Generator:
    """Return a generator at the start of a stream; it is on the CPU so that CPU and GPU runs draw the same numbers."""
    return torch.Generator().manual_seed(stream_seed(seed, stream))


@dataclass(frozen=True)
class Distribution:
    """Random numbers of a shape, uniform on [0, 1); a subclass is another distribution."""

    shape: tuple[int, ...]

    def fill(self, out: torch.Tensor, random: torch.Generator) -> None:
        """Overwrite `out` [*shape] with the next numbers of the stream."""
        out.uniform_(generator=random)


@dataclass(frozen=True)
class Normal(Distribution):
    """Standard normal random numbers of a shape."""

    def fill(self, out: torch.Tensor, random: torch.Generator) -> None:
        out.normal_(generator=random)


@dataclass(frozen=True)
class Beta(Distribution):
    """Random numbers of a shape from Beta(a, a), by inverting its distribution function at uniform numbers."""

    a: float

    def fill(self, out: torch.Tensor, random: torch.Generator) -> None:
        from scipy.special import betaincinv  # only mixup needs it

        uniform = torch.rand(self.shape, generator=random, dtype=torch.float64)
        out.copy_(torch.from_numpy(np.asarray(betaincinv(self.a, self.a, uniform.numpy()))))


Distributions = Mapping[str, Mapping[str, Distribution]]  # by regularizer, then by name


@dataclass(frozen=True, eq=False)
class NoiseStreams:
    """Random numbers of R replicates, one stream for each regularizer and seed."""

    draws: Distributions
    buffers: Noise
    generators: dict[str, tuple[torch.Generator, ...]]

    @classmethod
    def open(cls, draws: Distributions, seeds: Sequence[int]) -> NoiseStreams:
        """Return the streams at their start.

        draws: the random numbers that one step of one model needs.
        """
        buffers = {
            name: {key: torch.empty(len(seeds), *draw.shape) for key, draw in needed.items()}
            for name, needed in draws.items()
        }
        return cls(draws, buffers, {name: tuple(generator(seed, name) for seed in seeds) for name in draws})

    def of_replicate(self, r: int, steps: int) -> Noise:
        """The numbers [S, ...] of one replicate's next S steps."""
        found: Noise = {
            name: {key: torch.empty(steps, *draw.shape) for key, draw in needed.items()}
            for name, needed in self.draws.items()
        }
        for name, needed in self.draws.items():
            for step in range(steps):
                for key, draw in needed.items():
                    draw.fill(found[name][key][step], self.generators[name][r])
        return found

    def draw(self, device: torch.device) -> Noise:
        """Return the random numbers [R, ...] of the next step, on the device; the next call may overwrite them."""
        for name, needed in self.draws.items():
            for key, draw in needed.items():
                for row, random in zip(self.buffers[name][key], self.generators[name], strict=True):
                    draw.fill(row, random)
        return {name: {key: b.to(device) for key, b in each.items()} for name, each in self.buffers.items()}
