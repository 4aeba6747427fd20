"""The step of two players on the Dirac-GAN, whose Jacobian and eigenvalues Mescheder et al. 2018 give in closed form.

Real data are zeros, the generator makes theta of anything, the discriminator's logit is psi x.
"""

import cmath
import math
from typing import Any

import pytest
import torch
from cases import variant
from torch import Tensor, nn

from study.models import Site, untouched
from study.optim.rng import Noise, NoiseStreams
from study.training.players import Pair, Players, PlayersUpdate
from study.training.update import State

LR, ROWS = 0.1, 4
SLOPE = {"non_saturating": 0.5, "wasserstein": 1.0}  # f'(0)
Point = tuple[float, float]


class Psi(nn.Module):
    """The discriminator psi x."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1, bias=False)

    def forward(self, x: Tensor, site: Site = untouched) -> Tensor:
        return self.layer(site("input", x))


class Theta(nn.Module):
    """The generator of theta."""

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.zeros(1))

    def forward(self, latent: Tensor) -> Tensor:
        return self.theta.expand(len(latent), 1)


def game(loss: str = "wasserstein", regularization: Any = "none", clip: Any = "none", **workload: Any) -> PlayersUpdate:
    settings = {"name": "adversarial", "loss": loss, "updates": "simultaneous", **workload}
    v = variant(workload=settings, regularization=regularization, clip=clip, optimizer={"name": "sgd", "lr": LR})
    return PlayersUpdate(Players(v, Pair(Psi(), Theta())), every_step=False)


def state_at(update: PlayersUpdate, at: Tensor) -> State:
    theta, psi = at
    parameters = {"discriminator.layer.weight": psi.view(1, 1), "generator.theta": theta.view(1)}
    return update.initial_state(parameters)


def noise_of(update: PlayersUpdate) -> Noise:
    draws = update.chain.draws({"input": (ROWS, 1)}, state_at(update, torch.zeros(2)).parameters)
    drawn = NoiseStreams.open(draws, [0]).of_replicate(0, 1)
    return {name: {key: t[0].double() for key, t in each.items()} for name, each in drawn.items()}


def stepped(update: PlayersUpdate, at: Tensor, noise: Noise) -> Tensor:
    """The point (theta, psi) after a step."""
    x, targets = torch.zeros(ROWS, 1, dtype=at.dtype), torch.zeros(ROWS, 10, dtype=at.dtype)
    after, _ = update(state_at(update, at), x, targets, noise, torch.tensor(LR, dtype=at.dtype))
    return torch.cat([after.parameters["generator.theta"], after.parameters["discriminator.layer.weight"].flatten()])


def jacobian(update: PlayersUpdate, at: Point = (0.0, 0.0)) -> Tensor:
    """The derivative of a step by central differences, in double precision."""
    noise, h, point = noise_of(update), 1e-5, torch.tensor(at, dtype=torch.float64)
    columns = [
        (stepped(update, point + h * e, noise) - stepped(update, point - h * e, noise)) / (2 * h)
        for e in torch.eye(2, dtype=torch.float64)
    ]
    return torch.stack(columns, 1)


def assert_eigenvalues(update: PlayersUpdate, wanted: tuple[complex, complex], at: Point = (0.0, 0.0)) -> None:
    found = sorted(torch.linalg.eigvals(jacobian(update, at)).tolist(), key=lambda z: (z.imag, z.real))
    for one, other in zip(found, sorted(wanted, key=lambda z: (z.imag, z.real)), strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def damped(slope: float, damping: float, lr: float = LR) -> tuple[complex, complex]:
    """1 + lr (-damping / 2 +- sqrt(damping^2 / 4 - slope^2)): a rotation with friction on the discriminator."""
    root = cmath.sqrt(damping**2 / 4 - slope**2)
    return 1 + lr * (-damping / 2 + root), 1 + lr * (-damping / 2 - root)


@pytest.mark.parametrize("loss", SLOPE)
def test_without_a_regularizer_steps_go_round_and_outwards(loss: str) -> None:
    """Lemma 3.2: eigenvalues 1 +- i h f'(0), of absolute value above 1."""
    assert_eigenvalues(game(loss), damped(SLOPE[loss], 0))
    assert abs(damped(SLOPE[loss], 0)[0]) > 1


