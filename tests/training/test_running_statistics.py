"""Training with batch normalization: each way to take steps, and each method that meets running statistics."""

from typing import Any, Literal

import numpy as np
import pytest
import torch
from cases import SMALL, variant
from plain_loop import GLOBAL, LONG, plain_loop, sgd
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F
from torch.nn.utils import clip_grad_norm_
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from study.data import Digits
from study.models import Model, untouched
from study.models.base import Site
from study.models.initialisations import PyTorch
from study.models.networks.batch_norm import fresh_statistics
from study.optim.losses import CrossEntropy
from study.optim.rng import generator
from study.optim.tensors import one_hot
from study.training import engine, program
from study.training.lowering import UnknownOperatorError
from study.training.probes import probe
from study.training.step import BATCH_NORM, Chain

Tensors = dict[str, Tensor]
NORMED: dict[str, Any] = {"model": {"name": "mlp", "hidden": [12, 8], "batch_norm": True}, "clip": "none"}
LEAN: dict[str, Any] = {"statistics": {**SMALL["statistics"], "probes": 0}}


@pytest.fixture
def _by_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """No program is compiled, so that torch takes the steps."""

    def refuse(*given: Any) -> None:
        raise UnknownOperatorError("none")

    monkeypatch.setattr(program, "lowered", refuse)


@pytest.mark.usefixtures("_by_torch")
def test_steps_by_torch_are_the_plain_loop(digits: Digits) -> None:
    """As those of the program are in test_plain_loop, and of the same company."""
    v = variant(**{**LONG, **LEAN, **NORMED, "clip": GLOBAL})
    records = engine.train(v, [5, 3], digits)
    for record in records:
        log = plain_loop(digits, v, record.seed, sgd(), clip=lambda p: clip_grad_norm_(p, 0.5))
        for name in ("loss", "norm_before", "norm_after", "update_ratio"):
            np.testing.assert_allclose(record.steps[name], log[name], rtol=1e-4, atol=1e-6, err_msg=name)
        np.testing.assert_allclose(record.epochs["validation_loss"][1:], log["validation_loss"], rtol=1e-4)
    (alone,) = engine.train(v, [3], digits)
    assert np.array_equal(alone.steps["loss"], records[1].steps["loss"])
    assert alone.final == records[1].final


