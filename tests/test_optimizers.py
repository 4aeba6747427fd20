"""Optimizers against optax and a plain version; stacked replicates move as each would alone."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from cases import OPTIMIZERS
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from study.optimizers import SGD, Adam, AdamW, Optimizer
from study.regularization.decoupled_decay import DecoupledDecay

EVERY = {
    f"{name} {i}": Optimizer.parse({"name": name, **given})
    for name, several in OPTIMIZERS.items()
    for i, given in enumerate(several)
}
each = pytest.mark.parametrize("rule", EVERY.values(), ids=EVERY)
STEPS = 12


def gradients(seed: int, *shape: int) -> Tensor:
    """One for each step."""
    return torch.randn(STEPS, *shape, generator=torch.Generator().manual_seed(seed))


def path(rule: Optimizer, start: Tensor, steps: Tensor, rates: list[float] | None = None) -> Tensor:
    """The parameter after each step."""
    parameter = torch.nn.Parameter(start.clone())
    optimizer, places = rule.build([parameter]), []
    for i, gradient in enumerate(steps):
        parameter.grad = gradient.clone()
        if rates:
            optimizer.param_groups[0]["lr"] = rates[i]
        optimizer.step()
        places.append(parameter.detach().clone())
    return torch.stack(places)


OPTAX: dict[str, Callable[[Any], optax.GradientTransformation]] = {
    "sgd": lambda o: optax.sgd(o.lr, o.momentum or None, o.nesterov),
    "adam": lambda o: optax.adam(o.lr, o.beta1, o.beta2, o.epsilon),
    "adamw": lambda o: optax.adamw(o.lr, o.beta1, o.beta2, o.epsilon, weight_decay=o.weight_decay),
    "rmsprop": lambda o: optax.rmsprop(o.lr, o.smoothing, o.epsilon, eps_in_sqrt=False),
}


@each
@given(seed=st.integers(0, 1000))
@settings(max_examples=3)
def test_it_moves_as_optaxs_does(rule: Optimizer, seed: int) -> None:
    start, steps = gradients(seed + 1, 4, 3)[0], gradients(seed, 4, 3)
    there = jnp.asarray(start.numpy())
    oracle = OPTAX[rule.name](rule)
    state = oracle.init(there)
    for ours, gradient in zip(path(rule, start, steps), steps, strict=True):
        update, state = oracle.update(jnp.asarray(gradient.numpy()), state, there)
        there = optax.apply_updates(there, update)
        np.testing.assert_allclose(ours.numpy(), np.asarray(there), rtol=1e-4, atol=1e-5)


def plainly(rule: Any, w: float, gradients: list[float]) -> list[float]:
    """Each rule as its docstring has it, one number at a time."""
    m = v = 0.0
    places = []
    for t, g in enumerate(gradients, 1):
        if rule.name == "sgd":
            v = rule.momentum * v + g
            w -= rule.lr * (g + rule.momentum * v if rule.nesterov else v)
        elif rule.name == "rmsprop":
            v = rule.smoothing * v + (1 - rule.smoothing) * g * g
            w -= rule.lr * g / (v**0.5 + rule.epsilon)
        else:
            w *= 1 - rule.lr * getattr(rule, "weight_decay", 0.0)
            m = rule.beta1 * m + (1 - rule.beta1) * g
            v = rule.beta2 * v + (1 - rule.beta2) * g * g
            w -= rule.lr * m / (1 - rule.beta1**t) / ((v / (1 - rule.beta2**t)) ** 0.5 + rule.epsilon)
        places.append(w)
    return places


@each
def test_it_moves_as_its_formula_says(rule: Optimizer) -> None:
    steps = gradients(3, 1)
    expected = plainly(rule, 0.7, steps.flatten().tolist())
    np.testing.assert_allclose(path(rule, torch.tensor([0.7]), steps).flatten(), expected, rtol=1e-4, atol=1e-6)


@each
def test_stacked_replicates_move_as_each_alone_bit_for_bit(rule: Optimizer) -> None:
    start, steps = gradients(1, 5, 7, 3)[0], gradients(0, 5, 7, 3)
    together = path(rule, start, steps)
    for r in range(5):
        assert torch.equal(together[:, r], path(rule, start[r], steps[:, r]))


@each
def test_the_velocity_is_the_update_over_the_learning_rate_or_not_known(rule: Optimizer) -> None:
    """Also where the learning rate moves."""
    parameter = torch.nn.Parameter(gradients(1, 6)[0])
    optimizer = rule.build([parameter])
    for i, gradient in enumerate(gradients(0, 6)):
        lr = optimizer.param_groups[0]["lr"] = 0.1 / (i + 1)
        parameter.grad, before = gradient.clone(), parameter.detach().clone()
        optimizer.step()
        velocity = rule.velocity(optimizer, parameter)
        if velocity is None:
            assert rule.name != "sgd" or rule.nesterov
        else:
            torch.testing.assert_close(before - parameter.detach(), lr * velocity, rtol=1e-4, atol=1e-6)


def test_a_velocity_is_known_for_plain_descent_and_momentum() -> None:
    """So that the size of an update needs no copy of the parameters."""
    parameter = torch.nn.Parameter(torch.ones(3))
    for rule in (SGD(lr=0.1), SGD(lr=0.1, momentum=0.9)):
        optimizer = rule.build([parameter])
        parameter.grad = torch.ones(3)
        optimizer.step()
        assert rule.velocity(optimizer, parameter) is not None


def test_adamw_without_decay_is_adam() -> None:
    start, steps = gradients(1, 9)[0], gradients(0, 9)
    assert torch.equal(path(AdamW(weight_decay=0), start, steps), path(Adam(), start, steps))


def test_adamw_is_adam_with_the_decay_kept_apart() -> None:
    adam, kept_apart = Adam(lr=0.01), DecoupledDecay(strength=0.1, biases=True)
    parameter = torch.nn.Parameter(gradients(1, 9)[0])
    start, steps = parameter.detach().clone(), gradients(0, 9)
    optimizer = adam.build([parameter])
    for gradient in steps:
        parameter.grad = gradient.clone()
        _, state = kept_apart.after_clip({"w": gradient}, {"w": parameter.detach()}, {}, {})
        optimizer.step()
        shrunk, _ = kept_apart.update({"w": parameter.detach()}, adam.lr, state)
        with torch.no_grad():
            parameter.copy_(shrunk["w"])
    together = path(AdamW(lr=0.01, weight_decay=0.1), start, steps)[-1]
    torch.testing.assert_close(parameter.detach(), together, rtol=1e-5, atol=1e-6)
    assert not torch.allclose(together, path(adam, start, steps)[-1], rtol=1e-3)


def test_adamw_decays_all_parameters() -> None:
    parameters = [torch.nn.Parameter(torch.ones(2, 2)), torch.nn.Parameter(torch.ones(2))]
    optimizer = AdamW(lr=0.1, weight_decay=0.5).build(parameters)
    for p in parameters:
        p.grad = torch.zeros_like(p)
    optimizer.step()
    assert all(torch.allclose(p, torch.full_like(p, 0.95)) for p in parameters)
