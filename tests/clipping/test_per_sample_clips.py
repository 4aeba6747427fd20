"""Clipping by sample against Opacus, optax and plain loops; and trained, against a loop over the samples."""

import math
from collections.abc import Callable, Sequence

import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from opacus import GradSampleModule
from opacus.optimizers import AdaClipDPOptimizer, DPOptimizer
from torch import Tensor, nn
from torch.nn import functional as F

from study.clipping import PerSample
from study.clipping.per_sample import PerSampleNorm
from study.clipping.per_sample_adaptive import PerSampleAdaptive
from study.clipping.per_sample_layer import PerSampleLayer

Tensors = dict[str, Tensor]
FEW = settings(max_examples=15)
BATCH, INPUTS, CLASSES = 8, 6, 4
BOUNDS = st.floats(0.01, 10.0)


def clipped(method: PerSample, each: Sequence[Tensors], state: Tensors | None = None) -> tuple[Tensors, Tensors]:
    """The mean of the clipped gradients of a batch, and the next state."""
    norms = {key: torch.stack([g[key].norm() for g in each]) for key in each[0]}
    weights, state = method.weights(norms, method.initial_state(each[0]) if state is None else state)
    weighted = {key: [w * g[key] for w, g in zip(weights[key], each, strict=True)] for key in norms}
    return {key: torch.stack(several).mean(0) for key, several in weighted.items()}, state


def gradients(seed: int, scale: float = 1.0, batch: int = BATCH) -> list[Tensors]:
    """The gradients of a batch's samples, whose sizes differ much."""
    random = torch.Generator().manual_seed(seed)
    shapes = {"layers.0.weight": (3, 4), "layers.0.bias": (3,), "layers.1.weight": (2, 3), "layers.1.bias": (2,)}
    sizes = scale * torch.randn(batch, generator=random).exp()
    return [{key: size * torch.randn(shape, generator=random) for key, shape in shapes.items()} for size in sizes]


def norm(g: Tensors) -> float:
    return math.hypot(*(x for t in g.values() for x in t.flatten().tolist()))


def assert_close(a: Tensors, b: Tensors, relative: float = 1e-4) -> None:
    assert list(a) == list(b)
    for key in a:
        torch.testing.assert_close(a[key], b[key], rtol=relative, atol=1e-6)


@pytest.mark.parametrize("layerwise", [False, True])
@FEW
@given(seed=st.integers(0, 1000), c=BOUNDS)
def test_it_is_optaxs_sum_over_the_batch(layerwise: bool, seed: int, c: float) -> None:
    """optax gives the sum where the mean is meant, and adds no epsilon."""
    method = PerSampleLayer(max_norm=c) if layerwise else PerSampleNorm(max_norm=c)
    oracle = optax.per_example_layer_norm_clip if layerwise else optax.per_example_global_norm_clip
    each = gradients(seed)
    stacked = [jnp.asarray(torch.stack([g[key] for g in each]).numpy()) for key in each[0]]
    summed, _ = oracle(stacked, c)
    expected = {key: torch.from_numpy(np.array(s)) / BATCH for key, s in zip(each[0], summed, strict=True)}
    assert_close(clipped(method, each)[0], expected, relative=1e-3)


@FEW
@given(seed=st.integers(0, 1000), c=BOUNDS)
def test_one_sample_moves_the_mean_by_at_most_its_share_of_the_bound(seed: int, c: float) -> None:
    each = gradients(seed)
    changed = [*each[:-1], {key: -1000 * t for key, t in each[-1].items()}]
    for method in (PerSampleNorm(max_norm=c), PerSampleLayer(max_norm=c), PerSampleAdaptive(initial_norm=c)):
        one, other = (clipped(method, batch)[0] for batch in (each, changed))
        assert norm({key: one[key] - other[key] for key in one}) <= 2 * c / BATCH * 1.0001


@FEW
@given(seed=st.integers(0, 1000), c=BOUNDS)
def test_by_layer_a_sample_stays_below_the_bound_of_the_whole(seed: int, c: float) -> None:
    for g in gradients(seed, scale=100):
        assert norm(clipped(PerSampleLayer(max_norm=c), [g])[0]) <= c * 1.0001


