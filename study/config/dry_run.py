"""What can be tried before anything runs: whether the device is there, and users' own methods on small tensors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call, vmap

from study.clipping import Clipping
from study.config.errors import Fault
from study.config.study import Study
from study.methods import plugins
from study.methods.base import Method
from study.methods.python_state import changed, snapshot
from study.models import MLP, sites
from study.optim.losses import CrossEntropy
from study.optim.rng import NoiseStreams, generator
from study.optim.tensors import Tensors, one_hot
from study.regularization import Objective, Regularization
from study.utils.timeout import within

BATCH, PIXELS, CLASSES = 4, 784, 10
SECONDS = 20.0
STATE = "state."
KEEP = (
    "keep what it remembers in its state, tensors that 'initial_state' starts and each call returns, and nothing in "
    "Python objects, which every seed shares and which change no more once the step is traced"
)


def faults(study: Study) -> Iterator[Fault]:
    """What of a study that is well configured cannot run here."""
    if study.device == "cuda" and not torch.cuda.is_available():
        message = "The 'device' parameter of study must be 'cpu' where torch finds no GPU. Got 'cuda' instead."
        yield Fault(("device",), message)
    for method in _methods(study):
        for index, path in enumerate(study.plugins):
            if os.path.realpath(path) == os.path.realpath(plugins.source_of(method)) and (wrong := fault_of(method)):
                yield Fault(("plugins", index), f"{wrong} ({path})")


def _methods(study: Study) -> Iterator[Method]:
    """Each method of the regimes once."""
    seen = set[str]()
    for regime in study.regimes.values():
        for method in (*regime.clips, *(one for several in regime.regularizations for one in several)):
            if (key := f"{method.owner()}{method.label}") not in seen:
                seen.add(key)
                yield method


def fault_of(method: Method) -> str | None:
    """What is wrong with a method that is called once on the tensors of a small net, alone and mapped over two."""
    hook = "initial_state"
    try:
        with within(SECONDS):
            small = Small(method)
            for hook, call in small.calls():
                if wrong := call.wrong(method):
                    return f"The '{hook}' method of {method.owner()} must {wrong} instead."
    except Exception as error:
        reason = str(error).strip().partition("\n")[0][:200]
        got = f"{type(error).__name__}: {reason}".removesuffix(": ") + plugins.line_of(error, method)
        return f"The '{hook}' method of {method.owner()} must run on the tensors of a small net. Got {got} instead."
    return None


@dataclass(frozen=True)
class Call:
    """A call of one hook: the arguments of two models, stacked; what it must return, None for a scalar."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    like: Any = None

    def wrong(self, method: Method) -> str | None:
        """What it must, and what it did."""
        first = self._of_model(0)
        kept = _each(first, Tensor.clone)
        got = self.function(*first)
        if any(not torch.equal(a, b) for a, b in zip(_tensors(first), _tensors(kept), strict=True)):
            return "leave what comes in as it is. Got a change in place"
        wanted = torch.zeros(()) if self.like is None else _each(self.like, lambda tensor: tensor[0])
        return _unlike(wanted, got) or self._remembers(method) or self._unmapped() or self._differs(got)

    def _of_model(self, index: int) -> Any:
        return _each(self.arguments, lambda tensor: tensor[index].clone())

    def _remembers(self, method: Method) -> str | None:
        """What it keeps in Python: that is written once, when the step is traced, and shared by all seeds."""
        before = snapshot(method)  # after a first call, which may have filled a cache
        self.function(*self._of_model(1))
        kept = changed(before, snapshot(method))
        return f"{KEEP}. Got another {kept} after a call" if kept else None

    def _differs(self, got: Any) -> str | None:
        pairs = zip(_tensors(got), _tensors(self.function(*self._of_model(0))), strict=True)
        same = all(torch.allclose(a, b, equal_nan=True) for a, b in pairs)
        return None if same else f"return the same for the same inputs: {KEEP}. Got other numbers at another call"

    def _unmapped(self) -> str | None:
        try:
            vmap(self.function)(*self.arguments)
        except RuntimeError as error:
            reason = str(error).strip().partition("\n")[0][:200]
            without = "without a Python 'if' on the value of a tensor and without random numbers of its own"
            return f"run mapped over seeds, {without}. Got '{reason}'"
        return None


