"""Probes against slow loops of torch.autograd, and on nets built to have a known answer."""

import math
import subprocess
import sys
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.func import functional_call, hessian
from torch.nn import functional as F

from study.models import Site, untouched
from study.models.lenet import LeNet
from study.models.mlp import MLP
from study.optim.losses import CrossEntropy, Loss, SquaredError
from study.optim.tensors import one_hot
from study.training import probes
from study.training.measurements import noise_scale
from study.training.probes import PROBES, dead_units, first_to_last, hessian_top, probe


def net(seed: int, hidden: tuple[int, ...] = (7, 5)) -> tuple[nn.Module, dict[str, Tensor]]:
    model = MLP(hidden=hidden)
    module = model.build(6, 4)
    return module, model.initialise(module, torch.Generator().manual_seed(seed))


def samples(seed: int, count: int) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(count, 6, generator=random), torch.randint(0, 4, (count,), generator=random)


def gradient(parameters: dict[str, Tensor], loss: Loss, x: Tensor, y: Tensor) -> list[Tensor]:
    """By torch.autograd, through layers written out."""
    leaves = [p.clone().requires_grad_() for p in parameters.values()]
    h = x
    for weight, bias in zip(leaves[:-2:2], leaves[1:-2:2], strict=True):
        h = torch.relu(F.linear(h, weight, bias))
    logits = F.linear(h, *leaves[-2:])
    value = F.cross_entropy(logits, y) if loss.name == "cross_entropy" else 0.5 * F.mse_loss(
        logits, one_hot(y, 4), reduction="sum") / len(y)  # fmt: skip
    return list(torch.autograd.grad(value, leaves))


def loss_of(module: nn.Module, loss: Loss, x: Tensor, y: Tensor) -> Callable[[dict[str, Tensor]], Tensor]:
    return lambda p: loss.value(functional_call(module, p, (x,)), one_hot(y, 4))


def norm(gradient: list[Tensor]) -> float:
    return math.hypot(*(x for g in gradient for x in g.flatten().tolist()))


@given(seed=st.integers(0, 1000), count=st.integers(2, 35), loss=st.sampled_from(["ce", "se"]))
@settings(max_examples=15)
def test_probe_is_a_loop_over_samples(seed: int, count: int, loss: str) -> None:
    chosen = CrossEntropy() if loss == "ce" else SquaredError()
    module, parameters = net(seed)
    x, y = samples(seed, count)
    found = dict(zip(PROBES, probe(module, chosen, parameters, x, y, 4).tolist(), strict=True))
    norms = torch.tensor([norm(gradient(parameters, chosen, x[i : i + 1], y[i : i + 1])) for i in range(count)])
    whole = gradient(parameters, chosen, x, y)
    assume(norm(whole[-2:-1]) > 0)  # else every unit is silent for these samples
    scale, snr = noise_scale(norms.double().square(), torch.tensor(norm(whole) ** 2, dtype=torch.float64))
    for name, q in (("sample_norm_q10", 0.1), ("sample_norm_q50", 0.5), ("sample_norm_q90", 0.9)):
        assert found[name] == pytest.approx(float(torch.quantile(norms, q)), rel=1e-4)
    assert found["first_to_last"] == pytest.approx(norm(whole[:1]) / norm(whole[-2:-1]), rel=1e-4)
    if 0 < float(scale) < 100:  # beyond, the difference that gives the signal has lost its digits
        assert found["noise_scale"] == pytest.approx(float(scale), rel=1e-2)
        assert found["signal_to_noise"] == pytest.approx(float(snr), rel=1e-2)


@pytest.mark.usefixtures("global_randomness_untouched")
def test_a_probe_changes_nothing_and_draws_nothing() -> None:
    module, parameters = net(0)
    copies = {key: p.clone() for key, p in parameters.items()}
    first, second = (probe(module, CrossEntropy(), parameters, *samples(0, 20), 4) for _ in range(2))
    assert torch.equal(first, second)
    assert all(torch.equal(parameters[key], copies[key]) for key in copies)


@pytest.mark.parametrize("dead", [0, 1, 3, 7])
def test_dead_units_of_a_built_net(dead: int) -> None:
    """Units whose bias outweighs every input never fire."""
    module, parameters = net(0, hidden=(7,))
    parameters["layers.0.bias"] = torch.tensor([-1e6] * dead + [1e6] * (7 - dead))
    assert float(dead_units(module, parameters, samples(0, 30)[0])) == pytest.approx(dead / 7)


