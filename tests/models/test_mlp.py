"""The multilayer perceptron against torch's Sequential, and activations against torch's modules."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.func import functional_call

from study.models import ACTIVATIONS, Initialisation, sites
from study.models.mlp import MLP
from tests.models.torchs import MODULES, random


def test_every_activation_has_an_oracle() -> None:
    assert set(MODULES) == set(ACTIVATIONS)


@pytest.mark.parametrize("name", MODULES)
def test_activations_and_their_slopes_are_torchs(name: str) -> None:
    ours, theirs = (torch.linspace(-30, 30, 601, requires_grad=True) for _ in range(2))
    mine, expected = ACTIVATIONS[name](ours), MODULES[name]()(theirs)
    torch.testing.assert_close(mine, expected, rtol=1e-5, atol=1e-6)
    slopes = [torch.autograd.grad(y.sum(), x)[0] for y, x in ((mine, ours), (expected, theirs))]
    torch.testing.assert_close(*slopes, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("scale", [1e-3, 3.0])
@given(start=st.integers(0, 40), count=st.integers(1, 40))
@settings(max_examples=20)
def test_an_activation_does_not_depend_on_its_neighbours(name: str, scale: float, start: int, count: int) -> None:
    """Bit for bit, value and slope, wherever in memory it lies; torch.sigmoid and gelu do not keep this."""
    x = scale * torch.randn(1000, generator=random())
    cut = slice(start, start + count)
    for here, alone in zip(with_slope(name, x), with_slope(name, x[cut]), strict=True):
        assert torch.equal(here[cut], alone)


def with_slope(name: str, x: Tensor) -> tuple[Tensor, Tensor]:
    x = x.clone().requires_grad_()
    y = ACTIVATIONS[name](x)
    return y.detach(), torch.autograd.grad(y.sum(), x)[0]


@given(
    hidden=st.lists(st.integers(1, 9), max_size=4),
    activation=st.sampled_from(sorted(MODULES)),
    init=st.sampled_from(sorted(Initialisation.members)),
)
@settings(max_examples=30)
def test_mlp_is_torchs_sequential(hidden: list[int], activation: str, init: str) -> None:
    model = MLP(hidden=tuple(hidden), activation=activation, init=init)
    module = model.build(6, 3)
    parameters = model.initialise(module, random())
    layers: list[nn.Module] = []
    for a, b in pairwise([6, *hidden, 3]):
        layers += [nn.Linear(a, b), MODULES[activation]()]
    oracle = nn.Sequential(*layers[:-1])
    assert [p.shape for p in parameters.values()] == [p.shape for p in oracle.parameters()]
    oracle.load_state_dict(dict(zip(oracle.state_dict(), parameters.values(), strict=True)))
    x = torch.randn(5, 6, generator=random(1))
    torch.testing.assert_close(functional_call(module, parameters, (x,)), oracle(x))


@pytest.mark.parametrize(
    ("hidden", "expected"),
    [
        ((), {"input": (5, 6)}),
        ((4,), {"input": (5, 6), "hidden0": (5, 4)}),
        ((4, 3), {"input": (5, 6), "hidden0": (5, 4), "hidden1": (5, 3)}),
    ],
)
def test_sites(hidden: tuple[int, ...], expected: dict[str, tuple[int, ...]]) -> None:
    model = MLP(hidden=hidden)
    module = model.build(6, 2)
    model.initialise(module, random())
    assert list(sites(module, 5, 6).items()) == list(expected.items())


def test_what_a_site_returns_is_what_the_next_layer_sees() -> None:
    model = MLP(hidden=(4,))
    module = model.build(6, 2)
    parameters = model.initialise(module, random())
    x = torch.randn(5, 6, generator=random(1))
    logits = functional_call(module, parameters, (x, lambda name, h: h * 0 if name == "hidden0" else h))
    torch.testing.assert_close(logits, parameters["layers.1.bias"].expand(5, 2))
