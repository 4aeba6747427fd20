"""Sharpness-aware minimisation against optax and pytorch_optimizer; which of its two gradients is clipped."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from cases import variant
from gradient_loop import RATE, Loss, Step, assert_same_training, long, plain_loop, size
from hypothesis import given, settings
from hypothesis import strategies as st
from optax.contrib import normalize, sam
from pytorch_optimizer import SAM
from torch import Tensor
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from study.data import Digits
from study.methods.base import MethodCombination
from study.optim.tensors import one_hot
from study.regularization import Place, Regularization
from study.regularization.sam import Sam
from study.training import engine
from study.training.step import Chain

pytestmark = pytest.mark.slow

Tensors = dict[str, Tensor]
GLOBAL = {"name": "global_norm", "max_norm": 0.2}
VALUE = {"name": "value", "bound": 0.01}


def jax_loss(p: Mapping[str, jax.Array], x: jax.Array, y: jax.Array) -> jax.Array:
    """Cross-entropy of a net 6-12-8-4 with rectifiers."""
    h = x
    for layer in (0, 1):
        h = jax.nn.relu(h @ p[f"layers.{layer}.weight"].T + p[f"layers.{layer}.bias"])
    logits = h @ p["layers.2.weight"].T + p["layers.2.bias"]
    return -(y * jax.nn.log_softmax(logits)).sum(-1).mean()


@pytest.mark.parametrize("rho", [0.05, 0.5, 2.0])
def test_ten_steps_are_those_of_optax(rho: float) -> None:
    """Whose `sam` counts the ascent as a step of its own: two calls a step of ours."""
    v, random = variant(clip="none", regularization={"name": "sam", "rho": rho}), torch.Generator().manual_seed(0)
    module = v.model.build(6, 4)
    w, chain = v.model.initialise(module, random), Chain(v, module)
    x, y = torch.randn(9, 6, generator=random), one_hot(torch.randint(0, 4, (9,), generator=random), 4)
    theirs = {key: jnp.asarray(p.numpy()) for key, p in w.items()}
    optimizer = sam(optax.sgd(0.2), optax.chain(normalize(), optax.sgd(rho)), sync_period=2)
    state, slope, update = optimizer.init(theirs), jax.jit(jax.grad(jax_loss)), jax.jit(optimizer.update)
    for _ in range(10):
        gradient = chain.plain_gradient_step(w, chain.initial_memory(w), x, y, {})[0].product()
        w = {key: p - 0.2 * gradient[key] for key, p in w.items()}
        for _ in range(2):
            g = slope(theirs, jnp.asarray(x.numpy()), jnp.asarray(y.numpy()))
            updates, state = update(g, state, theirs)
            theirs = optax.apply_updates(theirs, updates)
    for key, p in w.items():
        np.testing.assert_allclose(p.numpy(), theirs[key], rtol=1e-3, atol=1e-5)


def clipped(parameters: Sequence[Tensor], clip: Callable[[Sequence[Tensor]], object]) -> dict[str, float]:
    before = size(parameters)
    clip(parameters)
    return {"norm_before": before, "norm_after": size(parameters)}


def stepper(rho: float, clips: str, clip: Callable[[Sequence[Tensor]], object]) -> Callable[[Sequence[Tensor]], Step]:
    """Steps of pytorch_optimizer's SAM around torch's SGD, with the clip on one of its two gradients."""

    def build(parameters: Sequence[Tensor]) -> Step:
        optimizer = SAM(parameters, torch.optim.SGD, rho=rho, lr=RATE)

        def step(loss: Loss) -> Mapping[str, float]:
            found: dict[str, float] = {}

            def descent() -> None:
                optimizer.zero_grad()
                loss().backward()
                if clips == "descent":
                    found.update(clipped(parameters, clip))

            optimizer.zero_grad()
            loss().backward()
            if clips == "ascent":
                found.update(clipped(parameters, clip))
            optimizer.step(descent)
            return found

        return step

    return build


CLIPS: dict[str, tuple[Any, Callable[[Sequence[Tensor]], object]]] = {
    "none": ("none", lambda p: None),
    "global_norm": (GLOBAL, lambda p: clip_grad_norm_(p, 0.2)),
    "value": (VALUE, lambda p: clip_grad_value_(p, 0.01)),
}


@pytest.mark.parametrize("clips", ["descent", "ascent"])
@pytest.mark.parametrize("clip", CLIPS)
def test_training_is_the_plain_loop_with_the_clip_where_it_says(digits: Digits, clip: str, clips: str) -> None:
    """Two seeds together; the measured loss is that at the weights, the norms those of the gradient that is clipped."""
    ours, theirs = CLIPS[clip]
    v = long(clip=ours, regularization={"name": "sam", "rho": 0.2, "clip": clips})
    for record in engine.train(v, [5, 3], digits):
        assert_same_training(record, plain_loop(digits, v, record.seed, stepper(0.2, clips, theirs)))
        assert clip == "none" or record.steps["fired"].sum() > 5


def losses(digits: Digits, clip: Any) -> Any:
    """Of a training whose ascent is clipped."""
    v = long(clip=clip, regularization={"name": "sam", "rho": 0.2, "clip": "ascent"})
    return engine.train(v, [5], digits)[0].steps["loss"]


def test_rescaling_the_ascent_clips_nothing_in_the_end(digits: Digits) -> None:
    """The ascent has the same length whatever the gradient's; but a clip by coordinate turns it."""
    free = losses(digits, "none")
    np.testing.assert_allclose(losses(digits, GLOBAL), free, rtol=1e-4)
    assert np.abs(losses(digits, VALUE) / free - 1).max() > 1e-3


