"""Decays and proximal steps against torch, optax, pyproximal and scikit-learn; their special cases."""

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
import optax
import pyproximal
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import ElasticNet as SklearnElasticNet
from torch import Tensor

from study.regularization import Regularization
from study.regularization.decoupled_decay import DecoupledDecay
from study.regularization.elastic_net_proximal import ElasticNetProximal
from study.regularization.group_lasso import GroupLasso
from study.regularization.l1_proximal import L1Proximal
from study.regularization.weight_decay import WeightDecay

Tensors = dict[str, Tensor]
SHAPES = {"layers.0.weight": (5, 7), "layers.0.bias": (5,), "layers.1.weight": (3, 5), "layers.1.bias": (3,)}
STRENGTHS = st.floats(0.0, 3.0)
RATES = st.floats(1e-3, 1.0)
FEW = settings(max_examples=25)


@st.composite
def nets(draw: st.DrawFn) -> Tensors:
    """Parameters at some scale; one unit's weights, in and out, are zero."""
    random = torch.Generator().manual_seed(draw(st.integers(0, 2**32 - 1)))
    scale = 10.0 ** draw(st.integers(-2, 1))
    w = {key: scale * torch.randn(shape, generator=random) for key, shape in SHAPES.items()}
    w["layers.0.weight"][2] = 0
    w["layers.1.weight"][:, 2] = 0
    return w


def updated(method: Regularization, w: Tensors, lr: float) -> Tensors:
    return method.update(w, lr, method.initial_state(w))[0]


def assert_close(ours: Tensors, theirs: Tensors) -> None:
    assert list(ours) == list(theirs)
    for key in ours:
        torch.testing.assert_close(ours[key], theirs[key], rtol=1e-5, atol=1e-6)


def on_weights(rule: Callable[[np.ndarray], np.ndarray], w: Tensors) -> Tensors:
    """Another library's rule for one matrix, in float64, applied to each weight; biases as they are."""
    made = {key: rule(t.double().numpy()) for key, t in w.items() if t.ndim > 1}
    return {key: torch.from_numpy(made[key]).float() if key in made else t for key, t in w.items()}


# Five steps of an optimizer with its own decay, against the plain optimizer with a method around it.
Build = Callable[[Sequence[Any], float], torch.optim.Optimizer]
DECAYS: dict[str, tuple[type[Regularization], Build, Build]] = {
    "sgd": (
        WeightDecay,
        lambda p, s: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=s),
        lambda p, s: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    ),
    "adam": (
        WeightDecay,
        lambda p, s: torch.optim.Adam(p, lr=0.1, weight_decay=s),
        lambda p, s: torch.optim.Adam(p, lr=0.1),
    ),
    "adamw": (
        DecoupledDecay,
        lambda p, s: torch.optim.AdamW(p, lr=0.1, weight_decay=s),
        lambda p, s: torch.optim.Adam(p, lr=0.1),
    ),
}


def with_method(method: Regularization, optimizer: torch.optim.Optimizer, p: Tensors, gradients: list[Tensors]) -> None:
    """The step of the study by hand, on leaves that change in place, while the learning rate falls."""
    state = method.initial_state(p)
    for t, g in enumerate(gradients, 1):
        optimizer.param_groups[0]["lr"] = lr = 0.1 / t
        g, state = method.after_clip(g, dict(p), {}, state)
        for key in p:
            p[key].grad = g[key]
        optimizer.step()
        with torch.no_grad():
            new, state = method.update(dict(p), lr, state)
            for key in p:
                p[key].copy_(new[key])


@pytest.mark.parametrize("biases", [True, False])
@pytest.mark.parametrize("case", DECAYS)
@given(w=nets(), strength=STRENGTHS)
@FEW
def test_decays_are_torchs(case: str, biases: bool, w: Tensors, strength: float) -> None:
    make, theirs, plain = DECAYS[case]
    gradients = [{key: torch.cos((t + 2) * x) for key, x in w.items()} for t in range(5)]
    a, b = ({key: torch.nn.Parameter(x.clone()) for key, x in w.items()} for _ in range(2))
    spared = [x for x in a.values() if x.ndim == 1 and not biases]
    decayed = [x for x in a.values() if x.ndim > 1 or biases]
    groups = [{"params": decayed}, *([{"params": spared, "weight_decay": 0}] if spared else [])]
    optimizer = theirs(groups, strength)
    for t, g in enumerate(gradients, 1):
        for group in optimizer.param_groups:
            group["lr"] = 0.1 / t
        for key in a:
            a[key].grad = g[key]
        optimizer.step()
    with_method(make(strength=strength, biases=biases), plain(list(b.values()), strength), b, gradients)
    assert_close({key: x.detach() for key, x in b.items()}, {key: x.detach() for key, x in a.items()})


@given(w=nets(), strength=STRENGTHS)
@settings(max_examples=5)
def test_decays_are_optaxs(w: Tensors, strength: float) -> None:
    weights = {key: jnp.asarray(x.numpy()) for key, x in w.items()}
    gradient = {key: jnp.cos(3 * x) for key, x in weights.items()}
    g = from_jax(gradient, w)
    rule = optax.add_decayed_weights(strength, mask={key: x.ndim > 1 for key, x in weights.items()})
    added, _ = rule.update(gradient, rule.init(weights), weights)
    assert_close(WeightDecay(strength=strength).after_clip(g, w, {}, {})[0], from_jax(added, w))
    adamw = optax.adamw(0.1, weight_decay=strength)
    change, _ = adamw.update(gradient, adamw.init(weights), weights)
    p = {key: torch.nn.Parameter(x.clone()) for key, x in w.items()}
    with_method(DecoupledDecay(strength=strength, biases=True), torch.optim.Adam(p.values(), lr=0.1), p, [g])
    assert_close({key: x.detach() for key, x in p.items()}, from_jax(optax.apply_updates(weights, change), w))