class Own(nn.Module):
    """The perceptron of `NORMED`, with torch's layers."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.first, self.of_first = nn.Linear(inputs, 12, bias=False), nn.BatchNorm1d(12)
        self.rest = nn.Sequential(nn.Linear(12, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, classes))

    def forward(self, x: Tensor, site: Site = untouched) -> Tensor:
        logits: Tensor = self.rest(torch.relu(self.of_first(self.first(x))))
        return logits


@pytest.mark.usefixtures("_by_torch", "registries_as_before")
def test_a_net_of_ones_own_with_torchs_layers_trains_as_the_same_model_here(digits: Digits) -> None:
    class OwnModel(Model):
        name: Literal["own_normed"] = "own_normed"
        batch_norm: bool = True

        def network(self, inputs: int, classes: int) -> nn.Module:
            return Own(inputs, classes)

        def initialise(self, module: nn.Module, random: torch.Generator) -> Tensors:
            return PyTorch().initialise(module, random)

    ours, theirs = (
        engine.train(variant(**{**NORMED, **LEAN, **more}), [3, 1], digits) for more in ({}, {"model": "own_normed"})
    )
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one.steps["loss"], other.steps["loss"], rtol=1e-5)
        np.testing.assert_allclose(one.epochs["validation_loss"], other.epochs["validation_loss"], rtol=1e-5)


@pytest.mark.usefixtures("_by_torch")
def test_the_best_epoch_is_handed_over_with_its_running_statistics(digits: Digits) -> None:
    """Its scores are those that it had when it was trained, though the others trained on."""
    stopping = {"name": "early_stopping", "patience": 2, "restore_best": True}
    v = variant(**{**NORMED, **LEAN, "epochs": 8, "regularization": stopping, "optimizer": {"name": "sgd", "lr": 3.0}})
    records = engine.train(v, [0, 1, 2], digits)
    assert any(0 < record.best_epoch < len(record.epochs["validation_loss"]) - 1 for record in records)
    for record in records:
        stopped = len(record.epochs["validation_loss"]) - 1 - record.best_epoch == 2
        kept = record.epochs["validation_loss"][record.best_epoch]
        assert record.best["validation"].loss == pytest.approx(kept)
        assert not stopped or record.final == record.best


class OneModel:
    """A model, its oracle of torch, and a batch."""

    def __init__(self, regularization: Any) -> None:
        self.v = variant(**{**NORMED, "regularization": regularization})
        self.module = self.v.model.build(784, 10)
        self.chain = Chain(self.v, self.module)
        self.parameters = self.v.model.initialise(self.module, generator(0, "init"))
        self.memory = self.chain.initial_memory(self.parameters)
        theirs = nn.ModuleDict({"layers": nn.ModuleList(), "norms": nn.ModuleList()})
        for a, b in ((784, 12), (12, 8)):
            theirs["layers"].append(nn.Linear(a, b, bias=False))
            theirs["norms"].append(nn.BatchNorm1d(b))
        theirs["layers"].append(nn.Linear(8, 10))
        theirs.load_state_dict({**theirs.state_dict(), **self.parameters})
        self.theirs = theirs
        self.x = torch.randn(3, 20, 784, generator=generator(1, "init"))
        self.labels = torch.arange(20) % 10

    def logits(self, net: Any, x: Tensor) -> Tensor:
        for layer, norm in zip(net["layers"], net["norms"], strict=False):
            x = torch.relu(norm(layer(x)))
        found: Tensor = net["layers"][2](x)
        return found

    def assert_statistics(self, running: Tensors, net: nn.Module) -> None:
        for key, value in running.items():
            torch.testing.assert_close(value, net.state_dict()[key], rtol=1e-4, atol=1e-5)


def test_an_ascent_leaves_the_running_statistics_of_its_start() -> None:
    """As in the usual implementation, which sets the momentum to 0 for the second pass."""
    rho = 0.5
    for clipped in ("descent", "ascent"):
        m = OneModel({"name": "sam", "rho": rho, "clip": clipped})
        direction, memory, _ = m.chain.gradient_step(m.parameters, m.memory, m.x[0], one_hot(m.labels, 10), {})
        F.cross_entropy(m.logits(m.theirs, m.x[0]), m.labels).backward()
        m.assert_statistics(memory[BATCH_NORM], m.theirs)
        weights = list(m.theirs.parameters())
        norm = torch.cat([p.grad.flatten() for p in weights]).norm()
        for p in weights:
            p.data += rho * p.grad / norm
            p.grad = None
        F.cross_entropy(m.logits(m.theirs, m.x[0]), m.labels).backward()
        wanted = dict(m.theirs.named_parameters())
        for key, g in direction.product().items():
            torch.testing.assert_close(g, wanted[key].grad, rtol=1e-3, atol=1e-5)


def test_an_average_of_weights_is_one_of_running_statistics_too() -> None:
    m = OneModel({"name": "weight_averaging", "decay": 0.7})
    averaged = AveragedModel(m.theirs, multi_avg_fn=get_ema_multi_avg_fn(0.7), use_buffers=True)
    parameters, memory = m.parameters, m.memory
    optimizer = torch.optim.SGD(m.theirs.parameters(), lr=0.1)
    for x in m.x:
        direction, memory, _ = m.chain.gradient_step(parameters, memory, x, one_hot(m.labels, 10), {})
        parameters = {
            key: p - 0.1 * g for (key, p), g in zip(parameters.items(), direction.product().values(), strict=True)
        }
        parameters, memory = m.chain.after_update(parameters, memory, 0.1)
        optimizer.zero_grad()
        F.cross_entropy(m.logits(m.theirs, x), m.labels).backward()
        optimizer.step()
        averaged.update_parameters(m.theirs)
    assert set(parameters) == set(m.parameters)
    m.assert_statistics(parameters, m.theirs)
    m.assert_statistics(memory[BATCH_NORM], m.theirs)
    found = m.chain.evaluated(parameters, memory)
    assert set(found) == set(m.parameters) | set(fresh_statistics(m.module))
    m.assert_statistics(found, averaged.module)


def test_probes_see_single_samples_in_evaluation() -> None:
    """Norms of their gradients, one backward pass of torch's layers for each."""
    m = OneModel("none")
    _, memory, _ = m.chain.gradient_step(m.parameters, m.memory, m.x[0], one_hot(m.labels, 10), {})
    running = memory[BATCH_NORM]
    m.theirs.load_state_dict({**m.theirs.state_dict(), **running})
    m.theirs.eval()
    found = probe(m.module, CrossEntropy(), {**m.parameters, **running}, m.x[1], m.labels, 10)
    assert not found.isnan().any()
    norms = []
    for x, label in zip(m.x[1], m.labels, strict=True):
        m.theirs.zero_grad()
        F.cross_entropy(m.logits(m.theirs, x[None]), label[None]).backward()
        norms.append(torch.cat([p.grad.flatten() for p in m.theirs.parameters()]).norm())
    wanted = torch.quantile(torch.stack(norms), torch.tensor([0.1, 0.5, 0.9]))
    torch.testing.assert_close(found[:3], wanted, rtol=1e-4, atol=1e-5)


def test_scores_are_by_running_statistics_whatever_else_is_scored(digits: Digits) -> None:
    m = OneModel("none")
    _, memory, _ = m.chain.gradient_step(m.parameters, m.memory, m.x[0], one_hot(m.labels, 10), {})
    scored = m.chain.evaluated(m.parameters, memory)
    together = functional_call(m.module, scored, (m.x[1],))
    torch.testing.assert_close(functional_call(m.module, scored, (m.x[1][3:4],)), together[3:4], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(functional_call(m.module, m.parameters, (m.x[1],)), together)
