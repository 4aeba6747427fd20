"""Each operator of the table gives what torch's gives."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from study.training.lowering import UnknownOperatorError, lowered
from study.training.operators import PAIRS, POINTWISE

pytestmark = pytest.mark.slow

PLACE = torch.tensor([[1]])
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "norms": lambda x, y: [torch.linalg.vector_norm(x, o) for o in (1.0, 2.0, torch.inf, -torch.inf, 0.0, 3.0)],
    "norms of rows": lambda x, y: [torch.linalg.vector_norm(x, 2.0, dim=1, keepdim=True)],
    "clamp": lambda x, y: [x.clamp(-0.3, 0.7), x.clamp(max=0.2), torch.clamp(x, -y.abs(), y.abs())],
    "products": lambda x, y: [x @ y.mT, torch.addmm(x[:, :4], x, y.mT), torch.bmm(x[None], y.mT[None])],
    "sums": lambda x, y: [x.sum(), x.sum(0), x.mean(1, keepdim=True), x.amax(1), x.amin(), x.cumsum(0)],
    "shapes": lambda x, y: [x.T.reshape(-1), x.flip(0), torch.cat([x, y]), torch.stack([x, y], 1), x[1:, ::2], x[0]],
    "padding": lambda x, y: [torch.nn.functional.pad(x, (1, 2, 0, 3), value=0.5), x.unsqueeze(1).expand(4, 2, 5)],
    "indices": lambda x, y: [x.gather(1, torch.tensor([[0], [1], [2], [3]])), x.index_select(0, torch.tensor([2, 0]))],
    "scatter": lambda x, y: [x.scatter(1, torch.tensor([[0], [1], [2], [3]]), y), x.scatter(0, PLACE, 2.5)],
    "choices": lambda x, y: [torch.where(x > y, x, 0.5), torch.minimum(x, y), torch.maximum(x, y), x.sort(1)[0]],
    "softmax": lambda x, y: [x.softmax(-1), x.log_softmax(-1), torch.logsumexp(x, 1)],
    "decomposed": lambda x, y: [torch.lerp(x, y, 0.3), torch.addcmul(x, x, y, value=0.4), torch.nn.functional.gelu(x)],
    "of other types": lambda x, y: [(x > 0).sum(), (x > 0).float().mean(), x.to(torch.float64) / 3, (x > 0) & (y > 0)],
    "statistics": lambda x, y: [x.var(0), x.std(1, correction=0), torch.nn.functional.layer_norm(x, (5,))],
    "numbers": lambda x, y: [torch.add(x, y, alpha=0.3), torch.sub(x, 0.7), 2.5 - x, x**2, x.abs() ** 0.55, 1.7 / x],
    "made": lambda x, y: [torch.full((3,), 0.7), torch.arange(5) + x, torch.ones_like(x), x.new_zeros(2, 2)],
}  # fmt: skip
FUNCTIONS |= {name: lambda x, y, f=f: [f(x)] for name in POINTWISE if (f := getattr(torch, name))}
FUNCTIONS |= {f"{name} of two": lambda x, y, f=f: [f(x, y)] for name in PAIRS if (f := getattr(torch, name))}
BITWISE = {name for name in FUNCTIONS if "bitwise" in name}
# XLA takes subnormal numbers for 0.
ARRAYS = st.lists(st.floats(-3, 3, width=32, allow_subnormal=False), min_size=40, max_size=40)


def compared(function: Callable[..., Any], x: Tensor, y: Tensor) -> None:
    low = lowered(lambda *both: list(function(*both)), [x, y])
    with jax.enable_x64(True):
        found = low(
            [x.numpy(), y.numpy()], jax.numpy.asarray(low.numbers), low.tensors, len(low.results), np.bool_(True)
        )
        for ours, theirs in zip(found, function(x, y), strict=True):
            assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
            np.testing.assert_allclose(np.asarray(ours), theirs.numpy(), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", FUNCTIONS)
@given(numbers=ARRAYS)
@settings(max_examples=3, deadline=None)
def test_it_is_torchs(name: str, numbers: list[float]) -> None:
    x, y = torch.tensor(numbers).reshape(2, 4, 5).unbind()
    x, y = (x > 0, y > 0) if name in BITWISE else (x, y)
    compared(FUNCTIONS[name], x, torch.where(y == 0, 1.0, y) if name in {"remainder of two", "fmod of two"} else y)


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf, 0.0, -0.0])
@pytest.mark.parametrize("name", ["sign", "relu", "abs", "isnan", "isinf", "neg", "clamp", "norms"])
def test_what_is_no_number_goes_through_as_in_torch(name: str, value: float) -> None:
    compared(FUNCTIONS[name], torch.full((4, 5), value), torch.ones(4, 5))


def test_numbers_of_a_graph_are_inputs_and_may_change() -> None:
    low = lowered(lambda x: [x * 0.3 + 0.7], [torch.ones(2)])
    np.testing.assert_allclose(low.numbers, [0.3, 0.7])
    with jax.enable_x64(True):
        (found,) = low([np.ones(2, np.float32)], jax.numpy.array([2.0, 5.0]), (), 0, np.bool_(True))
    assert found.tolist() == [7.0, 7.0]


def test_an_unknown_operator_is_named() -> None:
    with pytest.raises(UnknownOperatorError, match="bessel_j0"):
        lowered(lambda x: [torch.special.bessel_j0(x)], [torch.ones(2)])
