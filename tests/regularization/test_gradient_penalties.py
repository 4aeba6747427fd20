"""The penalty on the gradient and that on the Jacobian against jax; projections against the whole Jacobian."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from cases import variant
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from study.methods.base import MethodCombination
from study.models import Model
from study.optim.rng import Normal
from study.optim.tensors import one_hot
from study.regularization import Regularization
from study.regularization.gradient_penalty import GradientPenalty
from study.regularization.jacobian import Jacobian
from study.training.step import Batch, Chain

Tensors = dict[str, Tensor]
Arrays = Mapping[str, jax.Array]
BATCH, INPUTS, CLASSES = 7, 6, 4
FEW = settings(max_examples=10)
SEEDS = st.integers(0, 1000)
TANH = {"name": "mlp", "hidden": [12, 8], "activation": "tanh"}


class Setting:
    """A chain for a net 6-12-8-4 with tanh, and the same in jax."""

    def __init__(self, method: Regularization, seed: int) -> None:
        random = torch.Generator().manual_seed(seed)
        self.method, v = method, variant(model=TANH, clip="none", regularization=method)
        module = v.model.build(INPUTS, CLASSES)
        self.chain, self.parameters = Chain(v, module), v.model.initialise(module, random)
        self.x = torch.randn(BATCH, INPUTS, generator=random)
        self.targets = one_hot(torch.randint(0, CLASSES, (BATCH,), generator=random), CLASSES)

    def gradient(self, noise: Tensors) -> tuple[Tensors, Tensor]:
        """What the optimizer gets, and the measured loss."""
        memory = self.chain.initial_memory(self.parameters)
        given_ = {self.method.name: noise}
        found, _, measured = self.chain.plain_gradient_step(self.parameters, memory, self.x, self.targets, given_)
        return found.product(), measured["loss"]

    def penalty(self, noise: Tensors) -> float:
        """The measured loss leaves it out, so it is had from what the chain adds up."""
        total, loss = Batch(self.chain, self.x, self.targets, {self.method.name: noise})._objective(self.parameters)
        return float(total - loss)

    @property
    def arrays(self) -> tuple[Arrays, jax.Array, jax.Array]:
        """Parameters, batch and targets for jax."""
        w = {key: jnp.asarray(p.numpy()) for key, p in self.parameters.items()}
        return w, jnp.asarray(self.x.numpy()), jnp.asarray(self.targets.numpy())


def network(p: Arrays, x: jax.Array) -> jax.Array:
    for layer in (0, 1):
        x = jnp.tanh(p[f"layers.{layer}.weight"] @ x + p[f"layers.{layer}.bias"])
    return p["layers.2.weight"] @ x + p["layers.2.bias"]


def jax_loss(p: Arrays, x: jax.Array, y: jax.Array) -> jax.Array:
    logits = jax.vmap(lambda one: network(p, one))(x)
    return -(y * jax.nn.log_softmax(logits)).sum(-1).mean()


def squared_slope(p: Arrays, x: jax.Array, y: jax.Array) -> jax.Array:
    return sum(jnp.square(g).sum() for g in jax.grad(jax_loss)(p, x, y).values())


def squared_jacobian(p: Arrays, x: jax.Array, y: jax.Array) -> jax.Array:
    """The mean over the samples, from the whole Jacobian of each."""
    jacobians = jax.vmap(jax.jacrev(lambda one: network(p, one)))(x)
    assert jacobians.shape == (BATCH, CLASSES, INPUTS)
    return jnp.square(jacobians).sum((1, 2)).mean()


LOSS, SLOPE, JACOBIAN = (jax.jit(jax.value_and_grad(f)) for f in (jax_loss, squared_slope, squared_jacobian))


def basis() -> Tensors:
    """Every class's direction in turn, of the length that a normal vector has on the average."""
    return {"directions": (CLASSES**0.5 * torch.eye(CLASSES))[:, None, :].expand(CLASSES, BATCH, CLASSES)}


