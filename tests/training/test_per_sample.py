"""Gradients of single samples against a loop of torch.autograd, against Opacus and against BackPACK."""

import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from opacus import GradSampleModule
from sample_nets import CLASSES, INPUTS, LOSSES, NETS, Deep, Setting, Tensors, assert_close
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from study.models import Model
from study.models.lenet import LeNet
from study.models.mlp import MLP
from study.models.patch_transformer import PatchTransformer
from study.models.row_rnn import RowRNN
from study.training.graph import traced
from study.training.per_sample import sample_gradients


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("net", NETS)
@given(seed=st.integers(0, 1000), batch=st.integers(1, 6))
@settings(max_examples=5)
def test_norms_and_means_are_those_of_a_loop_over_samples(net: str, loss: str, seed: int, batch: int) -> None:
    s = Setting(net, loss, seed, batch)
    samples, value = s.found()
    each, (whole, mean_loss) = s.each(), s.slow()
    torch.testing.assert_close(value, mean_loss)
    assert_close(samples.norms(), {key: torch.stack([g[key].norm() for g in each]) for key in whole})
    assert_close(samples.mean(None), whole)
    weighted = {
        key: torch.stack([w * g[key] for w, g in zip(s.weights[key], each, strict=True)]).mean(0) for key in whole
    }
    assert_close(samples.mean(s.weights), weighted)


@pytest.mark.parametrize(
    "model",
    [LeNet(), RowRNN(units=30), PatchTransformer(width=16, heads=2), MLP(hidden=(20,))],
    ids=lambda model: model.name,
)
def test_it_knows_every_model(model: Model) -> None:
    s = Setting("deep", batch=3)
    random = torch.Generator().manual_seed(0)
    s.module = model.build(784, 10)
    s.parameters = model.initialise(s.module, random)
    s.x, s.targets = torch.randn(3, 784, generator=random), torch.eye(10)[:3]
    samples, _ = s.found()
    each, (whole, _) = s.each(), s.slow()
    assert_close(samples.norms(), {key: torch.stack([g[key].norm() for g in each]) for key in whole})
    assert_close(samples.mean(None), whole)


@pytest.mark.parametrize("net", NETS)
@pytest.mark.filterwarnings("ignore:Full backward hook is firing")  # Opacus' own hooks: the input needs no gradient
def test_norms_are_those_of_opacus(net: str) -> None:
    s = Setting(net, "squared_error", batch=6)
    model = NETS[net]()
    model.load_state_dict(s.parameters)
    wrapped = GradSampleModule(model)
    s.loss.value(wrapped(s.x), s.targets).backward()
    expected = {key: p.grad_sample.flatten(1).norm(dim=1) for key, p in model.named_parameters()}
    assert_close(s.found()[0].norms(), expected)


def test_norms_are_those_of_backpack() -> None:
    from backpack import backpack, extend
    from backpack.extensions import BatchL2Grad

    s = Setting("deep", batch=6)
    labels = torch.tensor([0, 3, 1, 1, 2, 0])
    s.targets = nn.functional.one_hot(labels, CLASSES).float()
    layers = [nn.Linear(INPUTS, 7), nn.Tanh(), nn.Linear(7, 5, bias=False), nn.ReLU(), nn.Linear(5, CLASSES)]
    model = extend(nn.Sequential(*layers))
    model.load_state_dict(dict(zip(model.state_dict(), s.parameters.values(), strict=True)))
    with warnings.catch_warnings(action="ignore"), backpack(BatchL2Grad()):
        extend(nn.CrossEntropyLoss())(model(s.x), labels).backward()
    squares = [p.batch_l2 * len(labels) ** 2 for p in model.parameters()]  # BackPACK's are of loss / B
    assert_close(s.found()[0].norms(), {k: q.sqrt() for k, q in zip(s.parameters, squares, strict=True)})


@pytest.mark.parametrize("net", NETS)
def test_mapped_over_replicates_and_traced_it_is_one_at_a_time(net: str) -> None:
    several = [Setting(net, seed=r) for r in range(3)]
    first = several[0]

    def step(parameters: Tensors, x: Tensor, targets: Tensor, weights: Tensors) -> tuple[Tensors, Tensors, Tensor]:
        def loss(logits: Tensor) -> Tensor:
            return first.loss.value(logits, targets)

        samples, value = sample_gradients(first.network, first.module, loss, parameters, x)
        return samples.norms(), samples.mean(weights), value

    given_ = [(s.parameters, s.x, s.targets, s.weights) for s in several]
    stacked = tree_map(lambda *t: torch.stack(t), *given_)
    for take in (traced(step, stacked), vmap(step)):
        norms, mean, value = take(*stacked)
        for r, (own_norms, own_mean, own_value) in enumerate(step(*one) for one in given_):
            assert_close({key: n[r] for key, n in norms.items()}, own_norms)
            assert_close({key: g[r] for key, g in mean.items()}, own_mean)
            torch.testing.assert_close(value[r], own_value)