@pytest.mark.parametrize("loss", SLOPE)
def test_alternating_steps_keep_to_a_circle(loss: str) -> None:
    """Lemma 3.3: (1 - a^2 / 2) +- sqrt((1 - a^2 / 2)^2 - 1) with a = h f'(0), of absolute value 1."""
    middle = 1 - (LR * SLOPE[loss]) ** 2 / 2
    root = cmath.sqrt(middle**2 - 1)
    assert_eigenvalues(game(loss, updates="alternating"), (middle + root, middle - root))
    assert abs(middle + root) == pytest.approx(1)


@pytest.mark.parametrize("rate", [0.25, 4.0])
def test_two_rates_turn_at_their_geometric_mean(rate: float) -> None:
    turn = 1j * LR * math.sqrt(rate)
    assert_eigenvalues(game(generator_rate=rate), (1 + turn, 1 - turn))


@pytest.mark.parametrize("loss", SLOPE)
@pytest.mark.parametrize("gamma", [0.3, 4.0])
@pytest.mark.parametrize("name", ["r1", "r2", "l2"])
def test_zero_centred_penalties_converge(name: str, gamma: float, loss: str) -> None:
    """Lemma 4.2 (R1 and R2, -gamma / 2 +- sqrt(gamma^2 / 4 - f'(0)^2)); an L2 penalty of psi is the same here."""
    assert_eigenvalues(game(loss, {"name": name, "strength": gamma}), damped(SLOPE[loss], gamma))
    assert max(map(abs, damped(SLOPE[loss], gamma))) < 1


@pytest.mark.parametrize("std", [0.3, 1.0])
def test_instance_noise_converges(std: float) -> None:
    """Lemma 3.5: f''(0) v +- sqrt(f''(0)^2 v^2 - f'(0)^2), here with v the mean square of the noise that is drawn.

    Of the two sides' noise each counts with the curvature 1/4 of the non-saturating loss at 0.
    """
    update = game("non_saturating", {"name": "input_noise", "std": std})
    v = std**2 * float(noise_of(update)["input_noise"]["input"].square().mean())
    assert_eigenvalues(update, damped(0.5, 2 * v / 4))
    assert max(map(abs, damped(0.5, v / 2))) < 1


def test_smoothing_one_side_does_not_help_here() -> None:
    """The logit of the only real point is 0 whatever psi is: what its label says moves nothing."""
    assert_eigenvalues(game("non_saturating", {"name": "one_sided_smoothing", "smoothing": 0.3}), damped(0.5, 0))


def test_weight_clipping_turns_within_its_box_and_stops_at_its_wall() -> None:
    """Lemma 3.4: within the box nothing is changed, beyond it psi is the bound whatever it was."""
    update = game(regularization={"name": "weight_clipping", "bound": 0.5})
    assert_eigenvalues(update, damped(1.0, 0))
    assert_eigenvalues(update, (0, 1), at=(1.0, 0.9))


@pytest.mark.parametrize("name", ["wgan_gp", "dragan"])
@pytest.mark.parametrize("psi", [0.4, 1.5, -0.7])
def test_penalties_centred_at_one_damp_away_from_zero(name: str, psi: float) -> None:
    """Their slope in psi is 2 strength (|psi| - 1) sign(psi), which jumps at the equilibrium psi = 0 (lemma 3.6)."""
    update = game(regularization={"name": name, "strength": 0.7})
    assert_eigenvalues(update, damped(1.0, 2 * 0.7), at=(0.2, psi))
    at = torch.tensor([0.0, psi], dtype=torch.float64)
    moved = float(stepped(update, at, noise_of(update))[1])
    assert moved == pytest.approx(psi - LR * 2 * 0.7 * (abs(psi) - 1) * math.copysign(1, psi), abs=1e-6)


@pytest.mark.parametrize("clip", [{"name": "global_norm", "max_norm": 0.05}, {"name": "value", "bound": 0.05}])
def test_a_clip_does_nothing_near_the_equilibrium(clip: dict[str, Any]) -> None:
    """So it cannot make it stable; far away the discriminator's step no longer depends on how far."""
    update = game(clip=clip)
    assert_eigenvalues(update, damped(1.0, 0))
    assert jacobian(update, (2.0, 0.3))[1].tolist() == pytest.approx([0, 1], abs=1e-7)
