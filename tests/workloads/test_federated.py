"""Federated averaging: against a slow loop of torch, by its laws, and as a whole training."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from cases import CLIP_MODES, variant
from torch import Tensor
from torch.nn import functional as F

from study.config.variants import Variant
from study.data import Digits
from study.optim.rng import generator, stream_seed
from study.results import code_digest
from study.results.columns import TRAININGS
from study.results.workload_columns import WORKLOADS
from study.training import engine
from study.training.batches import Batches
from study.training.recorder import Recorder
from study.training.records import tidy
from study.training.stacked import Stacked
from study.training.trainers import trainer_of
from study.training.trainers.federated import Clients
from tests.interrupted import assert_goes_on
from tests.workloads import trainings

pytestmark = pytest.mark.slow

Weights = list[Tensor]
LEAN = {"statistics": {"every_step": True, "windows": 50, "probes": 0}}


def federated(workload: dict[str, Any] | None = None, **changes: Any) -> Variant:
    settings = {"name": "federated", "clients": 5, "fraction": 0.6, "local_epochs": 2, **(workload or {})}
    return variant(**{"workload": settings, "batch_size": 7, "epochs": 3, "clip": "none", **LEAN, **changes})


def trained(
    v: Variant, seeds: list[int], digits: Digits, way: Callable[[Any], Any] | None = None
) -> tuple[Clients, Recorder]:
    """The servers after the last round."""
    clients, recorder = trainings.trained(v, seeds, digits, way)
    assert isinstance(clients, Clients)
    return clients, recorder


def by_hand(
    v: Variant,
    seed: int,
    digits: Digits,
    step: Callable[[Weights, Weights], Weights] = lambda g, w: g,
    update: Callable[[Weights], Weights] = lambda u: u,
    momentum: float = 0.0,
) -> Weights:
    """Algorithm 1 of McMahan et al. 2017 as anyone would write it; step and update clip their argument."""
    batches = Batches.prepare(digits, v.data, [seed], "cpu")
    x, y, order = batches.images[batches.train[0]], batches.train_labels[0], generator(seed, "order")
    random, picks = np.random.default_rng(stream_seed(seed, "clients")), generator(seed, "rounds")
    dealt = v.workload.split.deal(y, v.workload.clients, random)
    server = list(v.model.initialise(v.model.build(784, 10), generator(seed, "init")).values())
    velocity = [torch.zeros_like(w) for w in server]
    for _ in range(v.epochs):
        updates = []
        for k in torch.randperm(v.workload.clients, generator=picks)[: v.workload.sampled]:
            local = [w.clone() for w in server]
            for _ in range(v.workload.local_epochs):
                shuffled = dealt[k][torch.randperm(dealt.shape[1], generator=order)]
                for at in range(0, len(shuffled) - v.batch_size + 1, v.batch_size):
                    rows = shuffled[at : at + v.batch_size]
                    gradient = step(
                        slopes(local, x[rows], y[rows]), [w - s for w, s in zip(local, server, strict=True)]
                    )
                    local = [w - v.optimizer.lr * g for w, g in zip(local, gradient, strict=True)]
            updates.append(update([w - s for w, s in zip(local, server, strict=True)]))
        mean = [torch.stack(parts).mean(0) for parts in zip(*updates, strict=True)]
        velocity = [momentum * old + new for old, new in zip(velocity, mean, strict=True)]
        server = [w + ahead for w, ahead in zip(server, velocity, strict=True)]
    return server


def slopes(weights: Weights, x: Tensor, y: Tensor) -> Weights:
    leaves = [w.detach().requires_grad_() for w in weights]
    for weight, bias in zip(leaves[::2], leaves[1::2], strict=True):
        x = F.linear(x, weight, bias)
        x = F.relu(x) if weight is not leaves[-2] else x
    return list(torch.autograd.grad(F.cross_entropy(x, y), leaves))


def scaled_to(c: float) -> Callable[..., Weights]:
    def clip(tensors: Weights, *_: Any) -> Weights:
        norm = torch.cat([t.flatten() for t in tensors]).norm()
        return [t * min(1.0, c / float(norm)) for t in tensors]

    return clip


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "averaging": ({}, {}, {}),
    "shards and one client": ({"split": "shards", "fraction": 0.0, "local_epochs": 1}, {}, {}),
    "dirichlet and all clients": ({"split": {"name": "dirichlet", "alpha": 0.1}, "fraction": 1.0}, {}, {}),
    "clip of steps": ({}, {"clip": {"name": "global_norm", "max_norm": 0.5}}, {"step": scaled_to(0.5)}),
    "clip of updates": (
        {"clip_at": "update"},
        {"clip": {"name": "per_sample", "max_norm": 0.05}},
        {"update": scaled_to(0.05)},
    ),
    "the same clip by another name": (
        {"clip_at": "update"},
        {"clip": {"name": "global_norm", "max_norm": 0.05}},
        {"update": scaled_to(0.05)},
    ),
    "server momentum": ({"server": {"name": "sgd", "lr": 1.0, "momentum": 0.7}}, {}, {"momentum": 0.7}),
    "proximal": (
        {},
        {"regularization": {"name": "fedprox", "mu": 2.0}},
        {"step": lambda g, away: [one + 2.0 * d for one, d in zip(g, away, strict=True)]},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_the_published_algorithm(case: str, digits: Digits) -> None:
    workload, changes, loop = CASES[case]
    v = federated(workload, **changes)
    clients, _ = trained(v, [3, 1], digits)
    assert clients.reason == "", "by the compiled program"
    for r, seed in enumerate([3, 1]):
        wanted = by_hand(v, seed, digits, **loop)
        for ours, theirs in zip(clients.model(r).parameters.values(), wanted, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_one_client_with_all_digits_is_supervised_training(digits: Digits) -> None:
    """Of the digits in the same order, with an optimizer that remembers nothing."""
    servers, models = federated({"clients": 1, "fraction": 1.0, "local_epochs": 1}), variant(batch_size=7, clip="none")
    found = []
    for v in (servers, models):
        batches = Batches.prepare(digits, v.data, [2], "cpu")
        one = trainer_of(v.workload).start(v, [2], batches)
        if isinstance(one, Clients):
            one.dealt = torch.arange(len(batches.train[0]))[None, None]
        for _ in range(2):
            one.epoch(batches, Recorder.open(v, 1, one.parameters))
        found.append(one.parameters)
    for key, p in found[0].items():
        torch.testing.assert_close(found[1][key], p, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("clip_at", ["step", "update"])
def test_torch_comes_to_what_the_program_does(clip_at: str, digits: Digits) -> None:
    """With dropout, whose masks both must draw alike; a replicate that has ended stays where it is."""
    v = federated(
        {"clip_at": clip_at},
        clip={"name": "global_norm", "max_norm": 0.1},
        regularization={"name": "dropout", "p": 0.3},
    )
    compiled, first = trained(v, [3, 1], digits)
    by_torch, second = trained(v, [3, 1], digits, way=Stacked)
    for key, p in compiled.parameters.items():
        torch.testing.assert_close(by_torch.parameters[key], p, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(by_torch.noted, compiled.noted, rtol=1e-3, equal_nan=True)
    np.testing.assert_allclose(first.log.columns(), second.log.columns(), rtol=2e-2, atol=1e-4, equal_nan=True)


@pytest.mark.parametrize("label", [label for label in CLIP_MODES if not label.startswith("per_sample_adaptive")])
def test_every_clip_acts_on_updates(label: str, digits: Digits) -> None:
    clip = CLIP_MODES[label](0.05).model_dump(mode="json")
    clients, _ = trained(federated({"clip_at": "update"}, clip=clip, epochs=1), [0], digits)
    assert all(bool(p.isfinite().all()) for p in clients.parameters.values())


def test_a_seed_does_not_depend_on_its_company(digits: Digits) -> None:
    v = federated({"clip_at": "update", "noise_multiplier": 1.0}, clip={"name": "per_sample", "max_norm": 0.1})
    alone = tidy("s", engine.train(v, [1], digits))
    together = tidy("s", engine.train(v, [3, 1], digits))
    for name, table in alone.items():
        own = together[name][together[name]["seed"] == 1].reset_index(drop=True)
        same = [column for column in table if column != "wall_seconds"]
        assert table[same].equals(own[same]), name
    assert together["runs"]["steps"].tolist() == [v.steps] * 2
    assert together["epochs"].groupby("seed").size().tolist() == [v.epochs + 1] * 2
    for name, columns in WORKLOADS["federated"].items():
        names = [column.name for column in columns]
        assert list(together[name].columns) == [*TRAININGS[name].names, *names], (
            "mend study/results/workload_columns.py"
        )
    assert (together["runs"]["clip_rate"] == together["runs"]["update_clipped"]).all()


def test_weights_are_averaged_over_rounds(digits: Digits) -> None:
    v = federated(regularization={"name": "weight_averaging", "decay": 0.5})
    plain, _ = trained(federated(epochs=1), [0], digits)
    two, _ = trained(federated(epochs=2), [0], digits)
    averaged, _ = trained(v.model_copy(update={"epochs": 2}), [0], digits)
    for key, p in averaged.evaluated().items():
        torch.testing.assert_close(p, (plain.parameters[key] + two.parameters[key]) / 2)


def test_a_training_that_was_ended_goes_on_to_the_same_records(digits: Digits, tmp_path: Path) -> None:
    """With all that a server carries from round to round: momentum, an adaptive bound, noise, an average of weights."""
    workload = {"clip_at": "update", "noise_multiplier": 0.1, "server": {"name": "sgd", "lr": 0.9, "momentum": 0.5}}
    v = federated(
        workload,
        clip={"name": "per_sample_adaptive", "initial_norm": 0.1},
        regularization=[{"name": "dropout", "p": 0.2}, {"name": "weight_averaging", "decay": 0.5}],
    )
    assert_goes_on(v, digits, tmp_path / "checkpoint")


def test_an_edit_of_the_server_trains_no_other_workload_again() -> None:
    files = {file.name for file in code_digest.files_of(federated())}
    assert {"server.py", "client_splits.py", "privacy.py", "replicates.py"} <= files
    assert not {"server.py", "client_splits.py", "privacy.py"} & {f.name for f in code_digest.files_of(variant())}