def products(graph: torch.fx.GraphModule) -> int:
    return sum("bmm" in str(node.target) or "mm." in str(node.target) for node in graph.graph.nodes)


def test_a_traced_step_passes_once_forward_and_once_backward() -> None:
    """Products of two layers: two forward, one slope, one mean of each weight."""
    module = nn.Sequential(nn.Linear(INPUTS, 7), nn.Tanh(), nn.Linear(7, CLASSES))

    def network(parameters: Tensors, x: Tensor) -> Tensor:
        return functional_call(module, parameters, (x,))

    def step(parameters: Tensors, x: Tensor) -> tuple[Tensors, Tensors]:
        samples, _ = sample_gradients(network, module, lambda z: z.square().mean(), parameters, x)
        return samples.norms(), samples.mean(samples.norms())

    parameters = {key: torch.randn(2, *p.shape) for key, p in module.named_parameters()}
    assert products(traced(step, (parameters, torch.randn(2, 3, INPUTS)))) == 2 + 1 + 2


class Largest(TorchDispatchMode):
    """The number of entries of the largest tensor that comes out of an operation."""

    def __init__(self) -> None:
        super().__init__()
        self.entries = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        out = func(*args, **(kwargs or {}))
        for t in tree_leaves(out):
            self.entries = max(self.entries, t.numel() if isinstance(t, Tensor) else 0)
        return out


@pytest.mark.parametrize("positions", [1, 4])
def test_no_tensor_of_batch_times_parameters_is_made(positions: int) -> None:
    """The largest is one weight, not eight of them."""
    module = nn.Linear(50, 40)
    parameters = {key: p.detach() for key, p in module.named_parameters()}
    x = torch.randn(8, positions, 50)
    with Largest() as largest:
        samples, _ = sample_gradients(
            lambda p, x: functional_call(module, p, (x,)), module, lambda z: z.square().mean(), parameters, x
        )
        samples.mean(samples.norms())
    assert largest.entries == 40 * 50


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_one_sample_that_is_not_finite_stays_visible_and_alone(net: str, value: float) -> None:
    s = Setting(net)
    s.x[2] = value
    samples, loss = s.found()
    finite = torch.stack([n.isfinite() for n in samples.norms().values()]).all(0)
    assert finite.tolist() == [True, True, False, True, True]
    assert not loss.isfinite()
    assert not all(bool(g.isfinite().all()) for g in samples.mean(None).values())


def test_precision_is_kept() -> None:
    s = Setting("recurrent")
    s.parameters = {key: p.double() for key, p in s.parameters.items()}
    s.x, s.targets = s.x.double(), s.targets.double()
    samples, value = s.found()
    every = [*samples.norms().values(), *samples.mean(None).values(), value]
    assert {t.dtype for t in every} == {torch.float64}


def hooks(module: nn.Module) -> int:
    return sum(len(m._forward_hooks) for m in module.modules())


def test_no_hook_is_left_behind() -> None:
    s = Setting("deep")
    s.found()
    assert hooks(s.module) == 0
    s.targets = s.targets[:2]
    with pytest.raises(RuntimeError):
        s.found()
    assert hooks(s.module) == 0


@pytest.mark.usefixtures("global_randomness_untouched")
def test_nothing_is_changed_and_nothing_drawn() -> None:
    s = Setting("recurrent")
    copies = {key: p.clone() for key, p in s.parameters.items()}
    x = s.x.clone()
    first, second = s.found(), s.found()
    assert all(torch.equal(a, b) for a, b in zip(first[0].norms().values(), second[0].norms().values(), strict=True))
    assert torch.equal(s.x, x)
    assert all(torch.equal(s.parameters[key], copies[key]) for key in copies)


class Convolution(nn.Module):
    """A net with parameters that no linear layer has."""

    def __init__(self) -> None:
        super().__init__()
        self.filter, self.last = nn.Conv1d(1, 2, 3), nn.Linear(20, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.filter(x[:, None]).flatten(1))


class Idle(Deep):
    """A net with a layer that takes no part."""

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.relu(self.first(x))[:, :5])


class Sideways(nn.Module):
    """A net with a layer whose rows are not samples."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(5, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(x.T)


class Doubled(nn.Linear):
    """A layer that is not linear in its weight alone."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * super().forward(x)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (Convolution(), r"linear layers that take part. Got filter.weight, filter.bias besides, in a Convolution\."),
        (Idle(), r"linear layers that take part. Got second.weight besides, in a Idle\."),
        (Sideways(), r"Layer 'mix' must see one of 5 samples a row. Got \[12, 5\] instead\."),
        (Doubled(INPUTS, CLASSES), r"linear layers that take part. Got weight, bias besides, in a Doubled\."),
    ],
)
def test_what_it_does_not_know_is_refused(module: nn.Module, message: str) -> None:
    s = Setting("deep")
    s.module, s.parameters = module, {key: p.detach() for key, p in module.named_parameters()}
    with pytest.raises(ValueError, match=message):
        sample_gradients(s.network, module, lambda z: z.square().mean(), s.parameters, s.x)
    assert hooks(module) == 0
