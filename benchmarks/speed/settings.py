"""On what the figures were measured."""

from __future__ import annotations

import platform
import re
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

PACKAGES = ("torch", "torchvision", "jax", "optax", "scikit-learn", "numpy")


def found(turns: int) -> dict[str, Any]:
    """The processor, the versions and how it was timed."""
    return {
        "processor": processor(),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "turns": turns,
        "cores": 1,
        "threads": 1,
        "gflops": fastest_product(),
    }


def fastest_product(size: int = 1024, times: int = 20) -> float:
    """The rate at which the core multiplies two large matrices in float32, in GFLOP/s: the least time of some."""
    left, right, out = torch.rand(size, size), torch.rand(size, size), torch.empty(size, size)
    spent = []
    for _ in range(times):
        started = time.process_time()
        torch.mm(left, right, out=out)
        spent.append(time.process_time() - started)
    return 2 * size**3 / min(spent) / 1e9


def processor() -> str:
    """The model's name, as the system gives it."""
    info = Path("/proc/cpuinfo")
    name = re.search(r"model name\s*: (.*)", info.read_text()) if info.exists() else None
    return name[1] if name else platform.processor() or platform.machine()
