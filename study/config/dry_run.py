"""Checks before anything runs: whether the device exists, and whether users' methods work on small tensors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property, partial
from pathlib import Path

from study.clipping import Clipping, PerSample
from study.config.dry_run_call import BATCH, DIGITS, Call, Shape
from study.config.dry_run_families import DryRun, dry_runs
from study.config.errors import Fault
from study.config.regime import Regime
from study.config.study import Study
from study.config.yaml_files import near
from study.methods import plugins
from study.methods.base import Method
from study.models import outside_linear_layers, sites
from study.models.mlp import MLP
from study.optim.losses import CrossEntropy
from study.optim.optimizers import Optimizer
from study.optim.rng import NoiseStreams, generator
from study.optim.tensors import Tensors, one_hot
from study.regularization import Objective, Regularization
from study.utils.imports import ROOT
from study.utils.lazy import torch
from study.utils.timeout import contained

SECONDS = 60.0  # for one method; a machine may be busy


def faults(study: Study) -> Iterator[Fault]:
    """Yield the faults of a valid study that cannot run on this machine."""
    if study.device == "cuda" and not torch.cuda.is_available():
        message = "The 'device' parameter of study must be 'cpu' where torch finds no GPU. Got 'cuda' instead."
        yield Fault(("device",), message)
    if alone := list(_methods_that_fail(study)):
        yield from alone  # a method that fails alone cannot be tried with others
    else:
        yield from _without_sample_gradients(study)


def _methods_that_fail(study: Study) -> Iterator[Fault]:
    """Yield a fault for each method of a user's file that raises or breaks its contract."""
    for method, shape in _methods(study):
        file = os.path.realpath(plugins.source_of(method))
        if not Path(file).is_relative_to(ROOT / "study") and (wrong := fault_of(method, shape)):
            named = [index for index, path in enumerate(study.plugins) if os.path.realpath(path) == file]
            path = study.plugins[named[0]] if named else near(file)
            yield Fault(("plugins", *named[:1]), f"{wrong} ({path})")


def _without_sample_gradients(study: Study) -> Iterator[Fault]:
    """Yield models with parameters outside linear layers, under a clip that needs per-sample gradients."""
    for name, regime in study.regimes.items():
        clips = [clip.label for clip in regime.clips if isinstance(clip, PerSample)]
        if clips and (outside := outside_linear_layers(regime.model.build(*shape_of(regime)))):
            wanted = f"be free of clips by sample where {regime.model.owner()} has parameters outside nn.Linear layers"
            message = f"The 'clips' parameter of regime '{name}' must {wanted}. Got '{clips[0]}' and {outside} instead."
            yield Fault(("regimes", name, "clips"), message)


def shape_of(regime: Regime) -> Shape:
    """Return the shape of the examples that a regime trains on."""
    return Shape(regime.data.holds.inputs, regime.data.holds.classes)


def _methods(study: Study) -> Iterator[tuple[Method, Shape]]:
    """Yield each method of the regimes once for each shape of examples."""
    seen = set[str]()
    for regime in study.regimes.values():
        settings = (regime.workload, regime.model, regime.loss, regime.optimizer, regime.schedule)
        for method in (
            *settings,
            *regime.metrics,
            *regime.clips,
            *(one for several in regime.regularizations for one in several),
        ):
            if (key := f"{method.owner()}{method.label}{shape_of(regime)}") not in seen:
                seen.add(key)
                yield method, shape_of(regime)


def fault_of(method: Method, shape: Shape = DIGITS) -> str | None:
    """Return the fault of a method called once on a small net, alone and mapped over two; None if there is none."""
    hook = "initial_state"
    if isinstance(method, Optimizer):
        torch.optim.SGD([torch.zeros(1)])  # the first call imports much of torch, before the time limit starts
    try:
        with contained(SECONDS):
            small = Small(method, shape) if isinstance(method, Clipping | Regularization) else None
            for hook, dry_run in small.dry_runs() if small else dry_runs(method, shape):
                if wrong := dry_run():
                    return f"The '{hook}' method of {method.owner()} must {wrong} instead."
    except Exception as error:
        got = plugins.reason_of(error) + plugins.line_of(error, method)
        return f"The '{hook}' method of {method.owner()} must run on the tensors of a small net. Got {got} instead."
    return None


class Small:
    """Two small nets with a gradient, a batch, and the state and noise of a method."""

    def __init__(self, method: Method, shape: Shape = DIGITS) -> None:
        self.method, model, random = method, MLP(hidden=(5,)), generator(0, "init")
        self.shape, self.module = shape, model.build(*shape)
        each = [model.initialise(self.module, random) for _ in range(2)]
        self.parameters: Tensors = {key: torch.stack([one[key] for one in each]) for key in each[0]}
        self.gradient = {key: torch.randn(p.shape, generator=random) for key, p in self.parameters.items()}
        self.x = torch.randn(2, BATCH, shape.inputs, generator=random)
        self.targets = one_hot(torch.arange(2 * BATCH).view(2, BATCH) % shape.classes, shape.classes)
        self.hidden = torch.randn(2, BATCH, 5, generator=random)
        states = [method.initial_state(one) for one in each]  # type: ignore[attr-defined]
        self.state = {key: torch.stack([state[key] for state in states]) for key in states[0]}
        self.one = each[0]

    def dry_runs(self) -> Iterator[tuple[str, DryRun]]:
        """Yield the hooks of the method, each with its dry run."""
        for hook, call in self.calls():
            yield hook, partial(call.wrong, self.method)

    def calls(self) -> Iterator[tuple[str, Call]]:
        """Yield the hooks of the method, each with its call."""
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
        """Random numbers that the regularizer asks for, [2, ...] each."""
        assert isinstance(self.method, Regularization)
        draws = {self.method.name: self.method.noise(sites(self.module, BATCH, self.shape.inputs), self.one)}
        return NoiseStreams.open(draws, [0, 1]).draw(torch.device("cpu"))[self.method.name]

    def _data_penalty(
        self, parameters: Tensors, x: torch.Tensor, targets: torch.Tensor, noise: Tensors
    ) -> torch.Tensor:
        assert isinstance(self.method, Regularization)

        def network(p: Tensors, x: torch.Tensor) -> torch.Tensor:
            logits: torch.Tensor = torch.func.functional_call(self.module, p, (x,))
            return logits

        seen = Objective(x, lambda p: CrossEntropy().value(network(p, x), targets), network)
        return self.method.data_penalty(parameters, seen, noise)
