"""One call of a method on small tensors, alone and mapped over two models, and its contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from study.methods.base import Method
from study.methods.python_state import changed, snapshot
from study.utils.lazy import torch

BATCH = 4


class Shape(NamedTuple):
    """The numbers of an example, and the classes."""

    inputs: int = 784
    classes: int = 10


DIGITS = Shape()


STATE = "state."
KEEP = (
    "keep what it remembers in its state, tensors that 'initial_state' starts and each call returns, and nothing in "
    "Python objects, which every seed shares and which change no more once the step is traced"
)


@dataclass(frozen=True)
class Call:
    """Call of one hook: the arguments of two models, stacked, and the result that it must return; None for a scalar."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    like: Any = None
    others: tuple[object, ...] = ()  # must not change either

    def wrong(self, method: Method) -> str | None:
        """Return what the method must do and what it did; None if it does it."""
        first = self._of_model(0)
        kept = each_of(first, torch.Tensor.clone)
        got = self.function(*first)
        if any(not torch.equal(a, b) for a, b in zip(_tensors(first), _tensors(kept), strict=True)):
            return "leave what comes in as it is. Got a change in place"
        wanted = torch.zeros(()) if self.like is None else each_of(self.like, lambda tensor: tensor[0])
        return unlike(wanted, got) or self._remembers(method) or self._unmapped() or self._differs(got)

    def _of_model(self, index: int) -> Any:
        return each_of(self.arguments, lambda tensor: tensor[index].clone())

    def _remembers(self, method: Method) -> str | None:
        """Return what it keeps in Python, which tracing writes once and all seeds share."""
        before = snapshot(method, *self.others)  # after a first call, which may have filled a cache
        self.function(*self._of_model(1))
        kept = changed(before, snapshot(method, *self.others))
        return f"{KEEP}. Got another {kept} after a call" if kept else None

    def _differs(self, got: Any) -> str | None:
        pairs = zip(_tensors(got), _tensors(self.function(*self._of_model(0))), strict=True)
        same = all(torch.allclose(a, b, equal_nan=True) for a, b in pairs)
        return None if same else f"return the same for the same inputs: {KEEP}. Got other numbers at another call"

    def _unmapped(self) -> str | None:
        try:
            torch.func.vmap(self.function)(*self.arguments)
        except RuntimeError as error:
            reason = str(error).strip().partition("\n")[0][:200]
            without = "without a Python 'if' on the value of a tensor and without random numbers of its own"
            return f"run mapped over seeds, {without}. Got '{reason}'"
        return None


def unlike(wanted: Any, got: Any, name: str = "") -> str | None:
    """Return how a result differs in form from the wanted one, or is not finite; None if it does neither."""
    of = f" for '{name}'" if name else ""
    if isinstance(wanted, tuple):
        if not isinstance(got, tuple) or len(got) != len(wanted):
            return f"return a tuple of {len(wanted)}. Got {_kind(got)}"
        first = unlike(wanted[0], got[0])
        return first or unlike(wanted[1], got[1], STATE if isinstance(wanted[1], Mapping) else "")
    if isinstance(wanted, Mapping):
        if not isinstance(got, Mapping) or set(got) != set(wanted):
            found = f"those of {sorted(map(str, got))}" if isinstance(got, Mapping) else _kind(got)
            what = "the state that it was given, with" if name == STATE else "tensors by"
            return f"return {what} the names {sorted(wanted)}. Got {found}"
        return next((wrong for key in wanted if (wrong := unlike(wanted[key], got[key], f"{name}{key}"))), None)
    if not isinstance(got, torch.Tensor):
        return f"return a tensor{of}. Got {_kind(got)}"
    if got.shape != wanted.shape:
        return f"return a tensor of shape {tuple(wanted.shape)}{of}. Got {tuple(got.shape)}"
    if got.dtype != wanted.dtype:
        return f"return {wanted.dtype}{of}. Got {got.dtype}"
    # A state may start at infinity.
    finite = name.startswith(STATE) or got.isfinite().all()
    return None if finite else f"return finite numbers{of}. Got {got[~got.isfinite()][0]}"


def _kind(value: object) -> str:
    return f"a tuple of {len(value)}" if isinstance(value, tuple) else type(value).__name__


def each_of(tree: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    if isinstance(tree, tuple):
        return tuple(each_of(one, change) for one in tree)
    return {key: each_of(one, change) for key, one in tree.items()} if isinstance(tree, dict) else change(tree)


def _tensors(tree: Any) -> Iterator[torch.Tensor]:
    if isinstance(tree, torch.Tensor):
        yield tree
    else:
        for one in tree.values() if isinstance(tree, dict) else tree:
            yield from _tensors(one)
