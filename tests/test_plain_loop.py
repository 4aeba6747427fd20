"""The stacked, traced engine against a plain training loop, written with torch's own layers, clips and optimizers."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
import torch
from cases import OPTIMIZERS, variant
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from study import replicates
from study.clipping import Clipping
from study.data import Digits, split
from study.regularization import Place, Regularization
from study.seeds import generator, stream_seed
from study.variants import Variant

Tensors = dict[str, Tensor]
Loop = dict[str, list[float]]
LONG = {
    "data": {"name": "mnist-sample", "train_size": 200, "validation_size": 50, "label_noise": 0.1},
    "epochs": 5,
    "optimizer": {"name": "sgd", "lr": 0.3},
    "clip": "none",
}  # 50 steps


def nothing(parameters: Sequence[Tensor]) -> None:
    """No clip."""


def no_penalty(weights: Sequence[Tensor], biases: Sequence[Tensor]) -> float:
    return 0.0


class PlainDropout(nn.Module):
    """Inverted dropout that draws its uniform numbers from a given generator."""

    def __init__(self, p: float, random: torch.Generator) -> None:
        super().__init__()
        self.p, self.random = p, random

    def forward(self, h: Tensor) -> Tensor:
        return h * (torch.rand(h.shape, generator=self.random) >= self.p) / (1 - self.p) if self.training else h


def plain_loop(
    digits: Digits,
    v: Variant,
    seed: int,
    optimizer: Callable[[Any], torch.optim.Optimizer],
    clip: Callable[[Sequence[Tensor]], object] = nothing,
    penalty: Callable[[Sequence[Tensor], Sequence[Tensor]], Any] = no_penalty,
    dropout: float = 0.0,
    loss: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy,
) -> Loop:
    """What anyone would write with torch for one seed; only the random streams are the study's."""
    data, streams = v.data, {name: stream_seed(seed, name) for name in ("split", "label-noise")}
    chosen = split(
        digits,
        train_size=data.train_size,
        validation_size=data.validation_size,
        label_noise=data.label_noise,
        split_seed=streams["split"],
        noise_seed=streams["label-noise"],
    )
    images = ((digits.train_images.float() / 255) - digits.mean) / digits.std
    x, y = images[chosen.train], chosen.labels
    masks = generator(seed, "dropout")
    layers: list[nn.Module] = []
    for a, b in ((784, 12), (12, 8)):
        layers += [nn.Linear(a, b), nn.ReLU(), PlainDropout(dropout, masks)]
    model = nn.Sequential(*layers, nn.Linear(8, 10))
    initial = v.model.initialise(v.model.build(784, 10), generator(seed, "init"))
    model.load_state_dict(dict(zip(model.state_dict(), initial.values(), strict=True)))
    stepper, order = optimizer(model.parameters()), generator(seed, "order")
    log: Loop = {"loss": [], "norm_before": [], "norm_after": [], "update_ratio": [], "validation_loss": []}
    for _ in range(v.epochs):
        permutation = torch.randperm(len(x), generator=order)
        for at in range(0, len(x) - v.batch_size + 1, v.batch_size):
            rows = permutation[at : at + v.batch_size]
            parameters = list(model.parameters())
            value = loss(model(x[rows]), y[rows])
            stepper.zero_grad()
            (value + penalty(parameters[::2], parameters[1::2])).backward()
            log["loss"].append(float(value.detach()))
            log["norm_before"].append(size([p.grad for p in parameters]))
            clip(parameters)
            log["norm_after"].append(size([p.grad for p in parameters]))
            old = [p.detach().clone() for p in parameters]
            stepper.step()
            moved = [p.detach() - q for p, q in zip(parameters, old, strict=True)]
            log["update_ratio"].append(size(moved) / size(parameters))
        model.eval()
        with torch.no_grad():
            held_out = F.cross_entropy(model(images[chosen.validation]), digits.train_labels[chosen.validation])
        log["validation_loss"].append(float(held_out))
        model.train()
    return log


def size(tensors: Sequence[Tensor | None]) -> float:
    return float(torch.cat([t.detach().flatten() for t in tensors]).norm())


def sgd(**more: Any) -> Callable[[Any], torch.optim.Optimizer]:
    return lambda parameters: torch.optim.SGD(parameters, lr=0.3, **more)


