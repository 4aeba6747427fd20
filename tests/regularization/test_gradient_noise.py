"""Gradient noise against optax, and in a plain loop before and after the clip."""

from collections.abc import Callable, Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from cases import variant
from gradient_loop import RATE, Loss, Step, assert_same_training, long, plain_loop, size
from scipy import stats
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from study.data import Digits
from study.methods.base import MethodCombination
from study.optim.rng import Normal, generator
from study.regularization.gradient_noise import GradientNoise
from study.training import engine

Tensors = dict[str, Tensor]
GLOBAL = {"name": "global_norm", "max_norm": 0.5}
SHAPES = {"weight": (30, 40), "bias": (30,)}


def by_optax(eta: float, gamma: float) -> optax.GradientTransformation:
    return optax.add_noise(eta=eta, gamma=gamma, key=jax.random.key(3))


UPDATE = jax.jit(lambda eta, gamma, gradient, state: by_optax(eta, gamma).update(gradient, state))  # compiled once


def after(method: GradientNoise, gradient: Tensors, noise: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
    """The gradient and the memory after a whole step."""
    between, state = method.before_clip(gradient, gradient, noise, state)
    return method.after_clip(between, gradient, noise, state)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("eta", [0.01, 0.3, 1.0])
def test_noise_added_in_a_series_of_steps_is_that_of_optax(eta: float, when: str) -> None:
    """Its normal numbers are those that it adds to a zero gradient with eta 1 and no decay."""
    method = GradientNoise(eta=eta, when=when)
    g = {key: torch.randn(shape, generator=generator(0, "g")) for key, shape in SHAPES.items()}
    gradient = {key: jnp.asarray(t.numpy()) for key, t in g.items()}
    zero = {key: jnp.zeros_like(t) for key, t in gradient.items()}
    theirs = numbers = by_optax(eta, 0.55).init(gradient)
    ours = method.initial_state(g)
    for _ in range(20):
        expected, theirs = UPDATE(eta, 0.55, gradient, theirs)
        drawn, numbers = UPDATE(1.0, 0.0, zero, numbers)
        noise = {key: torch.from_numpy(np.array(t)) for key, t in drawn.items()}
        found, ours = after(method, g, noise, ours)
        for key in g:
            np.testing.assert_allclose(found[key].numpy(), expected[key], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("step", [0, 1, 10, 1000])
def test_eta_is_a_variance(step: int) -> None:
    """Not a standard deviation: the test of Kolmogorov and Smirnov on 1,230 coordinates."""
    method, random = GradientNoise(eta=0.3), generator(7, "test")
    zero = {key: torch.zeros(shape) for key, shape in SHAPES.items()}
    draws, noise = method.noise({}, zero), dict[str, Tensor]()
    assert draws == {key: Normal(shape) for key, shape in SHAPES.items()}
    for key, draw in draws.items():
        noise[key] = torch.empty(draw.shape)
        draw.fill(noise[key], random)
    found, state = after(method, zero, noise, {"step": torch.tensor(step)})
    added = torch.cat([t.flatten() for t in found.values()]).double().numpy()
    assert stats.kstest(added, stats.norm(scale=(0.3 / (1 + step) ** 0.55) ** 0.5).cdf).pvalue > 0.01
    assert state["step"] == step + 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_only_the_chosen_hook_acts_and_counts(when: str) -> None:
    hook, other = ("before_clip", "after_clip") if when == "before" else ("after_clip", "before_clip")
    method = GradientNoise(eta=0.1, when=when)
    g = {"w": torch.ones(3)}
    noise, state = {"w": torch.ones(3)}, method.initial_state(g)
    kept, same = getattr(method, other)(g, g, noise, state)
    assert kept is g
    assert same is state
    changed, following = getattr(method, hook)(g, g, noise, state)
    torch.testing.assert_close(changed["w"], torch.full((3,), 1 + 0.1**0.5))
    assert following["step"] == 1
    assert method.acts_before_clip == (when == "before")


def test_before_a_clip_of_samples_it_is_refused_after_it_is_not() -> None:
    for when, refused in (("before", True), ("after", False)):
        v = variant(clip={"name": "per_sample", "max_norm": 1}, regularization=GradientNoise(eta=0.1, when=when))
        combination = MethodCombination(v.workload, v.model, v.loss, v.optimizer, v.clip, v.regularization)
        assert bool(combination.conflicts()) == refused


def stepper(seed: int, eta: float, when: str) -> Callable[[Sequence[Tensor]], Step]:
    """Plain gradient descent with torch's clip and noise before or after it; only the random stream is the study's."""

    def build(parameters: Sequence[Tensor]) -> Step:
        random, taken = generator(seed, "gradient_noise"), [0]

        def add_noise() -> None:
            std = (eta / (1 + taken[0]) ** 0.55) ** 0.5
            for p in parameters:
                p.grad.add_(torch.empty(p.shape).normal_(generator=random), alpha=std)

        def step(loss: Loss) -> Mapping[str, float]:
            for p in parameters:
                p.grad = None
            loss().backward()
            if when == "before":
                add_noise()
            found = {"norm_before": size(parameters)}
            clip_grad_norm_(parameters, 0.5)
            found["norm_after"] = size(parameters)
            if when == "after":
                add_noise()
            with torch.no_grad():
                for p in parameters:
                    p.sub_(p.grad, alpha=RATE)
            taken[0] += 1
            return found

        return step

    return build


@pytest.mark.parametrize("when", ["before", "after"])
def test_training_is_the_plain_loop(digits: Digits, when: str) -> None:
    """Two seeds together. The clip measures, and clips, the noise only where the noise comes before it."""
    v = long(clip=GLOBAL, regularization={"name": "gradient_noise", "eta": 0.001, "when": when})
    for record in engine.train(v, [5, 3], digits):
        assert_same_training(record, plain_loop(digits, v, record.seed, stepper(record.seed, 0.001, when)))
        assert record.steps["fired"].sum() > 5
