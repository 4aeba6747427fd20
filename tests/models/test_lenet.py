"""The convolutional network against torch's convolutions and pooling, and its patches against torch's unfold."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from study.models import ACTIVATIONS, sites
from study.models.lenet import LeNet
from study.models.networks.lenet import patches, pooled
from tests.models.torchs import MODULES, assert_as_torchs, random


def torchs(activation: str) -> nn.Sequential:
    """The same network of torch's layers."""
    act = MODULES[activation]
    return nn.Sequential(
        *(nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 6, 5, padding=2), act(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), act(), nn.AvgPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), act(), nn.Linear(120, 84), act(), nn.Linear(84, 10)),
    )


def as_torchs(p: Tensor) -> Tensor:
    """A kernel [out, rows columns in] as a convolution's weight [out, in, rows, columns]; other tensors as they are."""
    return p.unflatten(1, (5, 5, -1)).permute(0, 3, 1, 2) if p.ndim == 2 and p.shape[1] in (25, 150) else p


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_logits_and_gradients_are_those_of_torchs_layers(activation: str) -> None:
    model = LeNet(activation=activation, init="xavier")
    assert_as_torchs(model, torchs(activation), as_torchs, atol=1e-6)


MAPS = st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))


@given(shape=MAPS, side=st.integers(1, 4), seed=st.integers(0, 99))
@settings(max_examples=30)
def test_patches_are_those_of_unfold(shape: tuple[int, ...], side: int, seed: int) -> None:
    b, extra_rows, extra_columns, channels = shape
    maps = torch.randn(b, side + extra_rows, side + extra_columns, channels, generator=random(seed))
    found = patches(maps, side)
    assert found.shape == (b, extra_rows + 1, extra_columns + 1, side**2 * channels)
    theirs = F.unfold(maps.movedim(-1, 1), side).transpose(1, 2)  # [B, positions, channels rows columns]
    assert torch.equal(found.flatten(1, 2), theirs.unflatten(2, (channels, -1)).transpose(2, 3).flatten(2))


@given(shape=MAPS, seed=st.integers(0, 99))
@settings(max_examples=20)
def test_pooling_is_torchs(shape: tuple[int, ...], seed: int) -> None:
    b, rows, columns, channels = shape
    maps = torch.randn(b, 2 * rows, 2 * columns, channels, generator=random(seed))
    torch.testing.assert_close(pooled(maps).movedim(-1, 1), F.avg_pool2d(maps.movedim(-1, 1), 2))


def test_its_size_is_that_of_lenet_5_with_whole_connections() -> None:
    parameters = LeNet().initialise(LeNet().build(784, 10), random())
    assert sum(p.numel() for p in parameters.values()) == 61_706
    assert [tuple(p.shape) for p in parameters.values() if p.ndim == 2] == [
        (6, 25), (16, 150), (120, 400), (84, 120), (10, 84)
    ]  # fmt: skip


def test_sites_are_maps_with_their_channels_first_and_layers() -> None:
    expected = [
        ("input", (5, 784)), ("hidden0", (5, 6, 14, 14)), ("hidden1", (5, 16, 5, 5)),
        ("hidden2", (5, 120)), ("hidden3", (5, 84)),
    ]  # fmt: skip
    module = LeNet().build(784, 10)
    LeNet().initialise(module, random())
    assert list(sites(module, 5, 784).items()) == expected
