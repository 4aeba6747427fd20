"""Named random streams of a replicate: each from its seed and its name alone, never from the variant."""

from __future__ import annotations

import hashlib

import torch


def stream_seed(seed: int, stream: str) -> int:
    """A 32-bit seed for the stream called `stream` (split, init, order, label-noise, dropout, ...) of a replicate."""
    digest = hashlib.sha256(f"{seed}/{stream}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def generator(seed: int, stream: str) -> torch.Generator:
    """A generator on the CPU at the start of the stream; CPU also for a GPU run, so that both draw the same numbers."""
    return torch.Generator().manual_seed(stream_seed(seed, stream))
