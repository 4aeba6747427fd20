"""Checkpoints: a training in progress on disk, which continues from there to the same bits."""

from __future__ import annotations

import io
import pickle
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer

from study.parameters import Settings
from study.results import store
from study.training.program import Program
from study.training.stacked import Stacked
from study.utils.seal import sealed, unsealed
from study.utils.timer import Timer

SECONDS = 60.0  # between two checkpoints; one takes some hundredths of a second
# What no number depends on or no training changes.
FIXED = (Settings, nn.Module, Timer, Program, Stacked, frozenset)
State = Any
"""Dicts and lists of tensors, numbers and texts."""


class CheckpointError(ValueError):
    """Error of a checkpoint from which this training cannot continue; says why."""


@dataclass(eq=False)
class Checkpoint:
    """File that holds a training in progress.

    identity: all that its numbers depend on, by name, which the file must match; seconds: the least time between two
    checkpoints; report: called with a line if a file is unusable or cannot be written.
    """

    path: Path
    identity: Mapping[str, str]
    report: Callable[[str], None] = lambda line: None
    seconds: float = SECONDS
    last: float = field(default_factory=time.monotonic)

    def resume(self, training: object) -> bool:
        """Bring a training that has not begun to the state in the file, if there is a usable one."""
        try:
            content = self.path.read_bytes()
            state = unpacked(content, self.identity)
        except FileNotFoundError:
            return False
        except TimeoutError:  # the job's time is up, which is no fault of the file
            raise
        except (CheckpointError, OSError) as error:
            self.report(f"The checkpoint '{self.path}' is left aside: {error}")
            return False
        restored(training, state)
        return True

    def keep(self, training: object) -> None:
        """Write the training to the file if it is time; a training that cannot be written continues all the same."""
        if time.monotonic() - self.last < self.seconds:
            return
        content = packed(state_of(training), self.identity)
        try:
            store.atomically(self.path, lambda file: file.write_bytes(content))
        except TimeoutError:
            raise
        except OSError as error:
            self.report(f"The checkpoint '{self.path}' cannot be written: {error}")
        self.last = time.monotonic()

    def drop(self) -> None:
        """Delete the file, once the tables of the training are written."""
        self.path.unlink(missing_ok=True)


def state_of(value: Any) -> State:
    """Return all that a training changes in a value; raises TypeError for an unknown type of value."""
    match value:
        case None | bool() | int() | float() | str() | Tensor():
            return value
        case np.ndarray():
            return torch.from_numpy(value)
        case Generator():
            return value.get_state()
        case Optimizer():
            return value.state_dict()["state"]
        case dict():
            return {key: state_of(one) for key, one in value.items()}
        case list() | tuple():
            return [state_of(one) for one in value]
    if not is_dataclass(value):
        raise TypeError(f"A checkpoint must be of values whose state is known. Got {type(value).__name__} instead.")
    parts = {one.name: getattr(value, one.name) for one in fields(value)}
    return {name: state_of(part) for name, part in parts.items() if not isinstance(part, FIXED)}


@torch.no_grad()
def restored(value: Any, state: State) -> Any:
    """Return the value with a state put into it, in place if it is mutable, since others hold it too."""
    match value:
        case Tensor():
            value.copy_(state)
        case np.ndarray():
            value[...] = state.numpy()
        case Generator():
            value.set_state(state)
        case Optimizer():
            value.load_state_dict({**value.state_dict(), "state": state})
        case dict():
            new = {key: restored(value[key], one) if key in value else one for key, one in state.items()}
            value.update(new)
        case list() | tuple():
            return type(value)(restored(one, part) for one, part in zip(value, state, strict=True))
        case _ if is_dataclass(value):
            for name, part in state.items():
                object.__setattr__(value, name, restored(getattr(value, name), part))  # what is frozen has parts too
        case _:
            return state
    return value


def packed(state: State, identity: Mapping[str, str]) -> bytes:
    """Return a state as the bytes of a file: a SHA-256, then torch's format of the state and its identity."""
    file = io.BytesIO()
    torch.save({"identity": dict(identity), "state": state}, file)
    return sealed(file.getvalue())


def unpacked(content: bytes, identity: Mapping[str, str]) -> State:
    """Return the state in a file; raises `CheckpointError` if it is damaged or of another identity.

    Nothing is parsed before its checksum is verified, and no code in it can run.
    """
    rest = unsealed(content)
    if rest is None:
        raise CheckpointError("checksum mismatch: the file is damaged.")
    try:
        read = torch.load(io.BytesIO(rest), weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError("it must hold nothing but tensors, numbers and texts.") from error
    kept = read["identity"]
    if others := [name for name in {**identity, **kept} if identity.get(name) != kept.get(name)]:
        raise CheckpointError(f"it must be of this training. Got one of another {', '.join(others)} instead.")
    return read["state"]
