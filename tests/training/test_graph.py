"""A traced step gives the bits of the untraced one, and does nothing twice."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
from cases import CLIP_MODES, Make, variant
from torch import Tensor
from torch.func import vmap
from torch.utils import _pytree as pytree

from study.optim.tensors import one_hot
from study.training.graph import traced
from study.training.step import Chain

pytestmark = pytest.mark.slow


def operations(graph: Any) -> Counter[Any]:
    return Counter(node.target for node in graph.graph.nodes if node.op == "call_function")


def same(step: Callable[..., Any], *inputs: Any) -> Any:
    """The graph, after its results have been compared with the untraced ones, on inputs it was not traced with."""
    others = pytree.tree_map(lambda t: torch.randn_like(t), inputs)
    graph = traced(step, inputs)
    for ours, theirs in zip(pytree.tree_leaves(graph(*others)), pytree.tree_leaves(vmap(step)(*others)), strict=True):
        assert torch.equal(ours, theirs)
    return graph


def test_what_stands_twice_is_computed_once() -> None:
    graph = same(
        lambda x: (torch.linalg.vector_norm(x, 2.0) + 1, 3 * torch.linalg.vector_norm(x, 2.0)), torch.randn(3, 5)
    )
    assert operations(graph)[torch.linalg.vector_norm] == 1


def test_what_depends_on_no_input_is_computed_beforehand() -> None:
    graph = same(lambda x: x * torch.tensor([1.0, 2.0, 4.0]).sum(), torch.randn(3, 5))
    assert set(operations(graph)) == {torch.mul}


def test_what_depends_on_the_form_of_an_input_alone_is_computed_beforehand() -> None:
    graph = same(lambda x: x * (torch.ones_like(x) / x.numel()), torch.randn(3, 5))
    assert set(operations(graph)) == {torch.mul}
    graph = same(lambda x: x + torch.ones_like(x.mT).mT.cumsum(1), torch.randn(3, 5, 2))
    assert set(operations(graph)) == {torch.add}


def test_transpositions_that_undo_each_other_are_left_out() -> None:
    graph = same(lambda x: torch.relu(x.mT.mT), torch.randn(3, 5, 2))
    assert set(operations(graph)) == {torch.relu}
    graph = same(lambda x: x.transpose(0, 1).transpose(1, 2).contiguous(), torch.randn(3, 5, 2, 4))
    assert operations(graph)[torch.transpose] == 2


def test_views_that_change_nothing_are_left_out() -> None:
    graph = same(lambda x: torch.relu(x.view(5, 2).expand(5, 2)), torch.randn(3, 5, 2))
    assert set(operations(graph)) == {torch.relu}


def test_a_view_that_changes_the_layout_stays() -> None:
    graph = same(lambda x: x.mT.contiguous().view(5, 2), torch.randn(3, 5, 2))
    assert graph(torch.arange(30.0).view(3, 5, 2)).shape == (3, 5, 2)


def test_the_sign_of_zero_and_the_type_of_a_number_are_kept_apart() -> None:
    same(lambda x: (1 / (x * 0.0), 1 / (x * -0.0)), torch.rand(3, 5) + 1)
    same(lambda x: (x * 2, x * 2.0), torch.randn(3, 5))


def test_a_step_that_changes_something_in_place_is_left_as_it_is() -> None:
    """Two equal tensors of which one is changed are not one."""

    def step(x: Tensor) -> tuple[Tensor, Tensor]:
        a, b = torch.zeros_like(x), torch.zeros_like(x)
        return a.add_(x), b - x

    graph = traced(step, (torch.randn(3, 5),))
    x = torch.randn(3, 5)
    first, second = graph(x)
    assert torch.equal(first, x)
    assert torch.equal(second, -x)


@pytest.mark.parametrize("make", CLIP_MODES.values(), ids=CLIP_MODES)
def test_a_step_under_every_clip_is_traced_to_the_bit(make: Make) -> None:
    v = variant(clip=make(0.05))
    module = v.model.build(784, 10)
    each = [v.model.initialise(module, torch.Generator().manual_seed(seed)) for seed in range(2)]
    chain = Chain(v, module)
    parameters = {key: torch.stack([one[key] for one in each]) for key in each[0]}
    memory = pytree.tree_map(lambda *t: torch.stack(t), *[chain.initial_memory(one) for one in each])
    x, targets = torch.randn(2, 9, 784), one_hot(torch.randint(0, 10, (2, 9)), 10)
    inputs = (parameters, memory, x, targets, {})
    ours, theirs = traced(chain.gradient_step, inputs)(*inputs), vmap(chain.gradient_step)(*inputs)
    for a, b in zip(pytree.tree_leaves(ours), pytree.tree_leaves(theirs), strict=True):
        assert torch.equal(a, b)


def test_a_gradient_shares_its_norms_with_the_clip() -> None:
    """The measured norms are those that the clip asks for: one pass over each tensor."""
    v = variant(clip={"name": "global_norm", "max_norm": 0.1}, model={"name": "mlp", "hidden": [16]})
    module = v.model.build(784, 10)
    one = v.model.initialise(module, torch.Generator().manual_seed(0))
    chain = Chain(v, module)
    stacked = {key: torch.stack([p, p]) for key, p in one.items()}
    inputs = (stacked, {"clip": {}, "none": {}}, torch.randn(2, 9, 784), torch.rand(2, 9, 10), {})
    graph = traced(chain.gradient_step, inputs)
    assert operations(graph)[torch.linalg.vector_norm] == len(one) + 1  # each tensor, and the whole
