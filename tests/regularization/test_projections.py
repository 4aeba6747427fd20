"""Projections against torch, keras, optax and pyproximal: axes, bounds met, nothing changed within them."""

import os
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pyproximal
import pytest
import torch
from cases import variant
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_loop import GLOBAL, LONG, plain_loop
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_, parametrizations, spectral_norm

from study.data import Digits
from study.regularization import Regularization
from study.regularization.max_norm import MaxNorm
from study.regularization.spectral_norm import SpectralNorm
from study.training import engine
from study.training.batches import Batches
from study.training.engine import Replicates
from study.training.recorder import Recorder

os.environ["KERAS_BACKEND"] = "torch"  # read when keras is imported
import keras

pytestmark = pytest.mark.slow

Tensors = dict[str, Tensor]
BOUNDS = st.floats(1e-2, 10.0)
FEW = settings(max_examples=25)


@st.composite
def matrices(draw: st.DrawFn) -> Tensor:
    """A weight (out, in) at some scale, one row of which is zero."""
    random = torch.Generator().manual_seed(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.tuples(st.integers(2, 7), st.integers(1, 7)))
    w = 10.0 ** draw(st.integers(-2, 2)) * torch.randn(shape, generator=random)
    w[1] = 0
    return w


def projected(method: Regularization, w: Tensor, times: int = 1) -> Tensor:
    """The weight after some projections of the same matrix."""
    state = method.initial_state({"weight": w})
    for _ in range(times):
        found, state = method.update({"weight": w}, 0.1, state)
    return found["weight"]


@given(w=matrices(), c=BOUNDS)
@FEW
def test_max_norm_is_the_projection_of_four_libraries(w: Tensor, c: float) -> None:
    ours = projected(MaxNorm(bound=c), w)
    close = {"rtol": 1e-4, "atol": 1e-6}  # torch and keras add 1e-7 to a norm, and keras shrinks the others by it too
    torch.testing.assert_close(ours, torch.renorm(w, p=2, dim=0, maxnorm=c), **close)
    kernel = keras.constraints.MaxNorm(max_value=c, axis=0)(w.T.contiguous())  # keras has (in, out)
    torch.testing.assert_close(ours, kernel.T, **close)
    rows = jax.vmap(lambda row: optax.projections.projection_l2_ball(row, c))(jnp.asarray(w.numpy()))
    torch.testing.assert_close(ours, torch.from_numpy(np.array(rows)), **close)
    ball = pyproximal.EuclideanBall(0.0, c)
    rows = np.stack([ball.prox(row, 1.0) for row in w.double().numpy()])
    torch.testing.assert_close(ours, torch.from_numpy(rows).float(), **close)


def test_max_norm_bounds_what_enters_a_unit() -> None:
    """Rows of (out, in), output channels of (out, in, height, width), never columns, never biases."""
    w = torch.tensor([[3.0, 4.0], [0.3, 0.4]])
    torch.testing.assert_close(projected(MaxNorm(bound=1), w), torch.tensor([[0.6, 0.8], [0.3, 0.4]]))
    w = torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(projected(MaxNorm(bound=1.5), w), torch.renorm(w, p=2, dim=0, maxnorm=1.5))
    bias = {"bias": torch.full((3,), 9.0)}
    for method in (MaxNorm(bound=0.1), SpectralNorm(bound=0.1)):
        assert method.update(bias, 0.1, method.initial_state(bias))[0]["bias"] is bias["bias"]


@pytest.mark.parametrize("make", [MaxNorm, SpectralNorm])
@given(w=matrices(), share=st.floats(0.01, 0.99))
@FEW
def test_within_the_bound_no_bit_changes_and_at_it_little(make: Any, w: Tensor, share: float) -> None:
    largest = float(torch.linalg.matrix_norm(w, ord=2))  # no row is longer than that
    assert torch.equal(projected(make(bound=largest / share), w), w)
    once = projected(make(bound=largest * share), w, times=200)
    torch.testing.assert_close(projected(make(bound=largest * share), once, times=200), once)


@given(w=matrices(), c=BOUNDS)
@FEW
def test_spectral_norm_meets_its_bound_once_it_knows_the_matrix(w: Tensor, c: float) -> None:
    sigma = float(torch.linalg.matrix_norm(w, ord=2))
    torch.testing.assert_close(projected(SpectralNorm(bound=c), w, times=500), w / max(1, sigma / c), rtol=1e-3, atol=0)
    at_once = projected(SpectralNorm(bound=c, iterations=500), w)
    torch.testing.assert_close(at_once, w / max(1, sigma / c), rtol=1e-3, atol=0)


