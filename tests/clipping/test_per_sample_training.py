"""Trainings with a clip by sample against a loop over samples, one backward pass each; and beside regularizers."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from cases import REGULARIZATION_MODES, Make, variant
from torch import Tensor
from torch.nn import functional as F

from study.clipping import Clipping
from study.clipping.per_sample import PerSampleNorm
from study.config.variants import Variant
from study.data import Digits, split
from study.methods.base import MethodCombination
from study.models import sites
from study.optim.rng import generator, stream_seed
from study.optim.tensors import one_hot
from study.training import engine
from study.training.step import Chain

pytestmark = pytest.mark.slow

Tensors = dict[str, Tensor]
BATCH, INPUTS, CLASSES = 8, 16, 4


def norm(g: Tensors) -> float:
    return math.hypot(*(x for t in g.values() for x in t.flatten().tolist()))


def mean_of(each: Sequence[Tensors]) -> Tensors:
    return {key: torch.stack([g[key] for g in each]).mean(0) for key in each[0]}


def by_model(each: Sequence[Tensors], c: float) -> Tensors:
    """In plain Python."""
    return mean_of([{key: t * min(1, c / (norm(g) + 1e-6)) for key, t in g.items()} for g in each])


def by_tensor(each: Sequence[Tensors], c: float) -> Tensors:
    bound = c / math.sqrt(len(each[0]))
    return mean_of([{key: t * min(1, bound / (norm({key: t}) + 1e-6)) for key, t in g.items()} for g in each])


class Adaptive:
    """A clip whose bound moves."""

    def __init__(self, c: float) -> None:
        self.c = c

    def __call__(self, each: Sequence[Tensors]) -> Tensors:
        found = by_model(each, self.c)
        unclipped = sum(norm(g) <= self.c for g in each) / len(each)
        self.c *= math.exp(-0.2 * (unclipped - 0.5))
        return found


Log = dict[str, list[float]]


def sample_loop(
    digits: Digits, v: Variant, seed: int, clip: Callable[[Sequence[Tensors]], Tensors], rate: float, decay: float
) -> Log:
    """A loop over steps and samples, one backward pass each; dropout of `rate`, L2 of `decay`, SGD."""
    data = v.data
    chosen = split(
        digits,
        train_size=data.train_size,
        validation_size=data.validation_size,
        label_noise=0.0,
        split_seed=stream_seed(seed, "split"),
        noise_seed=stream_seed(seed, "label-noise"),
    )
    x, y = ((digits.train_images[chosen.train].float() / 255) - digits.mean) / digits.std, chosen.labels
    parameters = v.model.initialise(v.model.build(784, 10), generator(seed, "init"))
    order, random = generator(seed, "order"), generator(seed, "dropout")
    log: Log = {"loss": [], "norm_before": [], "norm_after": []}
    for _ in range(v.epochs):
        for rows in torch.randperm(len(x), generator=order).split(v.batch_size):
            masks = [torch.rand(v.batch_size, width, generator=random) >= rate for width in (12, 8)]
            several = [one_sample(v, parameters, x[r], y[r], [m[i] for m in masks], rate) for i, r in enumerate(rows)]
            penalty = {key: decay * p if p.ndim > 1 else 0 * p for key, p in parameters.items()}
            each = [g for _, g in several]
            before, after = ({k: g[k] + penalty[k] for k in g} for g in (mean_of(each), clip(each)))
            log["loss"].append(sum(value for value, _ in several) / len(several))
            log["norm_before"].append(norm(before))
            log["norm_after"].append(norm(after))
            parameters = {key: p - v.optimizer.lr * after[key] for key, p in parameters.items()}
    return log


def one_sample(
    v: Variant, parameters: Tensors, x: Tensor, y: Tensor, masks: Sequence[Tensor], rate: float
) -> tuple[float, Tensors]:
    """The loss of one sample and its gradient."""
    leaves = {key: p.clone().requires_grad_() for key, p in parameters.items()}
    w0, b0, w1, b1, w2, b2 = leaves.values()
    h = torch.relu(F.linear(x.flatten(), w0, b0)) * masks[0] / (1 - rate)
    h = torch.relu(F.linear(h, w1, b1)) * masks[1] / (1 - rate)
    z = F.linear(h, w2, b2)
    squared = v.loss.name == "squared_error"
    value = 0.5 * (z - F.one_hot(y, 10)).square().sum() if squared else F.cross_entropy(z, y)
    return float(value.detach()), dict(zip(leaves, torch.autograd.grad(value, list(leaves.values())), strict=True))


DROPOUT, L2 = {"name": "dropout", "p": 0.3}, {"name": "l2", "strength": 0.05}
TRAININGS: dict[str, tuple[dict[str, Any], Callable[[], Callable[[Sequence[Tensors]], Tensors]], float, float]] = {
    "flat": ({"clip": {"name": "per_sample", "max_norm": 2}}, lambda: lambda g: by_model(g, 2), 0, 0),
    "flat, dropout and l2": (
        {"clip": {"name": "per_sample", "max_norm": 2}, "regularization": [DROPOUT, L2]},
        lambda: lambda g: by_model(g, 2),
        0.3,
        0.05,
    ),
    "by layer, squared error": (
        {"clip": {"name": "per_sample_layer", "max_norm": 2}, "loss": "squared_error"},
        lambda: lambda g: by_tensor(g, 2),
        0,
        0,
    ),
    "adaptive, dropout": (
        {"clip": {"name": "per_sample_adaptive", "initial_norm": 2}, "regularization": DROPOUT},
        lambda: Adaptive(2),
        0.3,
        0,
    ),
}


@pytest.mark.parametrize("case", TRAININGS)
def test_training_is_a_loop_over_samples(digits: Digits, case: str) -> None:
    changes, clip, rate, decay = TRAININGS[case]
    v = variant(**changes)
    for record in engine.train(v, [5, 3], digits):
        log = sample_loop(digits, v, record.seed, clip(), rate, decay)
        assert sum(record.steps["fired"]) == len(log["loss"]) == 10, "the clip acts at every step"
        for name, expected in log.items():
            np.testing.assert_allclose(record.steps[name], expected, rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("name", ["per_sample", "per_sample_layer"])
def test_a_huge_bound_trains_as_no_clip(digits: Digits, name: str) -> None:
    clips = ("none", {"name": name, "max_norm": 1e9})
    plain, bounded = (engine.train(variant(clip=clip), [4], digits)[0] for clip in clips)
    for statistic in ("loss", "norm_before", "norm_after", "update_ratio"):
        np.testing.assert_allclose(bounded.steps[statistic], plain.steps[statistic], rtol=1e-5, err_msg=statistic)
    assert sum(bounded.steps["fired"]) == 0


def test_a_record_does_not_depend_on_the_seeds_it_is_trained_with(digits: Digits) -> None:
    v = variant(clip={"name": "per_sample_adaptive", "initial_norm": 1}, regularization=DROPOUT)
    alone, among = engine.train(v, [7], digits)[0], engine.train(v, [1, 7, 3], digits)[1]
    assert all(np.array_equal(alone.steps[key], among.steps[key], equal_nan=True) for key in alone.steps)
    assert all(np.array_equal(alone.epochs[key], among.epochs[key], equal_nan=True) for key in alone.epochs)


def gradient_with(clip: Clipping | str, regularization: Any) -> Tensors:
    """What the optimizer gets in the first step of a small net."""
    v = variant(clip=clip, regularization=regularization)
    random = torch.Generator().manual_seed(0)
    module = v.model.build(INPUTS, CLASSES)
    parameters, chain = v.model.initialise(module, random), Chain(v, module)
    x, labels = torch.randn(BATCH, INPUTS, generator=random), torch.randint(0, CLASSES, (BATCH,), generator=random)
    noise: dict[str, Tensors] = {}
    for name, draws in chain.draws(sites(module, BATCH, INPUTS), parameters).items():
        noise[name] = {key: torch.empty(draw.shape) for key, draw in draws.items()}
        for key, draw in draws.items():
            draw.fill(noise[name][key], random)
    direction, *_ = chain.step(parameters, chain.initial_memory(parameters), x, one_hot(labels, CLASSES), noise)
    return direction.product()


@pytest.mark.parametrize("make", REGULARIZATION_MODES.values(), ids=REGULARIZATION_MODES)
def test_beside_every_regularizer_a_huge_bound_is_no_clip_or_it_is_refused(make: Make) -> None:
    """So no regularizer changes the network in a way that the gradients of single samples miss."""
    clip, other = PerSampleNorm(max_norm=1e9), make(0.3)
    if other.acts_before_clip or other.overrides("data_penalty"):
        with pytest.raises(ValueError, match="clipping 'per_sample'"):
            refused(clip, other)
        return
    found, expected = gradient_with(clip, other), gradient_with("none", other)
    assert list(found) == list(expected)
    for key in expected:
        torch.testing.assert_close(found[key], expected[key], rtol=1e-4, atol=1e-6)


def refused(clip: Clipping, other: Any) -> None:
    """Raise what a study with the two would say."""
    v = variant(clip=clip, regularization=other)
    combination = MethodCombination(v.workload, v.model, v.loss, v.optimizer, v.clip, v.regularization)
    if reasons := combination.conflicts():
        raise ValueError(reasons[0])