def squared(z: Tensor, y: Tensor) -> Tensor:
    return 0.5 * F.mse_loss(z, F.one_hot(y, 10).float(), reduction="sum") / len(y)


def l1(weights: Sequence[Tensor], biases: Sequence[Tensor]) -> Tensor:
    return sum(w.abs().sum() for w in weights)


def l2(weights: Sequence[Tensor], biases: Sequence[Tensor]) -> Tensor:
    return sum(w.square().sum() for w in weights)


GLOBAL = {"name": "global_norm", "max_norm": 0.5}
ADAM = {"name": "adam", **OPTIMIZERS["adam"][0]}
RMSPROP = {"name": "rmsprop", **OPTIMIZERS["rmsprop"][0]}
LOOPS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "sgd": ({}, {}),
    "squared_error": ({"loss": "squared_error"}, {"loss": squared}),
    "momentum": (
        {"optimizer": {"name": "sgd", "lr": 0.3, "momentum": 0.9}, "clip": GLOBAL},
        {"optimizer": sgd(momentum=0.9), "clip": lambda p: clip_grad_norm_(p, 0.5)},
    ),
    "nesterov": (
        {"optimizer": {"name": "sgd", "lr": 0.3, "momentum": 0.8, "nesterov": True}, "clip": GLOBAL},
        {"optimizer": sgd(momentum=0.8, nesterov=True), "clip": lambda p: clip_grad_norm_(p, 0.5)},
    ),
    "adam": (
        {"optimizer": ADAM, "clip": GLOBAL},
        {
            "optimizer": lambda p: torch.optim.Adam(p, lr=0.003, betas=(0.8, 0.99), eps=1e-6),
            "clip": lambda p: clip_grad_norm_(p, 0.5),
        },
    ),
    "rmsprop": (
        {"optimizer": RMSPROP},
        {"optimizer": lambda p: torch.optim.RMSprop(p, lr=0.001, alpha=0.9, eps=1e-6)},
    ),
    "global_norm": ({"clip": GLOBAL}, {"clip": lambda p: clip_grad_norm_(p, 0.5)}),
    "global_norm_1": (
        {"clip": {"name": "global_norm", "max_norm": 5, "order": 1}},
        {"clip": lambda p: clip_grad_norm_(p, 5, 1)},
    ),
    "value": ({"clip": {"name": "value", "bound": 0.02}}, {"clip": lambda p: clip_grad_value_(p, 0.02)}),
    "l1": (
        {"regularization": {"name": "l1", "strength": 1e-3}, "clip": GLOBAL},
        {"penalty": lambda w, b: 1e-3 * l1(w, b), "clip": lambda p: clip_grad_norm_(p, 0.5)},
    ),
    "l2": (
        {"regularization": {"name": "l2", "strength": 0.05}, "clip": GLOBAL},
        {"penalty": lambda w, b: 0.05 / 2 * l2(w, b), "clip": lambda p: clip_grad_norm_(p, 0.5)},
    ),
    "elastic_net": (
        {"regularization": {"name": "elastic_net", "lambda1": 2e-3, "lambda2": 0.05, "strength": 0.8}},
        {"penalty": lambda w, b: 0.8 / 2 * (2e-3 * l1(w, b) + 0.05 * l2(w, b))},
    ),
    "sum_of_norms": (
        {"regularization": {"name": "sum_of_norms", "strength": 0.01}},
        {"penalty": lambda w, b: 0.01 * sum(t.norm() for t in (*w, *b))},
    ),
    "dropout": (
        {"regularization": {"name": "dropout", "p": 0.3}, "clip": GLOBAL},
        {"dropout": 0.3, "clip": lambda p: clip_grad_norm_(p, 0.5)},
    ),
    "dropout + l2": (
        {"regularization": [{"name": "dropout", "p": 0.3}, {"name": "l2", "strength": 0.05}]},
        {"dropout": 0.3, "penalty": lambda w, b: 0.05 / 2 * l2(w, b)},
    ),
}


