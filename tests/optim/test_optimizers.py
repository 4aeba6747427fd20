"""Optimizers against torch's own, optax and a plain version; stacked replicates move as each would alone."""

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

from study.optim.optimizers import SGD, Adam, AdamW, Optimizer
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
    w, places = {"w": start}, []
    state = rule.initial_state(w)
    for i, gradient in enumerate(steps):
        ahead, state = rule.direction({"w": gradient}, state, w)
        w = {"w": w["w"] - (rates[i] if rates else rule.lr) * ahead["w"]}
        places.append(w["w"])
    return torch.stack(places)


TORCH: dict[str, Callable[[Any, Any], torch.optim.Optimizer]] = {
    "sgd": lambda o, p: torch.optim.SGD(p, o.lr, o.momentum, nesterov=o.nesterov),
    "adam": lambda o, p: torch.optim.Adam(p, o.lr, (o.beta1, o.beta2), o.epsilon),
    "adamw": lambda o, p: torch.optim.AdamW(p, o.lr, (o.beta1, o.beta2), o.epsilon, o.weight_decay),
    "rmsprop": lambda o, p: torch.optim.RMSprop(p, o.lr, o.smoothing, o.epsilon),
}


@each
@given(seed=st.integers(0, 1000))
@settings(max_examples=5)
def test_it_moves_as_torchs_does(rule: Optimizer, seed: int) -> None:
    """Also where the learning rate moves."""
    start, steps = gradients(seed + 1, 4, 3)[0], gradients(seed, 4, 3)
    rates = [rule.lr / (i + 1) for i in range(STEPS)]
    parameter = torch.nn.Parameter(start.clone())
    oracle = TORCH[rule.name](rule, [parameter])
    for ours, gradient, lr in zip(path(rule, start, steps, rates), steps, rates, strict=True):
        oracle.param_groups[0]["lr"], parameter.grad = lr, gradient.clone()
        oracle.step()
        torch.testing.assert_close(ours, parameter.detach(), rtol=1e-4, atol=1e-6)


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


def test_plain_descent_goes_along_the_gradient_itself() -> None:
    """So that the size of its steps is known without another pass over it."""
    gradient = {"w": torch.ones(2, 3)}
    assert SGD(lr=0.1).direction(gradient, {}, gradient)[0] is gradient


def test_adamw_without_decay_is_adam() -> None:
    start, steps = gradients(1, 9)[0], gradients(0, 9)
    assert torch.equal(path(AdamW(weight_decay=0), start, steps), path(Adam(), start, steps))


def test_adamw_is_adam_with_the_decay_kept_apart() -> None:
    adam, kept_apart = Adam(lr=0.01), DecoupledDecay(strength=0.1, biases=True)
    start, steps = gradients(1, 9)[0], gradients(0, 9)
    w = {"w": start}
    state = adam.initial_state(w)
    for gradient in steps:
        _, before = kept_apart.after_clip({"w": gradient}, w, {}, {})
        ahead, state = adam.direction({"w": gradient}, state, w)
        w, _ = kept_apart.update({"w": w["w"] - adam.lr * ahead["w"]}, adam.lr, before)
    together = path(AdamW(lr=0.01, weight_decay=0.1), start, steps)[-1]
    torch.testing.assert_close(w["w"], together, rtol=1e-5, atol=1e-6)
    assert not torch.allclose(together, path(adam, start, steps)[-1], rtol=1e-3)


def test_adamw_decays_all_parameters() -> None:
    rule, parameters = AdamW(lr=0.1, weight_decay=0.5), {"w": torch.ones(2, 2), "b": torch.ones(2)}
    nothing = {key: torch.zeros_like(p) for key, p in parameters.items()}
    ahead, _ = rule.direction(nothing, rule.initial_state(parameters), parameters)
    assert all(torch.allclose(p - 0.1 * ahead[key], torch.full_like(p, 0.95)) for key, p in parameters.items())
