"""The network of private learning against torch's convolutions and pooling."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from study.models import ACTIVATIONS, sites
from study.models.networks.private_cnn import largest, squares
from study.models.private_cnn import PrivateCNN
from tests.models.torchs import MODULES, assert_as_torchs, random

SIDES = {64: 8, 256: 4}  # of the kernels, by their number of inputs


def torchs(activation: str) -> nn.Sequential:
    """The same network of torch's layers."""
    act = MODULES[activation]
    return nn.Sequential(
        *(nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 16, 8, stride=2, padding=3), act(), nn.MaxPool2d(2, 1)),
        *(nn.Conv2d(16, 32, 4, stride=2), act(), nn.MaxPool2d(2, 1), nn.Flatten()),
        *(nn.Linear(512, 32), act(), nn.Linear(32, 10)),
    )


def as_torchs(p: Tensor) -> Tensor:
    """A kernel [out, squares rows columns in] as torch has it, [out, in, rows, columns]; other tensors as they are."""
    if p.ndim != 2 or p.shape[1] not in SIDES:
        return p
    half = SIDES[p.shape[1]] // 2
    each = p.view(len(p), half, half, 2, 2, -1)  # out, two of squares, two within one, in
    return each.permute(0, 5, 1, 3, 2, 4).flatten(4).flatten(2, 3)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_logits_and_gradients_are_those_of_torchs_layers(activation: str) -> None:
    model = PrivateCNN(activation=activation, init="xavier")
    assert_as_torchs(model, torchs(activation), as_torchs, atol=1e-5)


MAPS = st.tuples(st.integers(1, 3), st.integers(2, 7), st.integers(2, 7), st.integers(1, 3))


@given(shape=MAPS, seed=st.integers(0, 99))
@settings(max_examples=20)
def test_the_maximum_is_torchs_pooling_at_every_pixel(shape: tuple[int, ...], seed: int) -> None:
    maps = torch.randn(shape, generator=random(seed))
    assert torch.equal(largest(maps).movedim(-1, 1), F.max_pool2d(maps.movedim(-1, 1), 2, 1))


@given(shape=MAPS, seed=st.integers(0, 99))
@settings(max_examples=20)
def test_squares_are_those_of_pixel_unshuffle(shape: tuple[int, ...], seed: int) -> None:
    _, high, wide, channels = shape
    maps = torch.randn(shape, generator=random(seed))
    even = maps[:, : high // 2 * 2, : wide // 2 * 2].movedim(-1, 1)
    theirs = F.pixel_unshuffle(even, 2).unflatten(1, (channels, 4)).transpose(1, 2).flatten(1, 2).movedim(1, -1)
    assert torch.equal(squares(maps), theirs)


def test_its_size_is_that_of_opacus_example() -> None:
    parameters = PrivateCNN().initialise(PrivateCNN().build(784, 10), random())
    assert sum(p.numel() for p in parameters.values()) == 26_010
    assert [tuple(p.shape) for p in parameters.values() if p.ndim == 2] == [(16, 64), (32, 256), (32, 512), (10, 32)]


def test_sites_are_maps_with_their_channels_first_and_a_layer() -> None:
    module = PrivateCNN().build(784, 10)
    PrivateCNN().initialise(module, random())
    assert list(sites(module, 5, 784).items()) == [
        ("input", (5, 784)), ("hidden0", (5, 16, 13, 13)), ("hidden1", (5, 32, 4, 4)), ("hidden2", (5, 32))
    ]  # fmt: skip
