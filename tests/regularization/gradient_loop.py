"""A plain training loop for one seed in which a test says what becomes of the gradient; torch's own layers and data."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from cases import variant
from torch import Tensor, nn
from torch.nn import functional as F

from study.config.variants import Variant
from study.data import Digits, split
from study.optim.rng import generator, stream_seed
from study.training.records import RunRecord

Loss = Callable[[], Tensor]  # of the batch at hand
Step = Callable[[Loss], Mapping[str, float]]  # takes an optimizer's step, and tells what it measured on the way
RATE = 0.3
LONG: Mapping[str, Any] = {
    "data": {"name": "mnist-sample", "train_size": 200, "validation_size": 50},
    "epochs": 3,
    "optimizer": {"name": "sgd", "lr": RATE},
}  # 30 steps


def long(**changes: Any) -> Variant:
    return variant(**{**LONG, **changes})


def plain_loop(
    digits: Digits, v: Variant, seed: int, stepper: Callable[[Sequence[Tensor]], Step]
) -> dict[str, list[float]]:
    """By step: the loss before it, and what the step measured."""
    chosen = split(
        digits,
        train_size=200,
        validation_size=50,
        label_noise=0.0,
        split_seed=stream_seed(seed, "split"),
        noise_seed=stream_seed(seed, "label-noise"),
    )
    x, y = (((digits.train_images.float() / 255) - digits.mean) / digits.std)[chosen.train], chosen.labels
    model = nn.Sequential(nn.Linear(784, 12), nn.ReLU(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 10))
    initial = v.model.initialise(v.model.build(784, 10), generator(seed, "init"))
    model.load_state_dict(dict(zip(model.state_dict(), initial.values(), strict=True)))
    step, order, log = stepper(list(model.parameters())), generator(seed, "order"), list[dict[str, float]]()
    for _ in range(v.epochs):
        for rows in torch.randperm(len(x), generator=order).split(v.batch_size):

            def loss(rows: Tensor = rows) -> Tensor:
                return F.cross_entropy(model(x[rows]), y[rows])

            log.append({"loss": float(loss().detach()), **step(loss)})
    return {name: [each[name] for each in log] for name in log[0]}


def assert_same_training(record: RunRecord, log: Mapping[str, Sequence[float]]) -> None:
    assert record.steps_taken == len(log["loss"]) == 30
    for name, expected in log.items():
        np.testing.assert_allclose(record.steps[name], expected, rtol=1e-4, atol=1e-6, err_msg=name)


def size(parameters: Sequence[Tensor]) -> float:
    """The norm of their gradients together."""
    return float(torch.cat([p.grad.flatten() for p in parameters if p.grad is not None]).norm())
