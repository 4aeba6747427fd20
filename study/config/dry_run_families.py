"""Dry runs of users' models, losses, metrics, optimizers and schedules: one call of each, checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import wraps
from typing import ParamSpec, TypeVar

from study.config.dry_run_call import BATCH, DIGITS, KEEP, Call, Shape, unlike
from study.methods.base import Method
from study.methods.python_state import changed, snapshot
from study.models import Model
from study.models.mlp import MLP
from study.optim.losses import Loss
from study.optim.metrics import Metric
from study.optim.optimizers import Optimizer
from study.optim.rng import generator
from study.optim.schedules import Schedule
from study.optim.tensors import Tensors, one_hot
from study.utils.lazy import torch

R = TypeVar("R")
P = ParamSpec("P")
DryRun = Callable[[], str | None]
"""What a method must do and did instead, None where all is right."""


def _without_gradients(function: Callable[P, R]) -> Callable[P, R]:
    """Return the function under `torch.no_grad`, which as a decorator would load torch with this module."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        with torch.no_grad():
            return function(*args, **kwargs)

    return call


def dry_runs(method: Method, shape: Shape) -> Iterator[tuple[str, DryRun]]:
    """Yield the hooks of a model, loss, metric, optimizer or schedule, each with its dry run."""
    if isinstance(method, Model):
        yield from _of_model(method, shape)
    elif isinstance(method, Loss):
        yield from _of_loss(method, shape)
    elif isinstance(method, Metric):
        yield "value", lambda: _measured(method, shape)
    elif isinstance(method, Optimizer):
        yield "build" if method.by_torch else "direction", lambda: _optimizer(method)
    elif isinstance(method, Schedule):
        yield "factor", lambda: _schedule(method)


def _of_model(method: Model, shape: Shape) -> Iterator[tuple[str, DryRun]]:
    yield "network", lambda: _buffers(method, method.build(*shape))
    yield "initialise", lambda: _initialised(method, method.build(*shape))
    yield "network", lambda: _forward(method, method.build(*shape), shape)


def _buffers(method: Model, module: torch.nn.Module) -> str | None:
    from study.models.networks.batch_norm import fresh_statistics, layers_of

    running = fresh_statistics(module)
    if names := [f"'{name}'" for name, _ in module.named_buffers() if name not in running]:
        but = "those of batch normalization with a momentum"
        return f"build a module without buffers but {but}: all seeds would share them. Got {', '.join(names)}"
    if running and not method.normalizes_batches:
        layer = next(name for name, _ in layers_of(module))
        must = "leave out batch normalization unless the model has a true 'batch_norm', by which others know of it"
        return f"{must}. Got the layer '{layer}'"
    return None


def _initialised(method: Model, module: torch.nn.Module) -> str | None:
    wanted = {name: p.detach() for name, p in module.named_parameters()}
    first, second = (method.initialise(module, generator(0, "init")) for _ in range(2))
    if wrong := unlike(wanted, first):
        return wrong
    same = all(torch.equal(first[key], second[key]) for key in wanted)
    return None if same else "draw from the generator alone. Got other numbers from the same generator"


def _forward(method: Model, module: torch.nn.Module, shape: Shape) -> str | None:
    from study.models.networks.batch_norm import in_training

    random = generator(0, "init")
    each = [method.initialise(module, random) for _ in range(2)]
    parameters = {key: torch.stack([one[key] for one in each]) for key in each[0]}
    x = torch.randn(2, BATCH, shape.inputs, generator=random)

    def logits(p: Tensors, x: torch.Tensor) -> torch.Tensor:
        with in_training(module):
            found: torch.Tensor = torch.func.functional_call(module, p, (x,))
        return found

    return Call(logits, (parameters, x), torch.zeros(2, BATCH, shape.classes), (module,)).wrong(method)


def _of_loss(method: Loss, shape: Shape) -> Iterator[tuple[str, DryRun]]:
    logits = torch.randn(2, BATCH, shape.classes, generator=generator(0, "init"))
    targets = one_hot(torch.arange(2 * BATCH).view(2, BATCH) % shape.classes, shape.classes)
    yield "value", lambda: Call(method.value, (logits, targets)).wrong(method)
    yield (
        "value",
        lambda: Call(lambda z, t: torch.func.grad(method.value)(z, t), (logits, targets), logits).wrong(method),
    )


