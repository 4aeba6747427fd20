"""Batch normalization against torch's, layer by layer and net by net, in training and in evaluation."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional as F

from study.models import Model, sites
from study.models.networks.batch_norm import (
    BatchNorm,
    fresh_statistics,
    in_place_of_torchs,
    in_training,
    layers_of,
    running_after,
)
from tests.models.test_lenet import as_torchs
from tests.models.torchs import random

Tensors = dict[str, Tensor]
LAYERS = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}


@given(
    shape=st.lists(st.integers(2, 5), min_size=2, max_size=5),
    epsilon=st.sampled_from([1e-5, 0.1]),
    momentum=st.sampled_from([0.1, 0.9]),
    affine=st.booleans(),
    last=st.booleans(),
    seed=st.integers(0, 99),
)
@settings(max_examples=40)
def test_a_layer_is_torchs(
    shape: list[int], epsilon: float, momentum: float, affine: bool, last: bool, seed: int
) -> None:
    """Outputs, slopes and running statistics over three batches, then outputs in evaluation."""
    theirs: Any = LAYERS[len(shape)](shape[1], epsilon, momentum, affine)
    ours = BatchNorm(shape[1], -1 if last else 1, epsilon, momentum, affine)
    parameters = {key: torch.randn(p.shape, generator=random(seed + 1)) for key, p in ours.named_parameters()}
    theirs.load_state_dict({**theirs.state_dict(), **parameters})
    running, place = fresh_statistics(ours), -1 if last else 1
    running = {key.removeprefix("."): t for key, t in running.items()}

    def forward(x: Tensor) -> Tensor:
        with in_training(ours):
            return functional_call(ours, parameters, (x.movedim(1, place),)).movedim(place, 1)

    for batch in range(3):
        x = (1 + 2 * torch.randn(shape, generator=random(seed + batch))).requires_grad_()
        expected = theirs(x)
        torch.testing.assert_close(forward(x), expected, rtol=1e-4, atol=1e-4)
        weights = torch.randn(shape, generator=random(7))
        slope = torch.autograd.grad((expected * weights).sum(), x)[0]
        found = grad(lambda one, weights=weights: (forward(one) * weights).sum())(x.detach())
        torch.testing.assert_close(found, slope, rtol=1e-3, atol=1e-3)
        mean, variance = ours.moved(running["running_mean"], running["running_var"], x.detach().movedim(1, place))
        running = {"running_mean": mean, "running_var": variance}
        for key, value in running.items():
            torch.testing.assert_close(value, getattr(theirs, key), rtol=1e-5, atol=1e-5)
    theirs.eval()
    found = functional_call(ours, {**parameters, **running}, (x.movedim(1, place),)).movedim(place, 1)
    torch.testing.assert_close(found, theirs(x), rtol=1e-4, atol=1e-4)


def torchs(name: str) -> nn.Sequential:
    """The same networks of torch's layers."""
    if name == "mlp":
        return nn.Sequential(
            *(nn.Linear(784, 12, bias=False), nn.BatchNorm1d(12), nn.ReLU()),
            *(nn.Linear(12, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 10)),
        )
    conv: dict[str, Any] = {"bias": False}
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        *(nn.Conv2d(1, 6, 5, padding=2, **conv), nn.BatchNorm2d(6), nn.Tanh(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5, **conv), nn.BatchNorm2d(16), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120, **conv), nn.BatchNorm1d(120), nn.Tanh()),
        *(nn.Linear(120, 84, **conv), nn.BatchNorm1d(84), nn.Tanh(), nn.Linear(84, 10)),
    )


GIVEN: dict[str, dict[str, Any]] = {
    "mlp": {"name": "mlp", "hidden": [12, 8], "batch_norm": True},
    "lenet": {"name": "lenet", "batch_norm": True},
}


class Net:
    """A model, two sets of parameters for it, and the net of torch with the first."""

    def __init__(self, name: str) -> None:
        model = Model.parse(GIVEN[name])
        self.module = model.build(784, 10)
        self.each = [model.initialise(self.module, random(seed)) for seed in range(2)]
        shaken = {"norms": 0.3}  # gain and shift away from 1 and 0
        for one in self.each:
            for key, p in one.items():
                p += shaken.get(key.partition(".")[0], 0.0) * torch.randn(p.shape, generator=random(3))
        self.theirs = torchs(name)
        kinds = {True: "norms", False: ("kernels", "layers")}
        for norm, prefix in kinds.items():
            ours = [as_torchs(p) for key, p in self.each[0].items() if key.startswith(prefix)]
            layers = [layer for layer in self.theirs if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) == norm]
            for p, value in zip((p for layer in layers for p in layer.parameters()), ours, strict=True):
                p.detach().copy_(value)

    def logits(self, parameters: Tensors, x: Tensor) -> Tensor:
        with in_training(self.module):
            return functional_call(self.module, parameters, (x,))

    def after(self, parameters: Tensors, running: Tensors, x: Tensor) -> Tensors:
        return running_after(self.module, running, lambda: self.logits(parameters, x))


