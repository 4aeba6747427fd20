"""Initialisations against torch's layers, Keras' initialisers, and what their papers promise of them."""

from types import ModuleType
from typing import Any

import pytest
import torch
from cases import variant
from pydantic import ValidationError
from scipy import stats
from torch import Tensor, nn

from study.config.variants import Variant
from study.models import Initialisation, Model
from study.models.lenet import LeNet
from study.models.mlp import MLP
from study.models.row_rnn import RowRNN

OUT, CHANNELS, PIXELS = 200, 40, 25
RANDOM = sorted(set(Initialisation.members) - {"zero"})


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drawn(model: Model, seed: int = 0) -> list[Tensor]:
    return list(model.initialise(model.build(784, 10), random(seed)).values())


def layer(init: Any, pixels: int = 1) -> tuple[Tensor, Tensor]:
    """Weight [200, 1000] and bias of a layer, or of a kernel over so many pixels."""
    made = Initialisation.parse(init).initialise(nn.Linear(CHANNELS * PIXELS, OUT), random(), {"": pixels})
    return made["weight"], made["bias"]


@pytest.fixture(scope="module")
def keras() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "torch")
        import keras
    return keras


@pytest.mark.parametrize(
    ("model", "theirs"),
    [
        (MLP(hidden=(20, 7)), lambda: [nn.Linear(784, 20), nn.Linear(20, 7), nn.Linear(7, 10)]),
        (
            LeNet(),
            lambda: [
                *(nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5)),
                *(nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)),
            ],
        ),
        (RowRNN(units=9), lambda: [nn.Linear(28, 9), nn.Linear(9, 9, bias=False), nn.Linear(9, 10)]),
    ],
    ids=["mlp", "lenet", "row_rnn"],
)
@pytest.mark.parametrize("seed", [0, 12345])
def test_pytorch_is_the_default_of_torchs_layers(model: Model, theirs: Any, seed: int) -> None:
    """The same uniform numbers in the same order as the layers draw them."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        expected = [p for one in theirs() for p in one.parameters()]
    for ours, other in zip(drawn(model, seed), expected, strict=True):
        torch.testing.assert_close(ours.flatten(), other.detach().flatten())


KERAS = {
    "he": ("HeNormal", {}),
    "xavier": ("GlorotUniform", {}),
    "orthogonal": ("Orthogonal", {}),
    "normal": ("RandomNormal", {"stddev": 0.01}),
    "zero": ("Zeros", None),
}


@pytest.mark.parametrize("name", KERAS)
@pytest.mark.parametrize("shape", [(CHANNELS * PIXELS, OUT), (5, 5, CHANNELS, OUT)], ids=["dense", "convolution"])
def test_mean_and_variance_are_those_of_keras(keras: ModuleType, name: str, shape: tuple[int, ...]) -> None:
    """For a linear layer and for a kernel, whose outputs count with its pixels in Glorot's rule."""
    called, given = KERAS[name]
    initialiser = getattr(keras.initializers, called)(**({"seed": 1, **given} if given is not None else {}))
    theirs = keras.ops.convert_to_numpy(initialiser(shape))
    weight, bias = layer(name, PIXELS if len(shape) == 4 else 1)
    assert float(weight.std()) == pytest.approx(float(theirs.std()), rel=0.01)
    assert float(weight.mean()) == pytest.approx(0, abs=0.01 * float(theirs.std()) + 1e-12)
    assert not bias.any()


@pytest.mark.parametrize(
    ("init", "law"),
    [
        ("pytorch", stats.uniform(-(1000**-0.5), 2 * 1000**-0.5)),
        ("he", stats.norm(0, (2 / 1000) ** 0.5)),
        ("xavier", stats.uniform(-((6 / 1200) ** 0.5), 2 * (6 / 1200) ** 0.5)),
        ("normal", stats.norm(0, 0.01)),
        ({"name": "normal", "std": 0.3}, stats.norm(0, 0.3)),
    ],
)
def test_weights_follow_the_law(init: Any, law: Any) -> None:
    weight, _ = layer(init)
    assert stats.kstest(weight.flatten()[::7].numpy(), law.cdf).pvalue > 0.01


@pytest.mark.parametrize("pixels", [1, PIXELS])
def test_orthogonal_rows_are_orthonormal(pixels: int) -> None:
    weight, _ = layer("orthogonal", pixels)
    torch.testing.assert_close(weight @ weight.T, torch.eye(OUT), atol=1e-5, rtol=0)


