"""The clips by a norm or a root mean square against independent implementations."""

from types import ModuleType

import numpy as np
import optax
import pytest
import torch
from clip_oracles import (
    BOUNDS,
    FEW,
    SHAPES,
    Net,
    Tensors,
    assert_equal,
    clip,
    graded,
    nets,
    norm,
    trajectory,
    with_optax,
    with_torch,
    zeros,
)
from hypothesis import given
from hypothesis import strategies as st
from pytorch_optimizer.optimizer.agc import agc
from timm.utils.agc import adaptive_clip_grad

from study.clipping.adaptive_unit import AdaptiveUnit
from study.clipping.block_rms import BlockRms
from study.clipping.global_norm import GlobalNorm
from study.clipping.layer_norm import LayerNorm
from study.clipping.normalized import Normalized


@pytest.fixture(scope="module")
def keras() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "torch")
        import keras
    return keras


@pytest.mark.parametrize("order", [1, 2, "inf"])
@FEW
@given(net=nets(), c=BOUNDS)
def test_global_norm_is_torchs(order: int | str, net: Net, c: float) -> None:
    ours = clip(GlobalNorm(max_norm=c, order=order), *net)
    assert_equal(ours, with_torch(torch.nn.utils.clip_grad_norm_, net[0], c, float(order)))


@FEW
@given(net=nets(), c=BOUNDS)
def test_global_norm_is_optaxs_but_for_the_epsilon(net: Net, c: float) -> None:
    """optax adds no 1e-6 to the norm: where the clip acts, a relative difference of at most 1e-6 / c."""
    ours = clip(GlobalNorm(max_norm=c), *net)
    assert_equal(ours, with_optax(optax.clip_by_global_norm(c), *net), relative=1e-5 + 1e-6 / c)


@pytest.mark.parametrize("order", [1, 2, "inf"])
@FEW
@given(net=nets(), c=BOUNDS)
def test_layer_norm_is_torchs_tensor_by_tensor(order: int | str, net: Net, c: float) -> None:
    ours = clip(LayerNorm(max_norm=c, order=order), *net)
    alone = [with_torch(torch.nn.utils.clip_grad_norm_, {key: g}, c, float(order)) for key, g in net[0].items()]
    assert_equal(ours, {key: g for one in alone for key, g in one.items()})


@FEW
@given(net=nets(), c=BOUNDS)
def test_layer_norm_is_the_clipnorm_of_keras_but_for_the_epsilon(keras: ModuleType, net: Net, c: float) -> None:
    """A step of plain SGD with rate 1 from zero leads to minus the clipped gradient."""
    variables = [keras.Variable(np.zeros(shape, dtype="float32")) for shape in SHAPES.values()]
    optimizer = keras.optimizers.SGD(learning_rate=1.0, clipnorm=c)
    optimizer.apply(list(net[0].values()), variables)
    theirs = {key: -v.value.detach().cpu() for key, v in zip(SHAPES, variables, strict=True)}
    assert_equal(clip(LayerNorm(max_norm=c), *net), theirs, relative=1e-5 + 1e-6 / c)


def test_layers_together_may_exceed_what_each_is_held_to() -> None:
    (gradient,) = trajectory(0, 1)
    assert norm(clip(LayerNorm(max_norm=0.1), gradient, zeros())) == pytest.approx(0.1 * len(SHAPES) ** 0.5, rel=1e-4)


@FEW
@given(net=nets(), c=BOUNDS)
def test_block_rms_is_optaxs(net: Net, c: float) -> None:
    assert_equal(clip(BlockRms(threshold=c), *net), with_optax(optax.clip_by_block_rms(c), *net))


@FEW
@given(net=nets(), c=BOUNDS)
def test_block_rms_is_a_norm_of_c_times_the_root_of_the_size(net: Net, c: float) -> None:
    for key, g in net[0].items():
        by_norm = with_torch(torch.nn.utils.clip_grad_norm_, {key: g}, c * g.numel() ** 0.5)
        ours = clip(BlockRms(threshold=c), {key: g}, net[1])
        assert_equal(ours, by_norm, relative=1e-5 + 1e-6 / c)


@FEW
@given(net=nets(), length=BOUNDS)
def test_normalized_is_optaxs(net: Net, length: float) -> None:
    ours = clip(Normalized(length=length), *net)
    assert_equal(ours, with_optax(optax.normalize_by_update_norm(length, eps=0.0), *net))
    assert_equal(clip(Normalized(), *net), with_optax(optax.contrib.normalize(), *net))


def test_a_zero_gradient_has_no_direction_to_normalise() -> None:
    """optax divides by its norm, without the epsilon of its other function: NaN. Ours stays zero."""
    theirs = with_optax(optax.contrib.normalize(), zeros(), zeros())
    assert all(bool(t.isnan().all()) for t in theirs.values())
    assert_equal(clip(Normalized(), zeros(), zeros()), zeros())


@FEW
@given(net=nets())
def test_normalized_is_the_limit_of_clipping_to_nothing(net: Net) -> None:
    c = 1e-3 * norm(net[0])
    clipped = with_optax(optax.clip_by_global_norm(c), *net)
    assert_equal(clip(Normalized(), *net), {key: g / c for key, g in clipped.items()})


def with_timm(net: Net, ratio: float, floor: float) -> Tensors:
    parameters = graded(*net)
    adaptive_clip_grad(parameters.values(), clip_factor=ratio, eps=floor)
    return {key: p.grad for key, p in parameters.items()}


@FEW
@given(net=nets(), ratio=st.floats(0.005, 1.0), floor=st.sampled_from([1e-3, 0.1]))
def test_adaptive_unit_is_that_of_three_libraries(net: Net, ratio: float, floor: float) -> None:
    ours = clip(AdaptiveUnit(ratio=ratio, floor=floor), *net)
    assert_equal(ours, with_timm(net, ratio, floor))
    assert_equal(ours, with_optax(optax.adaptive_grad_clip(ratio, eps=floor), *net))
    assert_equal(ours, {key: agc(net[1][key], g, agc_eps=floor, agc_clip_val=ratio) for key, g in net[0].items()})


def test_a_matrix_of_one_column_has_as_many_units_as_rows() -> None:
    """optax drops axes of length 1 first, and takes such a matrix for one unit; timm does not."""
    net = ({"weight": torch.tensor([[3.0], [4.0]])}, {"weight": torch.ones(2, 1)})
    ours = clip(AdaptiveUnit(ratio=1.0), *net)
    assert_equal(ours, {"weight": torch.ones(2, 1)})
    assert_equal(ours, with_timm(net, 1.0, 1e-3))
    theirs = with_optax(optax.adaptive_grad_clip(1.0), *net)
    assert_equal(theirs, {"weight": 2**0.5 * torch.tensor([[0.6], [0.8]])})


@given(net=nets())
def test_a_bias_that_starts_at_zero_is_held_to_the_floor(net: Net) -> None:
    """With the usual 0.01 and 0.001 it moves by 1e-5 times the learning rate at most."""
    clipped = clip(AdaptiveUnit(ratio=0.01), *net)
    assert norm({"bias": clipped["layers.0.bias"]}) == pytest.approx(1e-5, rel=1e-4)


@FEW
@given(net=nets())
def test_adaptive_unit_can_spare_the_last_layer(net: Net) -> None:
    capped, spared = (clip(AdaptiveUnit(ratio=0.01, skip_last=skip), *net) for skip in (False, True))
    for key in SHAPES:
        expected = net[0][key] if key.startswith("layers.1") else capped[key]
        assert torch.equal(spared[key], expected)