BATCHES = torch.randn(4, 9, 784, generator=random(9))


@pytest.mark.parametrize("name", GIVEN)
def test_a_net_is_torchs(name: str) -> None:
    """Logits and gradients in training, running statistics over batches, and logits in evaluation."""
    net = Net(name)
    parameters, running = net.each[0], fresh_statistics(net.module)
    for x in BATCHES:
        torch.testing.assert_close(net.logits(parameters, x), net.theirs(x), rtol=1e-3, atol=1e-4)
        running = net.after(parameters, running, x)
    gradient = grad(lambda p: F.cross_entropy(net.logits(p, BATCHES[0]), torch.arange(9)))(parameters)
    F.cross_entropy(net.theirs(BATCHES[0]), torch.arange(9)).backward()
    ours, theirs = (
        sorted(float(g.norm()) for g in every)
        for every in (gradient.values(), [p.grad for p in net.theirs.parameters()])
    )
    assert ours == pytest.approx(theirs, rel=1e-3)
    running = net.after(parameters, running, BATCHES[0])  # as torch's, which the backward pass went through
    seen = {key: value for key, value in net.theirs.state_dict().items() if "running" in key}
    for mine, value in zip(running.values(), seen.values(), strict=True):
        torch.testing.assert_close(mine, value, rtol=1e-4, atol=1e-5)
    net.theirs.eval()
    found = functional_call(net.module, {**parameters, **running}, (BATCHES[1],))
    torch.testing.assert_close(found, net.theirs(BATCHES[1]), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", GIVEN)
def test_each_model_has_running_statistics_of_its_own(name: str) -> None:
    net = Net(name)
    fresh = fresh_statistics(net.module)
    stacked, running = (
        {key: torch.stack([one[key] for one in each]) for key in each[0]} for each in (net.each, [fresh] * 2)
    )
    together = vmap(net.after)(stacked, running, BATCHES[:2])
    for r, one in enumerate(net.each):
        for key, alone in net.after(one, fresh, BATCHES[r]).items():
            torch.testing.assert_close(together[key][r], alone, rtol=1e-5, atol=1e-6)
            assert not torch.equal(alone, fresh[key])
    assert all(torch.equal(net.module.get_buffer(key), t) for key, t in fresh.items()), "the module keeps nothing"
    assert not any(layer.training for _, layer in layers_of(net.module))


@pytest.mark.parametrize("name", GIVEN)
def test_its_parameters_and_sites_are_those_of_the_net_without_it_but_for_biases_of_hidden_layers(name: str) -> None:
    plain, normed = (Model.parse({**GIVEN[name], "batch_norm": flag}).build(784, 10) for flag in (False, True))
    assert sites(plain, 5, 784) == sites(normed, 5, 784)
    without = {key: p.shape for key, p in plain.named_parameters()}
    found = {key: p.shape for key, p in normed.named_parameters()}
    assert list(found)[-1] == list(without)[-1], "the last layer comes last"
    assert {key for key in found if key in without} == {key for key in without if "weight" in key} | {list(without)[-1]}
    widths = [shape[0] for key, shape in without.items() if "weight" in key][:-1]
    assert [shape for key, shape in found.items() if key.startswith("norms")] == [
        (n,) for n in widths for _ in range(2)
    ]


def test_layers_of_torch_are_taken_over_wherever_they_stand() -> None:
    shared = nn.BatchNorm1d(3, eps=0.1, momentum=0.3)
    net = nn.Sequential(shared, nn.Sequential(shared, nn.BatchNorm2d(4, affine=False)), nn.ModuleDict({"a": shared}))
    made = in_place_of_torchs(net)
    first = made[0]
    assert isinstance(first, BatchNorm)
    assert (first.epsilon, first.momentum, first.axis) == (0.1, 0.3, 1)
    assert made[1][0] is first
    assert made[2]["a"] is first
    assert made[1][1].weight is None
    assert [name for name, _ in layers_of(made)] == ["0", "1.1"]


@pytest.mark.parametrize("given", [{"momentum": None}, {"track_running_stats": False}], ids=str)
def test_layers_without_a_moving_average_stay_torchs(given: dict[str, Any]) -> None:
    net = in_place_of_torchs(nn.Sequential(nn.BatchNorm1d(3, **given), nn.LayerNorm(3)))
    assert [type(layer) for layer in net] == [nn.BatchNorm1d, nn.LayerNorm]