def test_dead_units_are_counted_over_all_hidden_layers() -> None:
    """A dead first layer of 7 makes the 5 units after it constant too."""
    module, parameters = net(0)
    parameters["layers.0.bias"] = torch.full((7,), -1e6)
    assert float(dead_units(module, parameters, samples(0, 30)[0])) == 1
    parameters["layers.0.bias"] = torch.full((7,), 1e3)
    parameters["layers.1.bias"] = torch.full((5,), -1e6)
    assert float(dead_units(module, parameters, samples(0, 30)[0])) == pytest.approx(5 / 12)


def test_a_model_without_hidden_units_has_no_dead_ones() -> None:
    module, parameters = net(0, hidden=())
    assert math.isnan(float(dead_units(module, parameters, samples(0, 30)[0])))
    assert len(probe(module, CrossEntropy(), parameters, *samples(0, 8), 4)) == len(PROBES)


def test_first_to_last_compares_weights_not_biases() -> None:
    g = {"a.weight": torch.full((2, 2), 3.0), "a.bias": torch.full((2,), 100.0), "b.weight": torch.full((1, 4), 1.5)}
    g["b.bias"] = torch.full((1,), 100.0)
    assert float(first_to_last(g)) == pytest.approx(2)


def test_dead_units_of_a_convolutional_net_are_its_channels_and_units() -> None:
    """6 and 16 channels, 120 and 84 units; a saturated channel leaves the next layer alive."""
    model = LeNet()
    module = model.build(784, 4)
    parameters = model.initialise(module, torch.Generator().manual_seed(0))
    for key, dead in (("kernels.0", 2), ("kernels.1", 5), ("layers.0", 7)):
        parameters[f"{key}.bias"][:dead] = -1e6
    x = torch.randn(20, 784, generator=torch.Generator().manual_seed(1))
    assert float(dead_units(module, parameters, x)) == pytest.approx((2 + 5 + 7) / (6 + 16 + 120 + 84))


class Imaged(nn.Module):
    """A net whose hidden activations are images of given channels, [B, C, 2, 2]."""

    def __init__(self, channels: Sequence[Callable[[Tensor], Tensor]]) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor, site: Site = untouched) -> Tensor:
        x = site("input", x)
        return site("image", torch.stack([channel(x) for channel in self.channels], 1)).flatten(1)


def test_a_unit_of_an_image_is_a_channel() -> None:
    """A margin that is black for all samples does not make a channel dead, nor does a pattern make it live."""

    def margin(x: Tensor) -> Tensor:
        return torch.stack([torch.stack([x[:, 0], 0 * x[:, 0]], 1), torch.zeros(len(x), 2)], 1)

    def pattern(x: Tensor) -> Tensor:
        return torch.tensor([[1.0, 2.0], [3.0, 4.0]]).expand(len(x), 2, 2)

    x = samples(0, 5)[0]
    for channels, dead in (([margin], 0), ([pattern], 1), ([margin, pattern, pattern, margin, margin], 0.4)):
        assert float(dead_units(Imaged(channels), {}, x)) == pytest.approx(dead)


def test_a_unit_that_lives_in_one_call_of_its_site_lives() -> None:
    """A recurrent net that sees nothing in its first steps."""

    class Twice(nn.Module):
        def forward(self, x: Tensor, site: Site = untouched) -> Tensor:
            return site("state", torch.zeros(len(x), 3)) + site("state", x[:, :3] * torch.tensor([1.0, 0.0, 1.0]))

    assert float(dead_units(Twice(), {}, samples(0, 5)[0])) == pytest.approx(1 / 3)


@pytest.mark.parametrize("loss", [CrossEntropy(), SquaredError()], ids=lambda loss: loss.name)
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@example(seed=501, scale=0.3)  # a start that hardly sees the direction of the largest
@example(seed=897, scale=0.3)
@given(seed=st.integers(0, 1000), scale=st.sampled_from([0.3, 1.0, 3.0]))
@settings(max_examples=5)
def test_the_hessians_largest_eigenvalue_is_that_of_the_whole_hessian(
    loss: Loss, activation: str, seed: int, scale: float
) -> None:
    model = MLP(hidden=(7, 5), activation=activation)
    module = model.build(6, 4)
    parameters = model.initialise(module, torch.Generator().manual_seed(seed))
    parameters = {key: scale * p for key, p in parameters.items()}
    x, y = samples(seed, 30)
    blocks = hessian(loss_of(module, loss, x.double(), y))({key: p.double() for key, p in parameters.items()})
    sizes = {key: p.numel() for key, p in parameters.items()}
    rows = [torch.cat([blocks[a][b].reshape(sizes[a], sizes[b]) for b in sizes], 1) for a in sizes]
    exact = torch.linalg.eigvalsh(torch.cat(rows))[-1]
    assert hessian_top(loss_of(module, loss, x, y), parameters) == pytest.approx(float(exact), rel=2e-3)


