"""The server of a round: adaptive clip and noise as published, privacy against its exact value, what is noted."""

import math

import pytest
import torch
from scipy.optimize import brentq
from scipy.stats import norm

from study.clipping import Clipping
from study.clipping.none import NoClipping
from study.training.server import Server, of_updates
from study.workloads.federated import Federated, rounds_to_target
from study.workloads.privacy import epsilon

PARAMETERS = {"weight": torch.zeros(40, 30), "bias": torch.zeros(40)}
ADAPTIVE = {"name": "per_sample_adaptive", "initial_norm": 2.0, "quantile": 0.3, "rate": 0.5}
Z = 0.4


def updates(m: int, seed: int = 0) -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    sizes = torch.rand(m, generator=random) * 0.2
    return {
        key: torch.randn(m, *p.shape, generator=random) * sizes.view(-1, *[1] * p.ndim) for key, p in PARAMETERS.items()
    }


def test_the_adaptive_clip_with_noise_is_algorithm_1_of_andrew_et_al() -> None:
    m, noise = 8, {key: torch.randn(p.shape) for key, p in PARAMETERS.items()}
    server = Server(
        Federated(clients=8, fraction=1.0, clip_at="update", noise_multiplier=Z), Clipping.parse(ADAPTIVE), []
    )
    state, w, bound = server.initial_state(PARAMETERS), PARAMETERS, ADAPTIVE["initial_norm"]
    for t in range(3):
        given, count_noise = updates(m, t), torch.tensor(0.7 - t)
        flat = torch.cat([u.flatten(1) for u in given.values()], 1)
        flat_noise = torch.cat([n.flatten() for n in noise.values()])
        count_std = m / 20
        z_update = (Z**-2 - (2 * count_std) ** -2) ** -0.5
        total, unclipped = torch.zeros(flat.shape[1]), 0
        for update in flat:
            total += update * min(1.0, bound / float(update.norm()))
            unclipped += int(float(update.norm()) <= bound)
        mean = (total + z_update * bound * flat_noise) / m
        before = torch.cat([p.flatten() for p in w.values()])
        w, state, noted = server.round(w, state, given, noise, count_noise)
        torch.testing.assert_close(torch.cat([p.flatten() for p in w.values()]), before - mean, rtol=1e-4, atol=1e-5)
        assert float(noted["update_bound"]) == pytest.approx(bound)
        assert float(noted["update_clipped"]) == pytest.approx(1 - unclipped / m)
        bound *= math.exp(-0.5 * ((unclipped + count_std * float(count_noise)) / m - 0.3))
        assert float(state.clip["bound"]) == pytest.approx(bound, rel=1e-5)


def test_without_a_bound_there_is_no_noise() -> None:
    server = Server(Federated(clip_at="update", noise_multiplier=1.0), NoClipping(), [])
    noise = {key: torch.ones_like(p) for key, p in PARAMETERS.items()}
    given = updates(4)
    after, _, noted = server.round(PARAMETERS, server.initial_state(PARAMETERS), given, noise, torch.tensor(1.0))
    assert float(noted["update_noise"]) == 0
    torch.testing.assert_close(after["bias"], -given["bias"].mean(0))


@pytest.mark.parametrize(("z", "times"), [(0.5, 1), (1.0, 10), (2.0, 3), (4.0, 100)])
def test_epsilon_bounds_the_exact_one_of_the_gaussian_mechanism(z: float, times: int) -> None:
    """Balle and Wang 2018, theorem 8; of so many mechanisms, that of one with the noise over the root."""
    sigma, delta = z / math.sqrt(times), 1e-3

    def exact(e: float) -> float:
        return float(norm.cdf(0.5 / sigma - e * sigma) - math.exp(e) * norm.cdf(-0.5 / sigma - e * sigma)) - delta

    wanted = brentq(exact, 0, 100)
    assert wanted <= epsilon(z, times, delta) <= 1.35 * wanted + 0.05


def test_no_noise_buys_nothing_and_a_client_that_is_never_drawn_loses_nothing() -> None:
    assert epsilon(0.0, 5, 1e-3) == math.inf
    assert epsilon(1.0, 0, 1e-3) == 0.0


def test_updates_that_agree_have_no_drift_and_opposite_ones_cancel() -> None:
    one = updates(1)
    same = of_updates({key: u.repeat(5, *[1] * (u.ndim - 1)) for key, u in one.items()}, one)
    assert float(same["client_cosine"]) == pytest.approx(1, abs=1e-5)
    assert float(same["client_drift"]) == pytest.approx(0, abs=1e-5)
    apart = {key: torch.cat([u, -u, 3 * u]) for key, u in one.items()}
    found = of_updates(apart, apart)
    assert float(found["client_cosine"]) == pytest.approx(-1 / 3, abs=1e-5)
    assert float(found["client_drift"]) == pytest.approx((0 + 2 + 2) / 3, rel=1e-5)
    assert float(found["update_norm_max"]) == pytest.approx(3 * float(same["update_norm"]), rel=1e-5)
    assert math.isnan(float(of_updates(one, one)["client_cosine"])), "of one client"


@pytest.mark.parametrize(
    ("accuracy", "rounds"),
    [
        ([0.1, 0.5, 0.9, 0.4], 1.75),
        ([0.1, 0.5, 0.3, 0.9], 2.75),
        ([0.8, 0.9], 0),
        ([float("nan"), 0.9, 0.95], 1),
        ([0.1, 0.2], None),
    ],
)
def test_rounds_to_a_target_are_counted_between_rounds(accuracy: list[float], rounds: float | None) -> None:
    found = rounds_to_target(0.8, torch.tensor(accuracy).double().numpy())
    assert math.isnan(found) if rounds is None else found == pytest.approx(rounds)


def test_an_update_that_is_no_number_was_not_clipped_by_that() -> None:
    broken = {key: u * torch.tensor([1.0, torch.nan]).view(-1, *[1] * (u.ndim - 1)) for key, u in updates(2).items()}
    assert float(of_updates(broken, broken)["update_clipped"]) == 0
