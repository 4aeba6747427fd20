"""DP-SGD: against a slow loop over samples, its noise, its random batches, and Opacus' accountant."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from cases import variant
from opacus.accountants import RDPAccountant
from torch import Tensor
from torch.nn import functional as F

from study.config.variants import Variant
from study.data import Digits
from study.methods.base import MethodCombination
from study.optim.rng import generator
from study.optim.tensors import one_hot
from study.results.columns import TRAININGS
from study.results.workload_columns import WORKLOADS
from study.training import engine
from study.training.batches import Batches
from study.training.records import tidy
from study.training.stacked import Stacked
from study.training.trainers.dp_sgd import PrivateReplicates, drawn
from tests.workloads import trainings

pytestmark = pytest.mark.slow

LEAN = {"statistics": {"every_step": True, "windows": 50, "probes": 0}}


def private(z: float = 0.7, clip: Any = None, **changes: Any) -> Variant:
    clip = clip or {"name": "per_sample", "max_norm": 0.3}
    return variant(**{"workload": {"name": "dp_sgd", "noise_multiplier": z}, "clip": clip, **LEAN, **changes})


def trained(v: Variant, seeds: list[int], digits: Digits, by_torch: bool = False) -> PrivateReplicates:
    models, _ = trainings.trained(v, seeds, digits, Stacked if by_torch else None)
    assert isinstance(models, PrivateReplicates)
    return models


def by_hand(v: Variant, seed: int, digits: Digits, decay: float = 0.0) -> list[Tensor]:
    """Algorithm 1 of Abadi et al. 2016, a sample at a time, with L2 in the loss, which costs no privacy."""
    batches = Batches.prepare(digits, v.data, [seed], "cpu")
    x, y, order = batches.images[batches.train[0]], batches.train_labels[0], generator(seed, "order")
    noise = generator(seed, "privacy-noise")
    w = list(v.model.initialise(v.model.build(784, 10), generator(seed, "init")).values())
    private_run = v.clip.name != "none"
    bound = v.clip.max_norm if private_run else math.inf
    for _ in range(v.epochs * (len(x) // v.batch_size)):
        total = [torch.zeros_like(one) for one in w]
        for i in torch.nonzero(torch.rand(len(x), generator=order) < v.batch_size / len(x)).flatten().tolist():
            leaves = [one.detach().requires_grad_() for one in w]
            h = x[i : i + 1]
            for at in range(0, len(leaves), 2):
                h = F.linear(h, leaves[at], leaves[at + 1])
                h = F.relu(h) if at < len(leaves) - 2 else h
            slopes = torch.autograd.grad(F.cross_entropy(h, y[i : i + 1]), leaves)
            length = float(torch.cat([s.flatten() for s in slopes]).norm())
            total = [t + s * min(1.0, bound / length) for t, s in zip(total, slopes, strict=True)]
        if private_run:
            scale = v.workload.noise_multiplier * bound
            total = [t + scale * torch.empty_like(t).normal_(generator=noise) for t in total]
        pull = [decay * one if one.ndim > 1 else 0.0 for one in w]
        w = [one - v.optimizer.lr * (t / v.batch_size + p) for one, t, p in zip(w, total, pull, strict=True)]
    return w


@pytest.mark.parametrize("clip", ["none", {"name": "per_sample", "max_norm": 0.3}])
@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_it_is_the_published_algorithm(clip: Any, decay: float, digits: Digits) -> None:
    v = private(clip=clip, regularization={"name": "l2", "strength": decay} if decay else "none")
    models = trained(v, [3, 1], digits)
    assert models.reason == "", "by the compiled program"
    for r, seed in enumerate([3, 1]):
        for ours, theirs in zip(models.model(r).parameters.values(), by_hand(v, seed, digits, decay), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_torch_comes_to_what_the_program_does(digits: Digits) -> None:
    v = private(regularization={"name": "weight_decay", "strength": 0.1})
    compiled, by_torch = trained(v, [3, 1], digits), trained(v, [3, 1], digits, by_torch=True)
    for key, p in compiled.parameters.items():
        torch.testing.assert_close(by_torch.parameters[key], p, rtol=1e-4, atol=1e-5)


def test_digits_are_drawn_each_by_itself() -> None:
    """The number of a step is binomial, and no digit is drawn more often than another but for chance."""
    places = drawn(200, 0.1, 4_000, 60, generator(0, "order"))
    counts, each = (places >= 0).sum(1).double(), torch.bincount(places[places >= 0], minlength=200) / 4_000
    assert float(counts.mean()) == pytest.approx(20, abs=0.3)
    assert float(counts.var()) == pytest.approx(18, rel=0.1)
    assert float(each.min()) > 0.08
    assert float(each.max()) < 0.12
    assert all(len(row[row >= 0].unique()) == int((row >= 0).sum()) for row in places[:50])
    assert int((drawn(200, 0.5, 20, 60, generator(0, "order")) < 0).sum()) == 0, "what has no row is left out"


def test_a_row_that_stands_for_no_digit_has_no_target() -> None:
    assert one_hot(torch.tensor([1, -1, 0]), 2).tolist() == [[0, 1], [0, 0], [1, 0]]


def test_epsilon_is_that_of_the_accountant(digits: Digits) -> None:
    tables = tidy("s", engine.train(private(z=0.9), [3, 1], digits))
    for name, columns in WORKLOADS["dp_sgd"].items():
        assert list(tables[name].columns) == [*TRAININGS[name].names, *(column.name for column in columns)]
    accountant = RDPAccountant()
    for epoch in (1, 2):
        for _ in range(5):
            accountant.step(noise_multiplier=0.9, sample_rate=20 / 100)
        wanted = accountant.get_epsilon(1e-5)
        found = tables["epochs"].loc[tables["epochs"]["epoch"] == epoch, "epsilon"]
        np.testing.assert_allclose(found, wanted)
    assert tables["runs"]["epsilon"].tolist() == pytest.approx([wanted] * 2)
    assert tables["epochs"]["noise_std"].dropna().to_numpy() == pytest.approx(0.9 * 0.3 / 20)
    free = tidy("s", engine.train(private(clip="none"), [3], digits))["runs"]
    assert free["epsilon"].tolist() == [math.inf]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"clip": {"name": "global_norm", "max_norm": 1}}, "of no single sample"),
        ({"clip": {"name": "per_sample_adaptive", "initial_norm": 1}}, "without noise"),
        ({"loss": "squared_error"}, "needs the loss 'cross_entropy'"),
        ({"regularization": {"name": "mixup", "alpha": 1}}, "changes what the rows of a batch teach"),
        ({"regularization": {"name": "sam", "rho": 0.1}}, "by a gradient without noise"),
    ],
)
def test_what_would_break_its_promise_is_refused(changes: dict[str, Any], said: str) -> None:
    v = private(**changes)
    conflicts = MethodCombination(v.workload, v.model, v.loss, v.optimizer, v.clip, v.regularization).conflicts()
    assert any(said in one for one in conflicts)