@pytest.mark.parametrize("case", LOOPS)
def test_training_is_the_plain_loop(digits: Digits, case: str) -> None:
    """50 steps of two seeds trained together, against one loop a seed: losses, norms, updates, validation."""
    changes, pieces = LOOPS[case]
    v = variant(**{**LONG, **changes})
    records = replicates.train(v, [5, 3], digits)
    for record in records:
        log = plain_loop(digits, v, record.seed, **{"optimizer": sgd(), **pieces})
        assert len(log["loss"]) == v.steps == record.steps_taken == 50
        early, late = (np.mean(log["loss"][part]) for part in (slice(10), slice(-10, None)))
        assert late < 0.97 * early, "the loop learns, so that there is something to compare"
        assert v.clip.name == "none" or record.steps["fired"].sum() > 5, "and the clip acts in it"
        for name in ("loss", "norm_before", "norm_after", "update_ratio"):
            np.testing.assert_allclose(record.steps[name], log[name], rtol=1e-4, atol=1e-6, err_msg=name)
        np.testing.assert_allclose(record.epochs["validation_loss"][1:], log["validation_loss"], rtol=1e-4)


@pytest.fixture
def _own_families(monkeypatch: pytest.MonkeyPatch) -> None:
    """Methods defined in a test stay in it."""
    for family in (Clipping, Regularization):
        monkeypatch.setattr(family, "members", dict(family.members))


@pytest.mark.usefixtures("_own_families")
def test_a_regularizer_of_the_gradient_and_one_of_the_update(digits: Digits) -> None:
    """Weight decay as torch.optim.SGD has it, after the clip; then a projection after the step."""

    class Decay(Regularization):
        name: Literal["test_decay"] = "test_decay"
        place: ClassVar[Place] = "gradient"

        def after_clip(
            self, gradient: Tensors, parameters: Tensors, noise: Tensors, state: Tensors
        ) -> tuple[Tensors, Tensors]:
            return {key: g + 0.1 * parameters[key] for key, g in gradient.items()}, state

    class Box(Regularization):
        name: Literal["test_box"] = "test_box"
        place: ClassVar[Place] = "projection"

        def update(self, parameters: Tensors, lr: float, state: Tensors) -> tuple[Tensors, Tensors]:
            return {key: p.clamp(-lr, lr) for key, p in parameters.items()}, state

    class Projected(torch.optim.SGD):
        def step(self) -> None:
            super().step()
            for group in self.param_groups:
                for p in group["params"]:
                    p.data.clamp_(-0.3, 0.3)

    clip = {"clip": lambda p: clip_grad_norm_(p, 0.5)}
    for several, optimizer in (
        ([Decay()], sgd(weight_decay=0.1)),
        ([Decay(), Box()], lambda p: Projected(p, lr=0.3, weight_decay=0.1)),
    ):
        v = variant(**{**LONG, "clip": GLOBAL, "regularization": several})
        for record in replicates.train(v, [5, 3], digits):
            log = plain_loop(digits, v, record.seed, optimizer, **clip)
            for name in ("loss", "norm_after", "update_ratio"):
                np.testing.assert_allclose(record.steps[name], log[name], rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.usefixtures("_own_families")
def test_a_clip_with_a_memory_has_one_for_each_replicate(digits: Digits) -> None:
    """Each step is clipped to the norm of the step before."""

    class Previous(Clipping):
        name: Literal["test_previous"] = "test_previous"

        def initial_state(self, parameters: Tensors) -> Tensors:
            return {"limit": torch.tensor(0.5)}

        def clip(self, gradient: Tensors, parameters: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
            norm = torch.linalg.vector_norm(torch.cat([g.flatten() for g in gradient.values()]))
            scale = torch.clamp(state["limit"] / norm, max=1)
            return {key: g * scale for key, g in gradient.items()}, {"limit": norm}

    class Slow:
        limit = 0.5

        def __call__(self, parameters: Sequence[Tensor]) -> None:
            limit, self.limit = self.limit, size([p.grad for p in parameters])
            clip_grad_norm_(parameters, limit)

    v = variant(**{**LONG, "clip": Previous()})
    records = replicates.train(v, [5, 3], digits)
    for record in records:
        log = plain_loop(digits, v, record.seed, sgd(), Slow())
        assert 0 < sum(record.steps["fired"]) < 50
        np.testing.assert_allclose(record.steps["loss"], log["loss"], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(record.steps["norm_after"], log["norm_after"], rtol=1e-4, atol=1e-6)
