"""Each clipping against an independent implementation, or against a slow obvious one."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from study.clipping import Clipping
from study.clipping.adaptive_unit import AdaptiveUnit
from study.clipping.global_norm import GlobalNorm
from study.clipping.sign_on_trigger import SignOnTrigger
from study.clipping.value import Value

Tensors = dict[str, Tensor]
SHAPES = {"layers.0.weight": (5, 7), "layers.0.bias": (5,), "layers.1.weight": (3, 5), "layers.1.bias": (3,)}
BOUNDS = st.floats(1e-3, 100.0)
FEW = settings(max_examples=30)


@st.composite
def nets(draw: st.DrawFn) -> tuple[Tensors, Tensors]:
    """A gradient at some scale, and parameters, one tensor of which is zero as a fresh bias may be."""
    random = torch.Generator().manual_seed(draw(st.integers(0, 2**32 - 1)))
    scale = 10.0 ** draw(st.integers(-3, 2))
    gradient = {key: scale * torch.randn(shape, generator=random) for key, shape in SHAPES.items()}
    parameters = {key: 0.1 * torch.randn(shape, generator=random) for key, shape in SHAPES.items()}
    return gradient, {**parameters, "layers.0.bias": torch.zeros(5)}


def clip(method: Clipping, gradient: Tensors, parameters: Tensors) -> Tensors:
    return method.clip(gradient, parameters, {})[0]


def with_torch(rule, gradient: Tensors, *arguments: float) -> Tensors:
    """What one of torch.nn.utils' clips, which work in place on `.grad`, makes of the gradient."""
    parameters = {key: torch.nn.Parameter(torch.zeros_like(g)) for key, g in gradient.items()}
    for key, p in parameters.items():
        p.grad = gradient[key].clone()
    rule(parameters.values(), *arguments)
    return {key: p.grad for key, p in parameters.items()}


def with_optax(rule: optax.GradientTransformation, gradient: Tensors, parameters: Tensors) -> Tensors:
    """What an optax transformation makes of it; its kernels are (in, out), torch's weights (out, in)."""
    turned = [
        jax.tree.map(lambda t: jnp.asarray(t.T.numpy() if t.ndim == 2 else t.numpy()), tree)
        for tree in (gradient, parameters)
    ]
    clipped, _ = rule.update(turned[0], rule.init(turned[1]), turned[1])
    return {key: torch.from_numpy(np.array(clipped[key].T)) for key in gradient}


def assert_equal(ours: Tensors, theirs: Tensors, relative: float = 1e-5) -> None:
    assert list(ours) == list(theirs)
    for key in ours:
        torch.testing.assert_close(ours[key], theirs[key], rtol=relative, atol=1e-9)


@pytest.mark.parametrize("order", [1, 2, "inf"])
@FEW
@given(net=nets(), c=BOUNDS)
def test_global_norm_is_torchs(order: int | str, net: tuple[Tensors, Tensors], c: float) -> None:
    ours = clip(GlobalNorm(max_norm=c, order=order), *net)
    assert_equal(ours, with_torch(torch.nn.utils.clip_grad_norm_, net[0], c, float(order)))


@FEW
@given(net=nets(), c=BOUNDS)
def test_global_norm_is_optaxs_but_for_the_epsilon(net: tuple[Tensors, Tensors], c: float) -> None:
    """optax adds no 1e-6 to the norm: where the clip acts, a relative difference of at most 1e-6 / c."""
    ours = clip(GlobalNorm(max_norm=c), *net)
    assert_equal(ours, with_optax(optax.clip_by_global_norm(c), *net), relative=1e-5 + 1e-6 / c)


@FEW
@given(net=nets(), c=BOUNDS)
def test_value_is_torchs_and_optaxs(net: tuple[Tensors, Tensors], c: float) -> None:
    ours = clip(Value(bound=c), *net)
    assert_equal(ours, with_torch(torch.nn.utils.clip_grad_value_, net[0], c), relative=0)
    assert_equal(ours, with_optax(optax.clip(c), *net), relative=1e-6)


@FEW
@given(net=nets(), high=BOUNDS, low=st.floats(-100.0, -1e-3))
def test_value_with_two_bounds(net: tuple[Tensors, Tensors], high: float, low: float) -> None:
    """The tutorial's two-sided clip with its signs mended: each coordinate by itself, in plain Python."""
    for key, h in clip(Value(bound=high, low=low), *net).items():
        slow = [high if x > high else low if x < low else x for x in net[0][key].flatten().tolist()]
        torch.testing.assert_close(h.flatten(), torch.tensor(slow), rtol=1e-6, atol=0)


@FEW
@given(net=nets(), ratio=st.floats(0.005, 1.0), floor=st.sampled_from([1e-3, 0.1]))
def test_adaptive_unit_is_optaxs(net: tuple[Tensors, Tensors], ratio: float, floor: float) -> None:
    ours = clip(AdaptiveUnit(ratio=ratio, floor=floor), *net)
    assert_equal(ours, with_optax(optax.adaptive_grad_clip(ratio, eps=floor), *net))


@FEW
@given(net=nets())
def test_adaptive_unit_can_spare_the_last_layer(net: tuple[Tensors, Tensors]) -> None:
    capped, spared = (clip(AdaptiveUnit(ratio=0.01, skip_last=skip), *net) for skip in (False, True))
    for key in SHAPES:
        expected = net[0][key] if key.startswith("layers.1") else capped[key]
        assert torch.equal(spared[key], expected)


@pytest.mark.parametrize("tensors", ["first", "all"])
@FEW
@given(net=nets(), c=BOUNDS)
def test_sign_on_trigger_is_the_printed_code(tensors: str, net: tuple[Tensors, Tensors], c: float) -> None:
    """The tutorial's code with its TypeError mended: tensor by tensor, coordinate by coordinate."""
    slow = {}
    for number, (key, g) in enumerate(net[0].items()):
        looked_at = tensors == "all" or number == 0
        fires = looked_at and sum(x * x for x in g.flatten().tolist()) ** 0.5 > c
        slow[key] = torch.tensor([c * np.sign(x) for x in g.flatten().tolist()]).view_as(g).float() if fires else g
    assert_equal(clip(SignOnTrigger(threshold=c, tensors=tensors), *net), slow, relative=1e-6)


@given(rows=st.integers(1, 20), columns=st.integers(2, 20), c=st.floats(0.1, 10.0))
def test_sign_on_trigger_enlarges(rows: int, columns: int, c: float) -> None:
    """A gradient just above the threshold comes out with norm c sqrt(D), where a clip would give c."""
    g = torch.full((rows, columns), 1.01 * c / (rows * columns) ** 0.5)
    h = clip(SignOnTrigger(threshold=c), {"weight": g}, {"weight": g})["weight"]
    assert float(h.norm()) == pytest.approx(c * (rows * columns) ** 0.5, rel=1e-5)
    assert h.norm() > 1.3 * g.norm()


def test_the_tutorials_threshold_enlarges_three_hundredfold() -> None:
    g = torch.full((128, 784), 5.01 / (128 * 784) ** 0.5)
    h = clip(SignOnTrigger(threshold=5), {"weight": g}, {"weight": g})["weight"]
    assert float(h.norm()) == pytest.approx(1584, abs=0.5)
