"""On what the figures were measured."""

from __future__ import annotations

import platform
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

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
    }


def processor() -> str:
    """The model's name, as the system gives it."""
    info = Path("/proc/cpuinfo")
    name = re.search(r"model name\s*: (.*)", info.read_text()) if info.exists() else None
    return name[1] if name else platform.processor() or platform.machine()
