"""Models: the module's function against torch.nn, initialisations against torch's and their definitions."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.func import functional_call

from study.models import ACTIVATIONS, INITIALISATIONS, MLP, sites

MODULES = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "gelu": nn.GELU}


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_every_activation_has_an_oracle() -> None:
    assert set(MODULES) == set(ACTIVATIONS)


@given(
    hidden=st.lists(st.integers(1, 9), max_size=4),
    activation=st.sampled_from(sorted(MODULES)),
    init=st.sampled_from(sorted(INITIALISATIONS)),
)
@settings(max_examples=30)
def test_mlp_is_torchs_sequential(hidden: list[int], activation: str, init: str) -> None:
    model = MLP(hidden=tuple(hidden), activation=activation, init=init)
    module = model.build(6, 3)
    parameters = model.initialise(module, random())
    widths = [6, *hidden, 3]
    layers: list[nn.Module] = []
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b), MODULES[activation]()]
    oracle = nn.Sequential(*layers[:-1])
    shapes = [p.shape for p in oracle.parameters()]
    assert [p.shape for p in parameters.values()] == shapes
    with torch.no_grad():
        for p, q in zip(oracle.parameters(), parameters.values(), strict=True):
            p.copy_(q)
    x = torch.randn(5, 6, generator=random(1))
    torch.testing.assert_close(functional_call(module, parameters, (x,)), oracle(x))


@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_pytorch_initialisation_is_that_of_linear(seed: int) -> None:
    """The same uniform numbers in the same order as nn.Linear draws them."""
    model = MLP(hidden=(20, 7))
    drawn = model.initialise(model.build(30, 4), random(seed))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        linears = [nn.Linear(30, 20), nn.Linear(20, 7), nn.Linear(7, 4)]
    expected = [p for linear in linears for p in (linear.weight, linear.bias)]
    for mine, theirs in zip(drawn.values(), expected, strict=True):
        torch.testing.assert_close(mine, theirs.detach())


@pytest.mark.usefixtures("global_randomness_untouched")
@pytest.mark.parametrize("init", sorted(INITIALISATIONS))
def test_initialisation_draws_from_its_generator_alone(init: str) -> None:
    model = MLP(hidden=(8,), init=init)
    first, again, other = (flat(model.initialise(model.build(10, 4), random(seed))) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_initialised_parameters_are_their_own() -> None:
    """The next replicate's initialisation must not change those already made."""
    model = MLP(hidden=(8,))
    module = model.build(10, 4)
    first = model.initialise(module, random(0))
    kept = flat(first).clone()
    model.initialise(module, random(1))
    assert torch.equal(flat(first), kept)


def flat(parameters: dict[str, Tensor]) -> Tensor:
    return torch.cat([p.flatten() for p in parameters.values()])


def first_layer(init: str) -> tuple[Tensor, Tensor]:
    """Weight [200, 500] and bias of a first layer."""
    model = MLP(hidden=(200,), init=init)
    drawn = model.initialise(model.build(500, 10), random())
    return drawn["layers.0.weight"], drawn["layers.0.bias"]


def test_he_initialisation() -> None:
    weight, bias = first_layer("he")
    assert float(weight.std()) == pytest.approx(math.sqrt(2 / 500), rel=0.01)
    assert not bias.any()


def test_xavier_initialisation() -> None:
    weight, bias = first_layer("xavier")
    bound = math.sqrt(6 / (500 + 200))
    assert 0.99 * bound < float(weight.abs().max()) <= bound
    assert float(weight.std()) == pytest.approx(bound / math.sqrt(3), rel=0.01)
    assert not bias.any()


def test_orthogonal_initialisation() -> None:
    weight, bias = first_layer("orthogonal")
    torch.testing.assert_close(weight @ weight.T, torch.eye(200), atol=1e-5, rtol=0)
    assert not bias.any()


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