@_without_gradients
def _measured(method: Metric, shape: Shape) -> str | None:
    logits = torch.randn(5 * shape.classes, shape.classes, generator=generator(0, "init"))
    labels = torch.arange(5 * shape.classes) % shape.classes
    before, given = snapshot(method), (logits.clone(), labels.clone())
    got = [method.value(*given) for _ in range(2)]
    if not (torch.equal(given[0], logits) and torch.equal(given[1], labels)):
        return "leave what comes in as it is. Got a change in place"
    if kept := changed(before, snapshot(method)):
        return f"keep nothing in Python objects. Got another {kept} after a call"
    first = got[0]
    if isinstance(first, torch.Tensor) and first.numel() != 1:
        return f"return one number. Got a tensor of shape {tuple(first.shape)}"
    if isinstance(first, bool) or not isinstance(first, torch.Tensor | int | float):
        return f"return one number. Got {type(first).__name__}"
    if not math.isfinite(float(first)):
        return f"return a finite number where every class is there. Got {float(first)}"
    return None if float(first) == float(got[1]) else "return the same for the same inputs. Got another number"


@_without_gradients
def _optimizer(method: Optimizer) -> str | None:
    together = _optimized(method, slice(0, 2))
    before = snapshot(method)
    alone = [_optimized(method, slice(index, index + 1)) for index in range(2)]
    if kept := changed(before, snapshot(method)):
        return f"keep what it remembers in torch's optimizer, which is built anew for each training. Got another {kept}"
    if not all(p.isfinite().all() for p in together.values()):
        return "leave finite parameters. Got others after two steps"
    if method.scale_invariant and (wrong := _scaled(method, together)):
        return wrong
    each = {key: torch.cat([one[key] for one in alone]) for key in together}
    same = all(torch.allclose(p, each[key], rtol=1e-4, atol=1e-6) for key, p in together.items())
    must = "treat each seed's parameters by themselves (tensors are [seeds, ...]; a norm over a whole one mixes them)"
    return None if same else f"{must}. Got other numbers for two seeds together than for each alone"


def _scaled(method: Optimizer, plain: Tensors) -> str | None:
    """Return what is wrong with an optimizer that declares its steps invariant to the gradient's scale."""
    far = _optimized(method, slice(0, 2), 100.0)
    same = all(torch.allclose(p, far[key], rtol=1e-2, atol=1e-2 * method.lr) for key, p in plain.items())
    must = "take the same steps where all gradients are a hundred times as large, as 'scale_invariant' says"
    return None if same else f"{must}. Got others"


def _optimized(method: Optimizer, seeds: slice, scale: float = 1.0) -> Tensors:
    """Return the stacked parameters [R, ...] of the models of `seeds` after two steps."""
    model, random = MLP(hidden=(5,)), generator(0, "init")
    module = model.build(*DIGITS)
    each = [model.initialise(module, random) for _ in range(2)]
    stacked = {key: torch.stack([one[key] for one in each]) for key in each[0]}
    gradient = {key: torch.randn(p.shape, generator=random) for key, p in stacked.items()}
    parameters: Tensors = {key: torch.nn.Parameter(p[seeds].clone()) for key, p in stacked.items()}
    gradient = {key: scale * g[seeds] for key, g in gradient.items()}
    return _by_torch(method, parameters, gradient) if method.by_torch else _by_direction(method, parameters, gradient)


def _by_torch(method: Optimizer, parameters: Tensors, gradient: Tensors) -> Tensors:
    optimizer = method.build(parameters.values())
    for group in optimizer.param_groups:
        group["lr"] = method.lr
    for _ in range(2):
        for key, p in parameters.items():
            p.grad = gradient[key].clone()
        optimizer.step()
    return {key: p.detach() for key, p in parameters.items()}


@_without_gradients
def _by_direction(method: Optimizer, parameters: Tensors, gradient: Tensors) -> Tensors:
    state = method.initial_state(parameters)
    for _ in range(2):
        ahead, state = method.direction(gradient, state, parameters)
        parameters = {key: p - method.lr * ahead[key] for key, p in parameters.items()}
    return parameters


def _schedule(method: Schedule) -> str | None:
    steps = 1_000
    for step in (0, 1, steps // 2, steps - 1):
        got = method.factor(step, steps)
        if isinstance(got, bool) or not isinstance(got, int | float) or not math.isfinite(got) or got < 0:
            return f"return a finite number of at least 0. Got {got!r} at step {step} of {steps:,}"
    before = snapshot(method)
    again = method.factor(0, steps), method.factor(0, steps)
    if (kept := changed(before, snapshot(method))) or again[0] != again[1]:
        return f"depend on the step alone: {KEEP}. Got another {kept or 'number for the same step'}"
    return None
