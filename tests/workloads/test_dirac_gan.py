"""The step of two players on the Dirac-GAN, whose Jacobian and eigenvalues Mescheder et al. 2018 give in closed form.

The closed forms that stand in docs/published.md are in `study.published.dirac_gan`; more of them here.
"""

import math
from typing import Any

import pytest
import torch

from study.published.dirac_gan import (
    LR,
    SLOPE,
    Lemma,
    Pairs,
    Point,
    damped,
    eigenvalues,
    game,
    in_order,
    jacobian,
    lemmas,
    noise_of,
    stepped,
)
from study.training.players import PlayersUpdate

LEMMAS = {f"{one.name}, {one.loss}": one for one in lemmas()}
CONVERGES = ("R1", "R2", "instance noise", "WGAN-GP", "DRAGAN")


def assert_eigenvalues(update: PlayersUpdate, wanted: Pairs, at: Point = (0.0, 0.0)) -> None:
    for one, other in zip(eigenvalues(update, at), in_order(wanted), strict=True):
        assert one == pytest.approx(other, abs=1e-5)


@pytest.mark.parametrize("lemma", LEMMAS.values(), ids=LEMMAS)
def test_the_step_has_the_eigenvalues_of_the_lemma(lemma: Lemma) -> None:
    measured, closed = lemma.measured()
    assert measured == pytest.approx(closed, abs=1e-8)
    largest = max(map(abs, closed))
    if lemma.name.startswith(CONVERGES):
        assert largest < 1
    elif lemma.updates == "alternating":
        assert largest == pytest.approx(1)
    else:
        assert largest > 1


@pytest.mark.parametrize("rate", [0.25, 4.0])
def test_two_rates_turn_at_their_geometric_mean(rate: float) -> None:
    turn = 1j * LR * math.sqrt(rate)
    assert_eigenvalues(game(generator_rate=rate), (1 + turn, 1 - turn))


@pytest.mark.parametrize("loss", SLOPE)
@pytest.mark.parametrize("gamma", [0.3, 4.0])
def test_an_l2_penalty_of_the_discriminator_is_the_same_as_r1_here(gamma: float, loss: str) -> None:
    assert_eigenvalues(game(loss, {"name": "l2", "strength": gamma}), damped(SLOPE[loss], gamma))


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
