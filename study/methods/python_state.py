"""Python objects that a method's code can reach and change between calls, outside of its declared state."""

from __future__ import annotations

import inspect
import random
import sys
import warnings
from collections import deque
from collections.abc import Iterator, Mapping, Set
from functools import cache, partial
from pathlib import Path
from types import FunctionType, GeneratorType, MethodType, ModuleType
from typing import Any

import numpy as np

from study.parameters import shown
from study.utils.imports import ROOT, closure, is_own
from study.utils.lazy import torch

LIBRARY = ROOT / "study"
MOST = 10_000  # objects that are looked at below one name
PLAIN = (bool, int, float, complex, str, bytes, type(None))


def snapshot(method: object, *others: object) -> dict[str, Any]:
    """Return what the method, its classes, closures, users' modules and other objects hold, by name.

    Equal while nothing changes. It includes the random states of Python and numpy, so drawing numbers changes it.
    """
    held = [*_held(method), *((f"'{type(other).__name__}'", other) for other in others)]
    return {name: Walk().seen(value) for name, value in held}


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """Return the first difference of two snapshots, as "'steps' in mine.py (1, then 2)"; None where they are equal."""
    for name in {**before, **after}:
        old, new = before.get(name, "nothing"), after.get(name, "nothing")
        if old != new:
            return f"{name} ({_brief(old)}, then {_brief(new)})" if _brief(old) != _brief(new) else name
    return None


def _held(method: object) -> Iterator[tuple[str, Any]]:
    for name, value in {**vars(method), **(getattr(method, "__pydantic_private__", None) or {})}.items():
        yield f"'self.{name}'", value
    bases = [base for base in type(method).__mro__ if _file_of(base).is_file() and is_own(_file_of(base))]
    for base in bases:
        for name, value in vars(base).items():
            if not name.startswith(("__", "_abc_", "model_")) and name != "members":
                yield f"'{base.__name__}.{name}'", value
    own = [_file_of(base) for base in bases if not _file_of(base).is_relative_to(LIBRARY)]
    files = closure(own, installed=True) if own else set()
    for module in [*sys.modules.values()]:
        file = _resolved(str(getattr(module, "__file__", None) or ""))
        if file in files and not file.is_relative_to(LIBRARY):
            for name, value in [*vars(module).items()]:
                if not name.startswith("__"):
                    yield f"'{name}' in {file.name}", value
    yield "the random numbers of Python's 'random'", random.getstate()
    yield "the random numbers of 'numpy.random'", np.random.get_state()  # noqa: NPY002


@cache
def _resolved(file: str) -> Path:
    """Return the real path of a file, looked up once: thousands of modules are loaded, and each is asked for often."""
    return Path(file).resolve()


def _file_of(kind: type) -> Path:
    try:
        return _resolved(inspect.getsourcefile(kind) or "")
    except (TypeError, OSError):
        return Path("/")


def _brief(seen: Any) -> str:
    """A snapshot of one thing in words."""
    match seen:
        case ("plain", text):
            return str(text)
        case ("several", kind, *items):
            return f"a {kind} of {len(items)}"
        case (str(kind), *_):
            return f"a {kind}"
    return str(seen)


class Walk:
    """A pass over a value and all that it holds, as nested tuples."""

    def __init__(self) -> None:
        self.met = dict[int, Any]()  # by identity, and kept alive so that no other object takes it

    def seen(self, value: Any) -> Any:
        """Return the kinds, numbers and texts of a value."""
        if isinstance(value, PLAIN):
            return "plain", shown(value)
        if id(value) in self.met or len(self.met) > MOST:
            return "again", list(self.met).index(id(value)) if id(value) in self.met else MOST
        self.met[id(value)] = value
        if isinstance(value, torch.Tensor):
            return "tensor", tuple(value.shape), _bytes_of(value)
        if isinstance(value, np.ndarray | np.generic):
            return "array", value.shape, value.tobytes()
        if isinstance(value, Mapping):
            return "several", type(value).__name__, *((repr(key), self.seen(one)) for key, one in [*value.items()])
        if isinstance(value, list | tuple | deque):
            return "several", type(value).__name__, *map(self.seen, [*value])
        if isinstance(value, Set):
            return "several", type(value).__name__, *sorted(map(repr, value))
        return type(value).__name__, *((name, self.seen(part)) for name, part in self._parts(value))

    def _parts(self, value: Any) -> Iterator[tuple[str, Any]]:
        """Yield the other objects that an object holds and that can change."""
        if isinstance(value, staticmethod | classmethod | MethodType):
            value = value.__func__
        if isinstance(value, property):
            value = value.fget
        if isinstance(value, ModuleType):
            return
        if isinstance(value, type):
            if is_own(_file_of(value)) and not _file_of(value).is_relative_to(LIBRARY):
                yield from ((name, part) for name, part in vars(value).items() if not name.startswith(("__", "_abc_")))
        elif isinstance(value, FunctionType):
            if is_own(Path(value.__code__.co_filename).resolve()):
                cells = zip(value.__code__.co_freevars, value.__closure__ or (), strict=True)
                yield from ((name, cell.cell_contents) for name, cell in cells if not _is_empty(cell))
                yield from (("default", value.__defaults__), ("default", value.__kwdefaults__), ("own", vars(value)))
        elif isinstance(value, GeneratorType):
            yield "at", (value.gi_frame.f_lasti, dict(value.gi_frame.f_locals)) if value.gi_frame else None
        elif isinstance(value, random.Random):
            yield "state", value.getstate()
        elif isinstance(value, np.random.Generator):
            yield "state", value.bit_generator.state
        elif isinstance(value, torch.Generator):
            yield "state", value.get_state()
        elif isinstance(value, partial):
            yield "of", (value.func, value.args, value.keywords)
        elif hasattr(value, "cache_info"):
            yield "size", value.cache_info().currsize
            yield "of", getattr(value, "__wrapped__", None)
        elif isinstance(value, Iterator):
            yield "at", _reduced(value)
        else:
            slots = [name for kind in type(value).__mro__ for name in _slots(kind)]
            yield from ((name, getattr(value, name)) for name in slots if hasattr(value, name))
            yield from [*getattr(value, "__dict__", {}).items()]


def _bytes_of(tensor: torch.Tensor) -> bytes:
    try:
        return bytes(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    except (RuntimeError, TypeError):  # one of those that exist while a function is mapped or traced
        return b""


def _is_empty(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return True
    return False


def _slots(kind: type) -> tuple[str, ...]:
    slots = kind.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(name for name in slots if not name.startswith("__"))


def _reduced(value: Any) -> str:
    """Return the position of an iterator, as text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return repr(value.__reduce__())
        except (TypeError, AttributeError):
            return repr(value)