def assert_penalized(s: Setting, noise: Tensors, penalty: Any, strength: float) -> None:
    """The chain's penalty and gradient are those of jax; the measured loss is the data's."""
    (data_loss, slope), (value, penalty_slope) = LOSS(*s.arrays), penalty(*s.arrays)
    assert s.penalty(noise) == pytest.approx(strength * float(value), rel=1e-3, abs=1e-5)
    found, loss = s.gradient(noise)
    assert float(loss) == pytest.approx(float(data_loss), rel=1e-5)
    assert set(found) == set(slope)
    for key, g in found.items():
        np.testing.assert_allclose(g.numpy(), slope[key] + strength * penalty_slope[key], rtol=1e-3, atol=1e-5)


@given(seed=SEEDS, strength=st.sampled_from([1e-2, 0.5, 10.0]))
@FEW
def test_gradient_penalty_is_jaxs(seed: int, strength: float) -> None:
    s = Setting(GradientPenalty(strength=strength), seed)
    assert_penalized(s, {}, SLOPE, strength)


@given(seed=SEEDS, strength=st.sampled_from([1e-2, 0.5, 10.0]))
@FEW
def test_jacobian_on_all_classes_is_the_whole_of_jaxs(seed: int, strength: float) -> None:
    s = Setting(Jacobian(strength=strength, projections=CLASSES), seed)
    assert_penalized(s, basis(), JACOBIAN, strength)


@pytest.mark.parametrize("projections", [1, 5])
def test_the_projections_are_right_on_the_average(projections: int) -> None:
    """The mean of 600 steps lies within five standard errors, and these are small."""
    s = Setting(Jacobian(strength=1, projections=projections), 0)
    random, found = torch.Generator().manual_seed(1), list[float]()
    for _ in range(600):
        found.append(s.penalty({"directions": torch.randn(projections, BATCH, CLASSES, generator=random)}))
    error = np.std(found) / len(found) ** 0.5
    whole = float(JACOBIAN(*s.arrays)[0])
    assert 0 < error < 0.03 * whole
    assert abs(np.mean(found) - whole) < 5 * error


def test_only_the_direction_of_a_projection_counts() -> None:
    s = Setting(Jacobian(strength=1, projections=2), 0)
    directions = torch.randn(2, BATCH, CLASSES, generator=torch.Generator().manual_seed(1))
    lengths = torch.rand(2, BATCH, 1, generator=torch.Generator().manual_seed(2)) + 0.1
    scaled, plain = (s.penalty({"directions": v}) for v in (lengths * directions, directions))
    assert scaled == pytest.approx(plain, rel=1e-4)


@pytest.mark.parametrize("name", Model.members)
def test_projections_are_of_the_classes_of_every_model(name: str) -> None:
    model = Model.parse(name)
    parameters = model.initialise(model.build(784, 10), torch.Generator().manual_seed(0))
    draws = Jacobian(strength=1, projections=3).noise({"input": (64, 784)}, parameters)
    assert draws == {"directions": Normal((3, 64, 10))}


@pytest.mark.parametrize("method", [GradientPenalty(strength=0), Jacobian(strength=0)], ids=lambda m: m.name)
def test_without_strength_it_asks_for_nothing(method: Regularization) -> None:
    s = Setting(method, 0)
    assert method.noise({"input": (BATCH, INPUTS)}, s.parameters) == {}
    assert s.penalty({}) == 0


@pytest.mark.parametrize("method", [GradientPenalty(strength=1), Jacobian(strength=1)], ids=lambda m: m.name)
def test_beside_a_clip_of_samples_it_is_refused(method: Regularization) -> None:
    v = variant(clip={"name": "per_sample", "max_norm": 1}, regularization=method)
    assert len(MethodCombination(v.workload, v.model, v.loss, v.optimizer, v.clip, v.regularization).conflicts()) == 1


def test_the_gradient_in_the_penalty_is_of_the_data_alone() -> None:
    """Beside another penalty the two add up."""
    alone, l2 = Setting(GradientPenalty(strength=0.5), 0), {"name": "l2", "strength": 0.3}
    both = Setting(GradientPenalty(strength=0.5), 0)
    v = variant(model=TANH, clip="none", regularization=[alone.method, l2])
    both.chain = Chain(v, both.chain.module)
    plain, with_l2 = alone.gradient({})[0], both.gradient({})[0]
    for key, g in plain.items():
        expected = g + 0.3 * alone.parameters[key] if g.ndim > 1 else g
        torch.testing.assert_close(with_l2[key], expected)
