"""The stacked, traced engine against a plain training loop, written with torch's own layers, clips and optimizers."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
import torch
from cases import OPTIMIZERS, variant
from plain_loop import GLOBAL, LONG, plain_loop, sgd, size
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils import clip_grad_norm_, clip_grad_value_
from torch.optim import lr_scheduler

from study.clipping import Clipping
from study.data import Digits
from study.regularization import Place, Regularization
from study.training import engine

pytestmark = pytest.mark.slow

Tensors = dict[str, Tensor]


def squared(z: Tensor, y: Tensor) -> Tensor:
    return 0.5 * F.mse_loss(z, F.one_hot(y, 10).float(), reduction="sum") / len(y)


def l1(weights: Sequence[Tensor], biases: Sequence[Tensor]) -> Tensor:
    return sum(w.abs().sum() for w in weights)


def l2(weights: Sequence[Tensor], biases: Sequence[Tensor]) -> Tensor:
    return sum(w.square().sum() for w in weights)


def warmed_cosine(optimizer: torch.optim.Optimizer) -> lr_scheduler.LRScheduler:
    rise = lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=9)
    return lr_scheduler.SequentialLR(optimizer, [rise, lr_scheduler.CosineAnnealingLR(optimizer, 40)], milestones=[10])


ADAM = {"name": "adam", **OPTIMIZERS["adam"][0]}
ADAMW = {"name": "adamw", **OPTIMIZERS["adamw"][0]}
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
    "adamw": (
        {"optimizer": ADAMW, "clip": GLOBAL},
        {
            "optimizer": lambda p: torch.optim.AdamW(p, lr=0.003, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1),
            "clip": lambda p: clip_grad_norm_(p, 0.5),
        },
    ),
    "rmsprop": (
        {"optimizer": RMSPROP},
        {"optimizer": lambda p: torch.optim.RMSprop(p, lr=0.001, alpha=0.9, eps=1e-6)},
    ),
    "cosine after a warm-up, with momentum": (
        {"optimizer": {"name": "sgd", "lr": 0.3, "momentum": 0.8}, "schedule": {"name": "cosine", "warmup": 10}},
        {"optimizer": sgd(momentum=0.8), "schedule": warmed_cosine},
    ),
    "step": (
        {"schedule": {"name": "step", "drops": 4, "gamma": 0.5}},
        {"schedule": lambda o: lr_scheduler.StepLR(o, step_size=10, gamma=0.5)},
    ),
    "a deep net": (
        {"model": {"name": "mlp", "hidden": [16] * 20, "activation": "tanh", "init": "orthogonal"}, "clip": GLOBAL},
        {"clip": lambda p: clip_grad_norm_(p, 0.5)},
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
    "batch norm, with momentum": (
        {
            "model": {"name": "mlp", "hidden": [12, 8], "batch_norm": True},
            "optimizer": {"name": "sgd", "lr": 0.3, "momentum": 0.9},
            "clip": GLOBAL,
        },
        {"optimizer": sgd(momentum=0.9), "clip": lambda p: clip_grad_norm_(p, 0.5)},
    ),
    "dropout + l2": (
        {"regularization": [{"name": "dropout", "p": 0.3}, {"name": "l2", "strength": 0.05}]},
        {"dropout": 0.3, "penalty": lambda w, b: 0.05 / 2 * l2(w, b)},
    ),
}


@pytest.mark.filterwarnings("ignore:The epoch parameter in `scheduler.step:UserWarning")  # SequentialLR's own call
@pytest.mark.parametrize("case", LOOPS)
def test_training_is_the_plain_loop(digits: Digits, case: str) -> None:
    """50 steps of two seeds trained together, against one loop a seed: losses, norms, updates, validation."""
    changes, pieces = LOOPS[case]
    v = variant(**{**LONG, **changes})
    records = engine.train(v, [5, 3], digits)
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
        for record in engine.train(v, [5, 3], digits):
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
    records = engine.train(v, [5, 3], digits)
    for record in records:
        log = plain_loop(digits, v, record.seed, sgd(), Slow())
        assert 0 < sum(record.steps["fired"]) < 50
        np.testing.assert_allclose(record.steps["loss"], log["loss"], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(record.steps["norm_after"], log["norm_after"], rtol=1e-4, atol=1e-6)