def from_jax(tree: Any, like: Tensors) -> Tensors:
    return {key: torch.from_numpy(np.array(tree[key])) for key in like}


@given(w=nets(), lr=RATES, strength=STRENGTHS)
@FEW
def test_l1_proximal_is_pyproximals(w: Tensors, lr: float, strength: float) -> None:
    prox = pyproximal.L1(strength).prox
    ours = updated(L1Proximal(strength=strength), w, lr)
    assert_close(ours, on_weights(lambda x: prox(x.ravel(), lr).reshape(x.shape), w))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # its duality gap says little without l1
@given(w=nets(), lr=RATES, l1=STRENGTHS, l2=STRENGTHS, strength=STRENGTHS)
@FEW
def test_elastic_net_proximal_is_pyproximals_and_scikit_learns(
    w: Tensors, lr: float, l1: float, l2: float, strength: float
) -> None:
    """pyproximal by composing two steps; scikit-learn by regressing the weights on an identity matrix."""
    ours = updated(ElasticNetProximal(lambda1=l1, lambda2=l2, strength=strength), w, lr)
    first, second = pyproximal.L1(strength * l1 / 2), pyproximal.L2(sigma=strength * l2)
    assert_close(ours, on_weights(lambda x: second.prox(first.prox(x.ravel(), lr), lr).reshape(x.shape), w))
    total = strength * lr * (l1 / 2 + l2)
    if total > 1e-3:  # scikit-learn wants a penalty
        share = strength * lr * l1 / 2 / total
        net = SklearnElasticNet(alpha=total, l1_ratio=share, fit_intercept=False, tol=1e-10)

        def regressed(x: np.ndarray) -> np.ndarray:
            root = x.size**0.5  # it divides the squares by the number of rows
            return net.fit(root * np.eye(x.size), root * x.ravel()).coef_.reshape(x.shape)

        assert_close(ours, on_weights(regressed, w))


@given(w=nets(), lr=RATES, strength=STRENGTHS, biases=st.booleans())
@FEW
def test_elastic_net_proximal_has_its_special_cases(w: Tensors, lr: float, strength: float, biases: bool) -> None:
    only_l1 = ElasticNetProximal(lambda1=2 * strength, lambda2=0, biases=biases)
    soft = updated(L1Proximal(strength=strength, biases=biases), w, lr)
    assert all(torch.equal(x, soft[key]) for key, x in updated(only_l1, w, lr).items())
    only_l2 = updated(ElasticNetProximal(lambda1=0, lambda2=strength, biases=biases), w, lr)
    shrunk = {key: x / (1 + lr * strength) if biases or x.ndim > 1 else x for key, x in w.items()}
    assert_close(only_l2, shrunk)
    a = lr * strength
    for key, x in updated(DecoupledDecay(strength=strength, biases=biases), w, lr).items():
        assert ((x - only_l2[key]).abs() <= (a**2 + 1e-6) * w[key].abs()).all(), "the same to first order"


@given(w=nets(), lr=RATES, strength=STRENGTHS)
@FEW
def test_group_lasso_is_pyproximals(w: Tensors, lr: float, strength: float) -> None:
    """pyproximal's groups are the columns of its matrix: torch's (out, in) as it is for what leaves a unit."""

    def prox(x: np.ndarray) -> np.ndarray:
        rows = len(x)
        return pyproximal.L21(ndim=rows, sigma=strength * rows**0.5).prox(x.ravel(), lr).reshape(x.shape)

    def prox_rows(x: np.ndarray) -> np.ndarray:
        return prox(x.T.copy()).T.copy()

    if lr * strength > 0:  # at zero pyproximal divides 0 by 0 in the groups that are zero
        assert_close(updated(GroupLasso(strength=strength), w, lr), on_weights(prox, w))
        assert_close(updated(GroupLasso(strength=strength, groups="incoming"), w, lr), on_weights(prox_rows, w))


def test_groups_of_a_matrix_and_of_a_convolution() -> None:
    """A column of (out, in); all weights of an input channel of (out, in, height, width)."""
    w = torch.tensor([[3.0, 0.1, 0.0], [4.0, 0.1, 0.0]])
    found = updated(GroupLasso(strength=1), {"weight": w}, 0.5)["weight"]
    share = 1 - 0.5 * 2**0.5 / 5
    torch.testing.assert_close(found, torch.tensor([[3 * share, 0, 0], [4 * share, 0, 0]]))
    w = torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    for groups, axis in (("outgoing", 1), ("incoming", 0)):
        found = updated(GroupLasso(strength=0.3, groups=groups), {"weight": w}, 0.5)["weight"]
        for after, before in zip(found.unbind(axis), w.unbind(axis), strict=True):
            share = max(0.0, 1 - 0.5 * 0.3 * before.numel() ** 0.5 / float(before.norm()))
            torch.testing.assert_close(after, before * share)
