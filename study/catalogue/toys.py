"""Small worlds in which a method is tried: two coordinates, a series of gradients, a bowl with two weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.func import vmap

from study.clipping import Clipping
from study.config.variants import Variant
from study.data import Digits
from study.models import Site, untouched
from study.optim.optimizers import SGD
from study.optim.rng import Distribution
from study.optim.tensors import Tensors
from study.regularization import Regularization
from study.training.step import Chain

Combined = Regularization | str | Sequence[Regularization]

# Where two coordinates [..., 2] can be put: in one output unit's weights, in two units of one tensor, in two tensors.
LAYOUTS: Mapping[str, Callable[[Tensor], Tensors]] = MappingProxyType(
    {
        "one unit": lambda v: {"a.weight": v[..., None, :]},
        "two units": lambda v: {"a.weight": v[..., :, None]},
        "two units, an input each": lambda v: {"a.weight": torch.diag_embed(v)},
        "two tensors": lambda v: {"a.weight": v[..., :1, None], "b.weight": v[..., 1:, None]},
    }
)
SHAPES = {"a.weight": (6, 8), "a.bias": (6,), "b.weight": (3, 6), "b.bias": (3,)}  # a net of 75 parameters
STEPS, SPIKES = 200, (150, 175)


def joined(tensors: Tensors, batch: int = 1) -> Tensor:
    """The tensors of a layout as coordinates again, [..., n], after `batch` leading dimensions."""
    return torch.cat([t.flatten(batch) for t in tensors.values()], dim=-1)


def randomness(seed: int = 0) -> Generator:
    """A generator of the gallery's own."""
    return torch.Generator().manual_seed(seed)


def normal_net(random: Generator) -> Tensors:
    """One standard normal number for each parameter of the small net."""
    return {key: torch.randn(shape, generator=random) for key, shape in SHAPES.items()}


def length(tensors: Tensors) -> float:
    """The 2-norm over all tensors."""
    return float(torch.linalg.vector_norm(torch.cat([t.flatten() for t in tensors.values()])))


def of_length(tensors: Tensors, norm: float) -> Tensors:
    """Return the same direction at another norm."""
    factor = norm / length(tensors)
    return {key: t * factor for key, t in tensors.items()}


def series_norms() -> list[float]:
    """Norms as a training might show them: around 1, with a spike of 12 and one of 5 times that."""
    noise = torch.randn(STEPS, generator=randomness(3)) * 0.25
    spike = {SPIKES[0]: 12.0, SPIKES[1]: 5.0}
    return [math.exp(float(noise[t])) * spike.get(t, 1.0) for t in range(STEPS)]


@dataclass(frozen=True)
class Warm:
    """A clipping that has seen a series of gradients of one layout, before its spikes; norms before and after."""

    clip: Clipping
    parameters: Tensors
    state: Tensors
    before: tuple[float, ...]
    after: tuple[float, ...]

    def __call__(self, gradient: Tensors) -> Tensors:
        """What becomes of one gradient next."""
        return self.clip.clip(gradient, self.parameters, self.state)[0]

    def mapped(self, gradients: Tensors) -> Tensors:
        """Return the image of each of several gradients."""
        clipped: Tensors = vmap(self)(gradients)
        return clipped


def warmed(clip: Clipping, gradient: Callable[[Generator], Tensors], parameters: Tensors) -> Warm:
    """The clipping after the series, with the state from just before its first spike."""
    random, state, kept = randomness(1), clip.initial_state(parameters), None
    before, after = [], []
    for step, norm in enumerate(series_norms()):
        kept = state if step == SPIKES[0] else kept
        g = of_length(gradient(random), norm)
        clipped, state = clip.clip(g, parameters, state)
        before.append(length(g))
        after.append(length(clipped))
    return Warm(clip, parameters, kept or {}, tuple(before), tuple(after))


class Linear2(nn.Module):
    """One output that is linear in two inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, 2))

    def forward(self, x: Tensor, site: Site = untouched) -> Tensor:
        return site("input", x) @ self.weight.T


@dataclass(frozen=True)
class Bowl:
    """1/2 (w - m)' A (w - m) over two weights, as the squared error of `Linear2` on a batch: the engine's own step."""

    matrix: tuple[tuple[float, float], tuple[float, float]] = ((1.0, 0.5), (0.5, 0.6))
    minimum: tuple[float, float] = (1.6, 0.4)
    start: tuple[float, float] = (-0.4, 1.6)
    lr: float = 0.1

    @property
    def x(self) -> Tensor:
        """Inputs [2, 2] with x'x / 2 = A."""
        return math.sqrt(2) * torch.linalg.cholesky(torch.tensor(self.matrix)).T

    @property
    def targets(self) -> Tensor:
        return self.x @ torch.tensor(self.minimum)[:, None]

    def loss(self, w: Tensor) -> Tensor:
        """The loss at weights [..., 2]."""
        d = w - torch.tensor(self.minimum)
        return 0.5 * torch.einsum("...i,ij,...j->...", d, torch.tensor(self.matrix), d)

    def path(self, regularization: Combined, steps: int = 60) -> Tensor:
        """The weights [steps + 1, 2] of gradient descent on it, by the training's step."""
        return self.paths(regularization, steps)[0]

    def paths(self, regularization: Combined, steps: int = 60) -> tuple[Tensor, Tensor]:
        """The weights [steps + 1, 2], and those that an evaluation would score."""
        chain = Chain(variant(regularization, self.lr), Linear2())
        parameters = {"weight": torch.tensor([self.start])}
        memory = chain.initial_memory(parameters)
        draws = chain.draws({"input": (2, 2)}, parameters)
        random, seen, scored = randomness(2), [parameters["weight"]], [parameters["weight"]]
        for _ in range(steps):
            noise = {name: numbers(needed, random) for name, needed in draws.items()}
            direction, memory, _ = chain.plain_gradient_step(parameters, memory, self.x, self.targets, noise)
            parameters = {key: p - self.lr * direction.product()[key] for key, p in parameters.items()}
            parameters, memory = chain.after_update(parameters, memory, self.lr)
            seen.append(parameters["weight"])
            scored.append(chain.evaluated(parameters, memory)["weight"])
        return torch.cat(seen), torch.cat(scored)


def variant(regularization: Combined, lr: float) -> Variant:
    """A variant without a clip; its data, model and budget are not used."""
    given: dict[str, Any] = {
        "regime": "toy",
        "data": {"name": "mnist-sample", "validation_size": 100},
        "model": "mlp",
        "loss": "squared_error",
        "optimizer": SGD(lr=lr),
        "epochs": 1,
        "batch_size": 2,
        "clip": "none",
        "regularization": regularization,
        "statistics": {},
    }
    return Variant.model_validate(given)


def numbers(draws: Mapping[str, Distribution], random: Generator) -> Tensors:
    """The random numbers that a method asks for, of one step of one model."""
    filled = {key: torch.empty(draw.shape) for key, draw in draws.items()}
    for key, draw in draws.items():
        draw.fill(filled[key], random)
    return filled


def grid(low: float, high: float, count: int) -> Tensor:
    """The points [count * count, 2] of a square grid, first coordinate fastest."""
    axis = torch.linspace(low, high, count)
    return torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1).reshape(-1, 2)


def example_digits(digits: Digits, labels: tuple[int, ...]) -> Tensor:
    """The first training digit of each label, [B, P], pixels normalised."""
    from study.training.batches import normalised

    rows = torch.stack([(digits.train_labels == label).nonzero()[0, 0] for label in labels])
    return normalised(digits.train_images[rows], digits)