@given(rho=st.floats(0, 3), scale=st.sampled_from([1e-4, 1.0, 1e4]), seed=st.integers(0, 100))
@settings(max_examples=20)
def test_the_ascent_has_the_length_rho_along_the_gradient(rho: float, scale: float, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    g = {key: scale * torch.randn(shape, generator=random) for key, shape in (("w", (3, 4)), ("b", (3,)))}
    w = {key: torch.zeros_like(t) for key, t in g.items()}
    moved, slope = (torch.cat([t.flatten() for t in each.values()]) for each in (Sam(rho=rho).ascent(g, w), g))
    torch.testing.assert_close(moved, rho * slope / slope.norm(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rho", [0.0, 0.05, 10.0])
def test_a_zero_gradient_leads_nowhere(rho: float) -> None:
    w = {"w": torch.randn(3, 4, generator=torch.Generator().manual_seed(0))}
    assert torch.equal(Sam(rho=rho).ascent({"w": torch.zeros(3, 4)}, w)["w"], w["w"])


def test_without_an_ascent_the_descent_is_clipped() -> None:
    assert Sam(rho=0.1, clip="ascent").clips_ascent
    assert not Sam(rho=0.0, clip="ascent").clips_ascent
    assert not Sam(rho=0.1).clips_ascent


def test_a_second_ascent_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Regularization, "members", dict(Regularization.members))

    class Descending(Regularization):
        name: Literal["descending_for_a_test"] = "descending_for_a_test"
        place: ClassVar[Place] = "gradient"

        def ascent(self, gradient: Tensors, parameters: Tensors) -> Tensors:
            return {key: p - gradient[key] for key, p in parameters.items()}

    def conflicts(*others: Any) -> list[str]:
        v = variant(regularization=[Sam(rho=0.1), *others])
        return MethodCombination(v.workload, v.model, v.loss, v.optimizer, v.clip, v.regularization).conflicts()

    assert conflicts() == conflicts({"name": "l2", "strength": 0.1}) == []
    assert conflicts(Descending()) == ["regularization 'sam' has its own ascent, and so has 'descending_for_a_test'"]