def test_the_hessians_largest_eigenvalue_is_that_of_jax() -> None:
    module, parameters = net(3)
    x, y = samples(3, 30)

    def of(flat: jax.Array) -> jax.Array:
        w0, b0, w1, b1, w2, b2 = unflattened(flat, [tuple(p.shape) for p in parameters.values()])
        h = jax.nn.relu(jax.nn.relu(x.numpy() @ w0.T + b0) @ w1.T + b1)
        return -jnp.mean(jax.nn.log_softmax(h @ w2.T + b2)[jnp.arange(30), y.numpy()])

    flat = jnp.asarray(torch.cat([p.flatten() for p in parameters.values()]).numpy())
    exact = np.linalg.eigvalsh(np.asarray(jax.jit(jax.hessian(of))(flat), np.float64))[-1]
    found = dict(zip(PROBES, probe(module, CrossEntropy(), parameters, x, y, 4).tolist(), strict=True))
    assert found["hessian_top"] == pytest.approx(exact, rel=2e-3)


def unflattened(flat: jax.Array, shapes: Sequence[tuple[int, ...]]) -> list[jax.Array]:
    ends = np.cumsum([math.prod(shape) for shape in shapes])
    return [part.reshape(shape) for part, shape in zip(jnp.split(flat, ends[:-1]), shapes, strict=True)]


def quadratic(eigenvalues: Sequence[float]) -> tuple[Callable[[dict[str, Tensor]], Tensor], dict[str, Tensor]]:
    """A loss whose Hessian has these eigenvalues."""
    size = len(eigenvalues)
    basis, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((size, size)))
    matrix = torch.from_numpy((basis * np.asarray(eigenvalues)) @ basis.T).float()
    return lambda p: 0.5 * p["w"] @ matrix @ p["w"], {"w": torch.zeros(size)}


@pytest.mark.parametrize(
    "eigenvalues",
    [
        [3.0, 1.0],
        [-3.0, -1.0],
        [5.0] + [0.0] * 50,
        [5.0] * 3 + [0.0] * 50,
        [1.0] * 30,
        [-9.0, 2.0, 1.0] + [0.0] * 20,
        list(np.linspace(0, 1, 200)),
        [2e-20] + [1e-20] * 5,
        [1e30, 1e20] + [1.0] * 10,
    ],
    ids=lambda e: f"{len(e)} from {e[0]:g}",
)
@pytest.mark.usefixtures("global_randomness_untouched")
def test_the_largest_eigenvalue_of_a_known_hessian_is_found_the_same_each_time(eigenvalues: list[float]) -> None:
    """With its sign, also where the Hessian has few directions and the method must start anew."""
    of, parameters = quadratic(eigenvalues)
    found = {hessian_top(of, parameters) for _ in range(3)}
    assert len(found) == 1
    assert found.pop() == pytest.approx(max(eigenvalues), rel=1e-3)


def test_a_hessian_of_zeros_has_zero() -> None:
    of, parameters = quadratic([0.0] * 20)
    assert hessian_top(of, parameters) == 0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_parameters_that_are_not_finite_have_no_hessian(value: float) -> None:
    """Not even where the loss is finite: a bias of minus infinity only silences its unit."""
    module, parameters = net(0)
    parameters["layers.0.bias"][2] = value
    assert math.isnan(hessian_top(loss_of(module, CrossEntropy(), *samples(0, 20)), parameters))
    found = dict(zip(PROBES, probe(module, CrossEntropy(), parameters, *samples(0, 20), 4).tolist(), strict=True))
    assert math.isnan(found["hessian_top"])


def test_a_hessian_that_overflows_or_does_not_converge_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    of, parameters = quadratic([1e38] * 2 + [1.0] * 20)
    assert math.isnan(hessian_top(lambda p: 1e20 * of(p), parameters))
    of, parameters = quadratic(list(np.linspace(0, 1, 300)))
    monkeypatch.setattr(probes, "MOST", 20)
    assert math.isnan(hessian_top(of, parameters))


def test_scipy_is_loaded_by_a_probe_alone() -> None:
    code = "import sys, study.training.engine; assert 'scipy.linalg' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
