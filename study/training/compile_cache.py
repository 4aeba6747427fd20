"""Cache of compiled programs on disk: one job compiles a program, the others load it."""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import jax
from jax.experimental import serialize_executable

from study.results import store
from study.utils.seal import sealed, unsealed

FOLDER = Path(__file__).resolve().parents[2] / "results" / ".programs"
LOWERED_BY = ("lowering.py", "operators.py", "program.py")


@dataclass(frozen=True)
class Abstract:
    """Program before compilation, identified by its `text`; lower: returns jax's form."""

    text: str
    lower: Callable[[], Any] = field(compare=False)

    @property
    def key(self) -> str:
        """Name of its file."""
        return hashlib.sha256("\n".join([self.text, *surroundings()]).encode()).hexdigest()


def load_or_compile(program: Abstract, folder: Path | None = None) -> Any:
    """Return the executable of a program: from this process, from the folder, or compiled.

    A file that is damaged or cannot be written is ignored: the program is then compiled here.
    """
    return _executable(program, folder or FOLDER)


@lru_cache(maxsize=64)
def _executable(abstract: Abstract, folder: Path) -> Any:
    file = folder / abstract.key
    loaded = _loaded(file)
    if loaded is not None:
        return loaded
    compiled = abstract.lower().compile()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        content = sealed(pickle.dumps(serialize_executable.serialize(compiled)))
        store.atomically(file, lambda half: half.write_bytes(content))
    except TimeoutError:  # the job's time is up
        raise
    except OSError:
        pass
    return compiled


def _loaded(file: Path) -> Any:
    """Return the executable in a file; None if it is missing or damaged."""
    try:
        content = unsealed(file.read_bytes())
    except TimeoutError:
        raise
    except OSError:
        return None
    if content is None:
        return None
    return serialize_executable.deserialize_and_load(*pickle.loads(content))  # written by this user, for this machine


@cache
def surroundings() -> tuple[str, ...]:
    """Return what an executable depends on besides its program: lowering code, compiler, flags, processor."""
    texts = [Path(__file__).with_name(name).read_bytes() for name in LOWERED_BY]
    sources = [hashlib.sha256(text).hexdigest() for text in texts]
    settings = (os.environ.get(name, "") for name in ("XLA_FLAGS", "PJRT_NPROC"))
    return *sources, jax.__version__, *settings, platform.machine(), processor()


def processor() -> str:
    """Return the processor's model and instruction sets, as Linux gives them; empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return "\n".join(dict.fromkeys(line for line in lines if line.startswith(("model name", "flags"))))