def growth(init: Any, activation: str, depth: int = 20) -> float:
    """The mean square of the last hidden activations over that of the first, of a deep net of 200 units a layer."""
    model = MLP(hidden=(200,) * depth, activation=activation, init=init)
    module = model.build(200, 10)
    module.load_state_dict(model.initialise(module, random()))
    squares = []

    def record(name: str, h: Tensor) -> Tensor:
        squares.append(float(h.square().mean()))
        return h

    with torch.no_grad():
        module(torch.randn(100, 200, generator=random(1)), record)
    return squares[-1] / squares[1]


def test_he_keeps_the_size_of_activations_under_relu_and_others_lose_it() -> None:
    assert 0.3 < growth("he", "relu") < 3
    assert growth("xavier", "relu") < 1e-4, "half the variance is lost in each layer"
    assert growth("pytorch", "relu") < 0.1, "a sixth of the variance stays in each layer, and biases put some back"
    assert growth("normal", "relu") < 1e-20
    assert growth({"name": "normal", "std": 0.3}, "relu") > 1e10, "it explodes"


def test_orthogonal_keeps_it_without_a_nonlinearity_to_speak_of() -> None:
    """Activations near zero, where tanh is the identity."""
    model = MLP(hidden=(50,) * 10, activation="tanh", init="orthogonal")
    module = model.build(50, 50)
    module.load_state_dict(model.initialise(module, random()))
    x = 1e-4 * torch.randn(5, 50, generator=random(1))
    torch.testing.assert_close(module(x).norm(dim=1), x.norm(dim=1), rtol=1e-4, atol=0)


def test_from_zero_only_the_last_bias_moves() -> None:
    model = MLP(hidden=(8, 8), activation="tanh", init="zero")
    module = model.build(6, 3)
    module.load_state_dict(model.initialise(module, random()))
    nn.functional.cross_entropy(module(torch.randn(4, 6, generator=random(1))), torch.tensor([0, 1, 0, 0])).backward()
    assert [name for name, p in module.named_parameters() if p.grad.any()] == ["layers.2.bias"]


MODELS = [MLP(hidden=(8,)), LeNet(), RowRNN(units=8)]


@pytest.mark.usefixtures("global_randomness_untouched")
@pytest.mark.parametrize("init", RANDOM)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_numbers_come_from_the_generator_alone(model: Model, init: str) -> None:
    given = type(model).model_validate({**dict(model), "init": init})
    first, again, other = (torch.cat([p.flatten() for p in drawn(given, seed)]) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_initialised_parameters_are_their_own(model: Model) -> None:
    """The next replicate's initialisation must not change those already made."""
    module = model.build(784, 10)
    first = model.initialise(module, random(0))
    kept = {key: p.clone() for key, p in first.items()}
    model.initialise(module, random(1))
    assert all(torch.equal(first[key], kept[key]) for key in kept)


@pytest.mark.parametrize(
    ("given", "label"),
    [
        ("he", "mlp(init=he)"),
        ({"name": "he"}, "mlp(init=he)"),
        ({"name": "normal", "std": "1e-1"}, "mlp(init=normal(0.1))"),
        ("pytorch", "mlp"),
    ],
)
def test_it_is_given_by_name_or_with_parameters(given: Any, label: str) -> None:
    v = variant(model={"name": "mlp", "init": given})
    assert v.model.label == label
    back = Variant.model_validate_json(v.model_dump_json())
    assert (back, back.digest) == (v, v.digest)


def test_it_is_written_as_a_name_where_that_says_all() -> None:
    assert MLP(init="he").model_dump(mode="json")["init"] == "he"
    assert MLP(init="normal").model_dump(mode="json")["init"] == {"name": "normal", "std": 0.01}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "hee",
            "The 'name' parameter of initialisation must be one of 'he', 'normal', 'orthogonal', 'pytorch', 'xavier', "
            "'zero'. Got 'hee' instead. Did you mean 'he'?",
        ),
        (
            {"name": "normal", "std": 0},
            "The 'std' parameter of initialisation 'normal' must be a positive number. Got 0 instead.",
        ),
    ],
)
def test_what_is_no_initialisation_is_refused(given: Any, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        MLP(init=given)
    assert [line["msg"] for line in caught.value.errors()] == [message]
