"""The Dirac-GAN of Mescheder et al. 2018: the step's eigenvalues, as the engine takes it and in closed form.

Real data are zeros, the generator makes theta of anything, the discriminator's logit is psi x.
"""

from __future__ import annotations

import cmath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from study.config.variants import Variant
from study.models import Site, untouched
from study.optim.rng import Noise, NoiseStreams
from study.training.players import Pair, Players, PlayersUpdate
from study.training.update import State

LR, ROWS, STEP = 0.1, 4, 1e-5
SLOPE: Mapping[str, float] = {"non_saturating": 0.5, "wasserstein": 1.0}  # f'(0)
CURVATURE = 0.25  # |f''(0)| of the non-saturating loss
Point = tuple[float, float]
Pairs = tuple[complex, complex]
Closed = Callable[[PlayersUpdate], Pairs]


class Psi(nn.Module):
    """The discriminator psi x."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1, bias=False)

    def forward(self, x: Tensor, site: Site = untouched) -> Tensor:
        logits: Tensor = self.layer(site("input", x))
        return logits


class Theta(nn.Module):
    """The generator of theta."""

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.zeros(1))

    def forward(self, latent: Tensor) -> Tensor:
        return self.theta.expand(len(latent), 1)


def game(loss: str = "wasserstein", regularization: Any = "none", clip: Any = "none", **workload: Any) -> PlayersUpdate:
    """Return the step of the game by gradient descent at the rate `LR`; `workload`: more of its settings."""
    variant = Variant.model_validate(
        {
            "regime": "dirac_gan",
            "workload": {"name": "adversarial", "loss": loss, "updates": "simultaneous", **workload},
            "data": {"name": "mnist-sample", "train_size": 100, "validation_size": 50},
            "model": "mlp",
            "loss": "cross_entropy",
            "optimizer": {"name": "sgd", "lr": LR},
            "epochs": 1,
            "batch_size": ROWS,
            "clip": clip,
            "regularization": regularization,
            "statistics": {"every_step": False},
        }
    )
    return PlayersUpdate(Players(variant, Pair(Psi(), Theta())), every_step=False)


def state_at(update: PlayersUpdate, at: Tensor) -> State:
    """Return the state of the game at the point (theta, psi)."""
    theta, psi = at
    parameters = {"discriminator.layer.weight": psi.view(1, 1), "generator.theta": theta.view(1)}
    return update.initial_state(parameters)


def noise_of(update: PlayersUpdate) -> Noise:
    """Return the random numbers of the step, the same at each call, in double precision."""
    draws = update.chain.draws({"input": (ROWS, 1)}, state_at(update, torch.zeros(2)).parameters)
    drawn = NoiseStreams.open(draws, [0]).of_replicate(0, 1)
    return {name: {key: t[0].double() for key, t in each.items()} for name, each in drawn.items()}


def stepped(update: PlayersUpdate, at: Tensor, noise: Noise) -> Tensor:
    """Return the point (theta, psi) after a step."""
    x, targets = torch.zeros(ROWS, 1, dtype=at.dtype), torch.zeros(ROWS, 10, dtype=at.dtype)
    after, _ = update(state_at(update, at), x, targets, noise, torch.tensor(LR, dtype=at.dtype))
    return torch.cat([after.parameters["generator.theta"], after.parameters["discriminator.layer.weight"].flatten()])


def jacobian(update: PlayersUpdate, at: Point = (0.0, 0.0)) -> Tensor:
    """Return the derivative of a step [2, 2] by central differences, in double precision."""
    noise, point = noise_of(update), torch.tensor(at, dtype=torch.float64)
    columns = [
        (stepped(update, point + STEP * e, noise) - stepped(update, point - STEP * e, noise)) / (2 * STEP)
        for e in torch.eye(2, dtype=torch.float64)
    ]
    return torch.stack(columns, 1)


def eigenvalues(update: PlayersUpdate, at: Point = (0.0, 0.0)) -> Pairs:
    """Return the eigenvalues of a step at a point, as `in_order`."""
    one, other = torch.linalg.eigvals(jacobian(update, at)).tolist()
    return in_order((one, other))


def in_order(pair: Pairs) -> Pairs:
    """Return two eigenvalues, that of the smaller imaginary part, or if equal of the smaller real part, first."""
    one, other = sorted(pair, key=lambda z: (round(z.imag, 9), z.real))
    return one, other


def damped(slope: float, damping: float, lr: float = LR) -> Pairs:
    """Return 1 + lr (-damping / 2 +- sqrt(damping^2 / 4 - slope^2)): a rotation with friction on the discriminator."""
    root = cmath.sqrt(damping**2 / 4 - slope**2)
    return in_order((1 + lr * (-damping / 2 + root), 1 + lr * (-damping / 2 - root)))


def alternating(slope: float, lr: float = LR) -> Pairs:
    """Return (1 - a^2 / 2) +- sqrt((1 - a^2 / 2)^2 - 1) with a = lr slope."""
    middle = 1 - (lr * slope) ** 2 / 2
    root = cmath.sqrt(middle**2 - 1)
    return in_order((middle + root, middle - root))


@dataclass(frozen=True)
class Lemma:
    """A closed form of the paper: of which game, at which point, and the eigenvalues that it gives."""

    name: str
    lemma: str
    loss: str
    closed: Closed
    regularization: Any = "none"
    updates: str = "simultaneous"
    at: Point = (0.0, 0.0)

    def measured(self) -> tuple[Pairs, Pairs]:
        """Return the eigenvalues of the engine's step and those of the closed form."""
        update = game(self.loss, self.regularization, updates=self.updates)
        return eigenvalues(update, self.at), self.closed(update)


def mean_square(update: PlayersUpdate) -> float:
    """Return the mean square of the instance noise that the step draws."""
    return float(noise_of(update)["input_noise"]["input"].square().mean())


def lemmas() -> Iterator[Lemma]:
    """Yield the closed forms, by loss and regularizer."""
    for loss, slope in SLOPE.items():
        yield Lemma("no regularizer", "lemma 3.2", loss, always(damped(slope, 0)))
        yield Lemma("alternating steps", "lemma 3.3", loss, always(alternating(slope)), updates="alternating")
        for name in ("r1", "r2"):
            for gamma in (0.3, 4.0):
                penalty = {"name": name, "strength": gamma}
                yield Lemma(
                    f"{name.upper()}, gamma {gamma:g}", "lemma 4.2", loss, always(damped(slope, gamma)), penalty
                )
    for std in (0.3, 1.0):
        noise = {"name": "input_noise", "std": std}
        yield Lemma(f"instance noise {std:g}", "lemma 3.5", "non_saturating", noisy(std), noise)
    box = {"name": "weight_clipping", "bound": 0.5}
    yield Lemma("weight clipping, within", "lemma 3.4", "wasserstein", always(damped(1.0, 0)), box)
    for name, label in (("wgan_gp", "WGAN-GP"), ("dragan", "DRAGAN")):
        penalty = {"name": name, "strength": 0.7}
        closed = always(damped(1.0, 2 * 0.7))
        yield Lemma(f"{label}, away from 0", "lemma 3.6", "wasserstein", closed, penalty, at=(0.2, 0.4))


def always(pair: Pairs) -> Closed:
    """Return a closed form that does not depend on what a step draws."""
    return lambda _: pair


def noisy(std: float) -> Closed:
    """Return the closed form under instance noise, at the mean square of what is drawn."""
    return lambda update: damped(SLOPE["non_saturating"], 2 * CURVATURE * std**2 * mean_square(update))
