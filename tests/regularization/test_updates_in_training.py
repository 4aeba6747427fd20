"""Decays and proximal steps in the engine: against a plain loop, and which of them make weights exactly zero."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from cases import variant
from plain_loop import GLOBAL, LONG, plain_loop
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from study.config.variants import Variant
from study.data import Digits
from study.training import engine
from study.training.batches import Batches
from study.training.engine import Replicates
from study.training.recorder import Recorder

pytestmark = pytest.mark.slow

Tensors = dict[str, Tensor]
ADAM = {"name": "adam", "lr": 0.01}


def grouped(parameters: Any, weight_decay: float) -> list[dict[str, Any]]:
    """torch's parameter groups: weights are decayed, biases not."""
    p = list(parameters)
    return [{"params": p[::2], "weight_decay": weight_decay}, {"params": p[1::2], "weight_decay": 0}]


class ThenSoft(torch.optim.Adam):
    """Adam, and a soft threshold of its weights by lr times 0.02 after it."""

    def step(self) -> None:
        super().step()
        for group in self.param_groups:
            for p in group["params"]:
                if p.ndim > 1:
                    p.data = p.data.sign() * (p.data.abs() - group["lr"] * 0.02).clamp(min=0)


class ThenRenorm(torch.optim.AdamW):
    """AdamW, and each row of a weight scaled to a norm of at most 0.6 after it."""

    def step(self) -> None:
        super().step()
        for p in self.param_groups[0]["params"]:
            p.data = torch.renorm(p.data, p=2, dim=0, maxnorm=0.6)


LOOPS: dict[str, tuple[dict[str, Any], Callable[[Any], torch.optim.Optimizer]]] = {
    "weight_decay": (
        {"optimizer": {"name": "sgd", "lr": 0.3}, "regularization": {"name": "weight_decay", "strength": 0.02}},
        lambda p: torch.optim.SGD(grouped(p, 0.02), lr=0.3),
    ),
    "weight_decay with adam": (
        {"optimizer": ADAM, "regularization": {"name": "weight_decay", "strength": 0.02}},
        lambda p: torch.optim.Adam(grouped(p, 0.02), lr=0.01),
    ),
    "decoupled_decay": (
        {"optimizer": ADAM, "regularization": {"name": "decoupled_decay", "strength": 2}},
        lambda p: torch.optim.AdamW(grouped(p, 2), lr=0.01),
    ),
    "decoupled_decay + max_norm": (
        {
            "optimizer": ADAM,
            "regularization": [{"name": "decoupled_decay", "strength": 2}, {"name": "max_norm", "bound": 0.6}],
        },
        lambda p: ThenRenorm(grouped(p, 2), lr=0.01),
    ),
    "l1_proximal": (
        {"optimizer": ADAM, "regularization": {"name": "l1_proximal", "strength": 0.02}},
        lambda p: ThenSoft(p, lr=0.01),
    ),
}


@pytest.mark.parametrize("case", LOOPS)
def test_training_is_the_plain_loop(digits: Digits, case: str) -> None:
    changes, optimizer = LOOPS[case]
    v = variant(**{**LONG, "clip": GLOBAL, **changes})
    for record in engine.train(v, [5, 3], digits):
        log = plain_loop(digits, v, record.seed, optimizer, clip=lambda p: clip_grad_norm_(p, 0.5))
        assert record.steps["fired"].sum() > 5
        for name in ("loss", "norm_before", "norm_after", "update_ratio"):
            # Adam divides by roots of squares: after 50 steps roundings of small gradients have grown to 2e-4.
            np.testing.assert_allclose(record.steps[name], log[name], rtol=5e-4, atol=1e-6, err_msg=name)
        np.testing.assert_allclose(record.epochs["validation_loss"][1:], log["validation_loss"], rtol=1e-4)


def trained(v: Variant, digits: Digits) -> Tensors:
    """The parameters of seed 0 after training."""
    batches = Batches.prepare(digits, v.data, [0], v.device)
    models = Replicates.start(v, [0], batches)
    recorder = Recorder.open(v, 1, models.parameters)
    for _ in range(v.epochs):
        models.epoch(batches, recorder)
    return {key: p.detach()[0] for key, p in models.parameters.items()}


def test_proximal_steps_make_exact_zeros_and_subgradients_do_not(digits: Digits) -> None:
    def weights(name: str, **given: Any) -> Tensors:
        chosen = {"name": name, **given}
        v = variant(optimizer={"name": "sgd", "lr": 0.3}, clip="none", epochs=10, regularization=chosen)
        return {key: p for key, p in trained(v, digits).items() if p.ndim > 1}

    def zeros(w: Tensors) -> float:
        return float((torch.cat([t.flatten() for t in w.values()]) == 0).float().mean())

    assert zeros(weights("l1", strength=0.003)) == 0
    assert zeros(weights("l1_proximal", strength=0.003)) > 0.2
    assert zeros(weights("elastic_net", lambda1=0.006, lambda2=0.01)) == 0
    assert zeros(weights("elastic_net_proximal", lambda1=0.006, lambda2=0.01)) > 0.2
    groups = {
        which: weights("group_lasso", strength=0.006, groups=which)["layers.0.weight"] == 0
        for which in ("outgoing", "incoming")
    }
    assert (groups["outgoing"].all(0).sum() > 5, groups["outgoing"].all(1).any()) == (True, False), "whole pixels"
    assert (groups["incoming"].all(0).any(), groups["incoming"].all(1).sum() > 5) == (False, True), "whole units"
