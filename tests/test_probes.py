"""Probes against slow loops of torch.autograd, and on nets built to have a known answer."""

import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from study.gradients import noise_scale
from study.losses import CrossEntropy, Loss, SquaredError
from study.models import MLP
from study.probes import AT_ONCE, PROBES, dead_units, first_to_last, probe
from study.training import one_hot


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


def norm(gradient: list[Tensor]) -> float:
    return math.hypot(*(x for g in gradient for x in g.flatten().tolist()))


@given(seed=st.integers(0, 1000), count=st.integers(2, 2 * AT_ONCE + 3), loss=st.sampled_from(["ce", "se"]))
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
