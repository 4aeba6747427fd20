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
    parameter = torch.nn.Parameter(start.clone())
    optimizer, places = rule.start({"w": parameter}), []
    for i, gradient in enumerate(steps):
        optimizer.step({"w": gradient.clone()}, {}, rates[i] if rates else rule.lr)
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
def test_the_size_of_a_move_is_known_or_a_copy_is_asked_for(rule: Optimizer) -> None:
    """Also where the learning rate moves."""
    parameter = torch.nn.Parameter(gradients(1, 5, 6)[0])
    optimizer = rule.start({"w": parameter})
    for i, gradient in enumerate(gradients(0, 5, 6)):
        lr, before = 0.1 / (i + 1), parameter.detach().clone()
        optimizer.step({"w": gradient}, {}, lr)
        if optimizer.knows_move:
            found = optimizer.moved(lr)
            expected = (before - parameter.detach()).norm(dim=1)
            known = lr * gradient.norm(dim=1) if found is None else found
            torch.testing.assert_close(known, expected, rtol=1e-3, atol=1e-6)


def test_no_copy_is_asked_for_by_plain_descent_and_momentum() -> None:
    for rule in (SGD(lr=0.1), SGD(lr=0.1, momentum=0.9)):
        assert rule.start({"w": torch.ones(2, 3)}).knows_move


@each
def test_coefficients_act_as_if_they_were_in_the_gradient(rule: Optimizer) -> None:
    """A coefficient of 1 to the last bit, as if there were none."""
    whole, apart, none = (torch.nn.Parameter(gradients(1, 5, 6)[0].clone()) for _ in range(3))
    movers = [rule.start({"w": p}) for p in (whole, apart, none)]
    for gradient, c in zip(gradients(0, 5, 6), gradients(2, 5), strict=True):
        c = torch.where(c > 0, c.clamp(max=1), 1.0)
        movers[0].step({"w": gradient * c[:, None]}, {}, rule.lr)
        movers[1].step({"w": gradient}, {"w": c}, rule.lr)
        movers[2].step({"w": gradient * c[:, None]}, {"w": torch.ones(5)}, rule.lr)
    torch.testing.assert_close(apart, whole, rtol=1e-4, atol=1e-6)
    assert torch.equal(none, whole)


def test_adamw_without_decay_is_adam() -> None:
    start, steps = gradients(1, 9)[0], gradients(0, 9)
    assert torch.equal(path(AdamW(weight_decay=0), start, steps), path(Adam(), start, steps))


def test_adamw_is_adam_with_the_decay_kept_apart() -> None:
    adam, kept_apart = Adam(lr=0.01), DecoupledDecay(strength=0.1, biases=True)
    parameter = torch.nn.Parameter(gradients(1, 9)[0])
    start, steps = parameter.detach().clone(), gradients(0, 9)
    optimizer = adam.start({"w": parameter})
    for gradient in steps:
        _, state = kept_apart.after_clip({"w": gradient}, {"w": parameter.detach()}, {}, {})
        optimizer.step({"w": gradient}, {}, adam.lr)
        shrunk, _ = kept_apart.update({"w": parameter.detach()}, adam.lr, state)
        with torch.no_grad():
            parameter.copy_(shrunk["w"])
    together = path(AdamW(lr=0.01, weight_decay=0.1), start, steps)[-1]
    torch.testing.assert_close(parameter.detach(), together, rtol=1e-5, atol=1e-6)
    assert not torch.allclose(together, path(adam, start, steps)[-1], rtol=1e-3)


def test_adamw_decays_all_parameters() -> None:
    parameters = {"w": torch.nn.Parameter(torch.ones(2, 2)), "b": torch.nn.Parameter(torch.ones(2))}
    optimizer = AdamW(lr=0.1, weight_decay=0.5).start(parameters)
    optimizer.step({key: torch.zeros_like(p) for key, p in parameters.items()}, {}, 0.1)
    assert all(torch.allclose(p, torch.full_like(p, 0.95)) for p in parameters.values())
