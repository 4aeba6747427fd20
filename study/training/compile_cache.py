"""Compiled programs on disk: what one job has compiled, the others load."""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
from functools import lru_cache
from pathlib import Path
from typing import Any

import jax
from jax.experimental import serialize_executable

from study.results import store

FOLDER = Path(__file__).resolve().parents[2] / "results" / ".programs"
SEAL = hashlib.sha256().digest_size


class Abstract:
    """A lowered program, known by its text."""

    def __init__(self, program: Any) -> None:
        self.program = program
        self.key = hashlib.sha256("\n".join([program.as_text(), *surroundings()]).encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Abstract) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


def load_or_compile(program: Any, folder: Path | None = None) -> Any:
    """The executable of a lowered program (`jax.stages.Lowered`): from this process, from the folder, or compiled.

    A file that is damaged or cannot be written is passed over: the program is then compiled here.
    """
    return _executable(Abstract(program), folder or FOLDER)


@lru_cache(maxsize=64)
def _executable(abstract: Abstract, folder: Path) -> Any:
    file = folder / abstract.key
    loaded = _loaded(file)
    if loaded is not None:
        return loaded
    compiled = abstract.program.compile()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        content = pickle.dumps(serialize_executable.serialize(compiled))
        store.atomically(file, lambda half: half.write_bytes(hashlib.sha256(content).digest() + content))
    except TimeoutError:  # the job's time is up
        raise
    except OSError:
        pass
    return compiled


def _loaded(file: Path) -> Any:
    """The executable in a file; None where there is none that is whole."""
    try:
        content = file.read_bytes()
    except TimeoutError:
        raise
    except OSError:
        return None
    seal, rest = content[:SEAL], content[SEAL:]
    if hashlib.sha256(rest).digest() != seal:
        return None
    return serialize_executable.deserialize_and_load(*pickle.loads(rest))  # written by this user, for this machine


def surroundings() -> list[str]:
    """What an executable depends on besides its program: compiler, its flags, the processor."""
    return [jax.__version__, os.environ.get("XLA_FLAGS", ""), platform.machine(), processor()]


def processor() -> str:
    """The processor's model and instruction sets, as Linux gives them; empty where it does not."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return "\n".join(dict.fromkeys(line for line in lines if line.startswith(("model name", "flags"))))