class Opacus:
    """A small net trained by Opacus with one of its optimizers, without noise, and the gradients of its samples."""

    def __init__(self, wrap: Callable[[torch.optim.Optimizer], DPOptimizer], seed: int) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model = GradSampleModule(nn.Sequential(nn.Linear(INPUTS, 5), nn.Tanh(), nn.Linear(5, CLASSES)))
            self.x, self.y = torch.randn(BATCH, INPUTS), torch.randint(0, CLASSES, (BATCH,))
        self.optimizer = wrap(torch.optim.SGD(self.model.parameters(), lr=0.5))

    def step(self) -> tuple[list[Tensors], Tensors]:
        """The gradients of the samples, by a plain loop, and what Opacus makes of them."""
        each = [self.gradient(i) for i in range(BATCH)]
        self.optimizer.zero_grad()
        F.cross_entropy(self.model(self.x), self.y).backward()
        self.optimizer.step()
        return each, {key: p.grad for key, p in self.model.named_parameters()}

    def gradient(self, i: int) -> Tensors:
        leaves = {key: p.detach().clone().requires_grad_() for key, p in self.model.named_parameters()}
        w, b, v, c = leaves.values()
        value = F.cross_entropy(F.linear(torch.tanh(F.linear(self.x[i], w, b)), v, c), self.y[i])
        return dict(zip(leaves, torch.autograd.grad(value, list(leaves.values())), strict=True))


OPACUS = pytest.mark.filterwarnings("ignore:Full backward hook is firing")  # its hooks: the input needs no gradient


@OPACUS
@pytest.mark.parametrize("c", [0.05, 0.7, 100.0])
def test_flat_clipping_is_that_of_opacus(c: float) -> None:
    opacus = Opacus(
        lambda sgd: DPOptimizer(sgd, noise_multiplier=0, max_grad_norm=c, expected_batch_size=BATCH), seed=1
    )
    for _ in range(4):
        each, expected = opacus.step()
        assert_close(clipped(PerSampleNorm(max_norm=c), each)[0], expected)


@OPACUS
@pytest.mark.parametrize(("c", "quantile", "rate"), [(0.05, 0.5, 0.2), (5.0, 0.9, 0.7), (1.0, 0.25, 1.0)])
def test_the_adaptive_bound_is_that_of_opacus(c: float, quantile: float, rate: float) -> None:
    """Opacus' noise on the count of unclipped samples cannot be turned off, but made too small to matter."""

    def wrap(sgd: torch.optim.Optimizer) -> DPOptimizer:
        return AdaClipDPOptimizer(
            sgd,
            noise_multiplier=0,
            target_unclipped_quantile=quantile,
            clipbound_learning_rate=rate,
            max_clipbound=1e6,
            min_clipbound=1e-6,
            unclipped_num_std=1e-9,
            max_grad_norm=c,
            expected_batch_size=BATCH,
            generator=torch.Generator().manual_seed(0),
        )

    opacus, method = Opacus(wrap, seed=2), PerSampleAdaptive(initial_norm=c, quantile=quantile, rate=rate)
    state = method.initial_state(dict(opacus.model.named_parameters()))
    bounds = {c}
    for _ in range(12):
        each, expected = opacus.step()
        mean, state = clipped(method, each, state)
        assert_close(mean, expected)
        assert float(state["bound"]) == pytest.approx(float(opacus.optimizer.max_grad_norm), rel=1e-5)
        bounds.add(float(state["bound"]))
    assert len(bounds) > 5


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.8])
def test_the_adaptive_bound_settles_at_the_quantile(quantile: float) -> None:
    norms = torch.randn(500, generator=torch.Generator().manual_seed(0)).exp()
    method, state = PerSampleAdaptive(initial_norm=50, quantile=quantile), {"bound": torch.tensor(50.0)}
    for _ in range(300):
        _, state = method.weights({"all": norms}, state)
    assert float(state["bound"]) == pytest.approx(float(norms.quantile(quantile)), rel=0.05)


def test_a_sample_that_is_not_a_number_does_not_spoil_the_bound() -> None:
    norms = {"all": torch.tensor([0.5, math.nan, math.inf, 2.0])}
    weights, state = PerSampleAdaptive(initial_norm=1, rate=1).weights(norms, {"bound": torch.tensor(1.0)})
    assert float(state["bound"]) == pytest.approx(math.exp(0.25))
    assert torch.isnan(weights["all"]).tolist() == [False, True, False, False]