@pytest.mark.parametrize("shape", [(5, 7), (4, 3, 2, 2)])
@pytest.mark.parametrize("iterations", [1, 3])
def test_spectral_norm_follows_moving_weights_as_torch_does(shape: tuple[int, ...], iterations: int) -> None:
    """Step by step, from the same vector: torch's parametrization of the transpose, and its older function."""
    random = torch.Generator().manual_seed(0)
    steps = [torch.randn(shape, generator=random) for _ in range(6)]
    method = SpectralNorm(bound=1e-3, iterations=iterations)
    state = method.initial_state({"weight": steps[0]})
    turned = nn.Linear(shape[0], steps[0][0].numel(), bias=False)
    parametrizations.spectral_norm(turned, n_power_iterations=iterations)
    turned.parametrizations.weight[0]._v.copy_(state["weight"])
    older = spectral_norm(nn.Linear(steps[0][0].numel(), shape[0], bias=False), n_power_iterations=iterations)
    older.weight_u.copy_(state["weight"])
    for w in steps:
        found, state = method.update({"weight": w}, 0.1, state)
        ours = found["weight"].flatten(1) / 1e-3
        turned.parametrizations.weight.original.data.copy_(w.flatten(1).T)
        older.weight_orig.data.copy_(w.flatten(1))
        older(torch.zeros(1, steps[0][0].numel()))
        torch.testing.assert_close(ours, turned.weight.detach().T, rtol=1e-5, atol=1e-7)
        torch.testing.assert_close(ours, older.weight.detach(), rtol=1e-5, atol=1e-7)
        torch.testing.assert_close(state["weight"], older.weight_u)


def test_spectral_norm_survives_a_layer_that_starts_at_zero() -> None:
    method, w = SpectralNorm(bound=0.5, iterations=50), {"weight": torch.zeros(3, 4)}
    found, state = method.update(w, 0.1, method.initial_state(w))
    assert torch.equal(found["weight"], w["weight"])
    moved = {"weight": torch.randn(3, 4, generator=torch.Generator().manual_seed(0))}
    found, _ = method.update(moved, 0.1, state)
    assert float(torch.linalg.matrix_norm(found["weight"], ord=2)) == pytest.approx(0.5, rel=1e-3)


def test_spectral_norm_sees_what_softmax_teaches() -> None:
    """The columns of such a gradient sum to zero: a start of equal entries would see none of it."""
    g = torch.randn(10, 8, generator=torch.Generator().manual_seed(0))
    w = g - g.mean(0)
    found = projected(SpectralNorm(bound=0.5), w, times=100)
    assert float(torch.linalg.matrix_norm(found, ord=2)) == pytest.approx(0.5, rel=1e-3)


class ThenRenorm(torch.optim.SGD):
    """SGD, and each row of a weight scaled to a norm of at most 0.8 after it."""

    def __init__(self, parameters: Any) -> None:
        super().__init__(parameters, lr=0.3)

    def step(self) -> None:
        super().step()
        for group in self.param_groups:
            for p in group["params"]:
                if p.ndim > 1:
                    p.data = torch.renorm(p.data, p=2, dim=0, maxnorm=0.8)


def test_training_with_max_norm_is_the_plain_loop(digits: Digits) -> None:
    v = variant(**{**LONG, "clip": GLOBAL, "regularization": {"name": "max_norm", "bound": 0.8}})
    for record in engine.train(v, [5, 3], digits):
        log = plain_loop(digits, v, record.seed, ThenRenorm, clip=lambda p: clip_grad_norm_(p, 0.5))
        for name in ("loss", "norm_after", "update_ratio"):
            np.testing.assert_allclose(record.steps[name], log[name], rtol=1e-4, atol=1e-6, err_msg=name)


BOUNDED: dict[str, tuple[dict[str, Any], float]] = {
    "max_norm": ({"name": "max_norm", "bound": 0.5}, 1e-5),
    "one iteration a step": ({"name": "spectral_norm", "bound": 0.7}, 0.15),
    "ten iterations a step": ({"name": "spectral_norm", "bound": 0.7, "iterations": 10}, 0.01),
}


@pytest.mark.parametrize(("given_", "slack"), BOUNDED.values(), ids=BOUNDED)
def test_bounds_hold_throughout_a_training(digits: Digits, given_: dict[str, Any], slack: float) -> None:
    """The power method lags behind the weights, the less the more iterations it makes and the slower they move."""
    v = variant(**{**LONG, "optimizer": {"name": "sgd", "lr": 0.1}, "regularization": given_})
    batches = Batches.prepare(digits, v.data, [0, 1], v.device)
    models = Replicates.start(v, [0, 1], batches)
    recorder = Recorder.open(v, 2, models.parameters)
    for _ in range(v.epochs):
        models.epoch(batches, recorder)
        weights = [p.detach() for p in models.parameters.values() if p.ndim > 2]
        if given_["name"] == "max_norm":
            norms = torch.cat([w.norm(dim=2).flatten() for w in weights])
        else:
            norms = torch.cat([torch.linalg.matrix_norm(w, ord=2) for w in weights])
        assert 0.99 < float(norms.max()) / given_["bound"] <= 1 + slack, "the bound binds, and holds"