def _unlike(wanted: Any, got: Any, name: str = "") -> str | None:
    """How what was returned differs in form from what it must be, or is not finite."""
    of = f" for '{name}'" if name else ""
    if isinstance(wanted, tuple):
        if not isinstance(got, tuple) or len(got) != len(wanted):
            return f"return a tuple of {len(wanted)}. Got {_kind(got)}"
        first = _unlike(wanted[0], got[0])
        return first or _unlike(wanted[1], got[1], STATE if isinstance(wanted[1], Mapping) else "")
    if isinstance(wanted, Mapping):
        if not isinstance(got, Mapping) or set(got) != set(wanted):
            found = f"those of {sorted(map(str, got))}" if isinstance(got, Mapping) else _kind(got)
            what = "the state that it was given, with" if name == STATE else "tensors by"
            return f"return {what} the names {sorted(wanted)}. Got {found}"
        return next((wrong for key in wanted if (wrong := _unlike(wanted[key], got[key], f"{name}{key}"))), None)
    if not isinstance(got, Tensor):
        return f"return a tensor{of}. Got {_kind(got)}"
    if got.shape != wanted.shape:
        return f"return a tensor of shape {tuple(wanted.shape)}{of}. Got {tuple(got.shape)}"
    if got.dtype != wanted.dtype:
        return f"return {wanted.dtype}{of}. Got {got.dtype}"
    # What it remembers may start at infinity.
    finite = name.startswith(STATE) or got.isfinite().all()
    return None if finite else f"return finite numbers{of}. Got {got[~got.isfinite()][0]}"


def _kind(value: object) -> str:
    return f"a tuple of {len(value)}" if isinstance(value, tuple) else type(value).__name__


def _each(tree: Any, change: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(tree, tuple):
        return tuple(_each(one, change) for one in tree)
    return {key: _each(one, change) for key, one in tree.items()} if isinstance(tree, dict) else change(tree)


def _tensors(tree: Any) -> Iterator[Tensor]:
    if isinstance(tree, Tensor):
        yield tree
    else:
        for one in tree.values() if isinstance(tree, dict) else tree:
            yield from _tensors(one)


class Small:
    """Two small nets with a gradient, a batch, and what a method remembers and draws."""

    def __init__(self, method: Method) -> None:
        self.method, model, random = method, MLP(hidden=(5,)), generator(0, "init")
        self.module = model.build(PIXELS, CLASSES)
        each = [model.initialise(self.module, random) for _ in range(2)]
        self.parameters: Tensors = {key: torch.stack([one[key] for one in each]) for key in each[0]}
        self.gradient = {key: torch.randn(p.shape, generator=random) for key, p in self.parameters.items()}
        self.x = torch.randn(2, BATCH, PIXELS, generator=random)
        self.targets = one_hot(torch.arange(2 * BATCH).view(2, BATCH), CLASSES)
        self.hidden = torch.randn(2, BATCH, 5, generator=random)
        states = [method.initial_state(one) for one in each]  # type: ignore[attr-defined]
        self.state = {key: torch.stack([state[key] for state in states]) for key in states[0]}
        self.one = each[0]

    def calls(self) -> Iterator[tuple[str, Call]]:
        """The hooks that the method has."""
        method, p, g, state = self.method, self.parameters, self.gradient, self.state
        if isinstance(method, Clipping):
            yield "clip", Call(method.clip, (g, p, state), (g, state))
        elif isinstance(method, Regularization):
            for hook, call in self._regularizes(method).items():
                if method.overrides(hook):
                    yield hook, call

    def _regularizes(self, method: Regularization) -> dict[str, Call]:
        p, g, x, targets, state, noise = self.parameters, self.gradient, self.x, self.targets, self.state, self.noise
        return {
            "batch": Call(method.batch, (x, targets, noise), (x, targets)),
            "activation": Call(lambda h, n: method.activation("hidden0", h, n), (self.hidden, noise), self.hidden),
            "penalty": Call(method.penalty, (p,)),
            "data_penalty": Call(self._data_penalty, (p, x, targets, noise)),
            "ascent": Call(method.ascent, (g, p), p),
            "before_clip": Call(method.before_clip, (g, p, noise, state), (g, state)),
            "after_clip": Call(method.after_clip, (g, p, noise, state), (g, state)),
            "update": Call(lambda p, s: method.update(p, 0.1, s), (p, state), (p, state)),
            "evaluated": Call(method.evaluated, (p, state), p),
        }

    @cached_property
    def noise(self) -> Tensors:
        """What the regularizer draws, [2, ...] each."""
        assert isinstance(self.method, Regularization)
        draws = {self.method.name: self.method.noise(sites(self.module, BATCH, PIXELS), self.one)}
        return NoiseStreams.open(draws, [0, 1]).draw(torch.device("cpu"))[self.method.name]

    def _data_penalty(self, parameters: Tensors, x: Tensor, targets: Tensor, noise: Tensors) -> Tensor:
        assert isinstance(self.method, Regularization)

        def network(p: Tensors, x: Tensor) -> Tensor:
            logits: Tensor = functional_call(self.module, p, (x,))
            return logits

        seen = Objective(x, lambda p: CrossEntropy().value(network(p, x), targets), network)
        return self.method.data_penalty(parameters, seen, noise)
