"""The penalties as formulas in plain Python, and what ties them together."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from study.regularization import Regularization
from study.regularization.elastic_net import ElasticNet
from study.regularization.l1 import L1
from study.regularization.l2 import L2
from study.regularization.sum_of_norms import SumOfNorms

Tensors = dict[str, Tensor]
STRENGTHS = st.floats(0.0, 10.0)


@st.composite
def parameters(draw: st.DrawFn) -> Tensors:
    numbers = st.lists(st.floats(-100, 100, width=32), min_size=6, max_size=6)
    values = [torch.tensor(draw(numbers), dtype=torch.float64) for _ in range(2)]
    return {
        "layers.0.weight": values[0].view(2, 3),
        "layers.0.bias": values[1][:2],
        "layers.1.weight": values[1][2:, None],
    }


def entries(w: Tensors, biases: bool) -> list[list[float]]:
    return [t.flatten().tolist() for key, t in w.items() if biases or not key.endswith("bias")]


def assert_penalty(method: Regularization, w: Tensors, expected: float) -> None:
    assert float(method.penalty(w)) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(w=parameters(), s=STRENGTHS, biases=st.booleans())
def test_formulas(w: Tensors, s: float, biases: bool) -> None:
    groups = entries(w, biases)
    absolute = sum(abs(x) for group in groups for x in group)
    square = sum(x * x for group in groups for x in group)
    assert_penalty(L1(strength=s, biases=biases), w, s * absolute)
    assert_penalty(L2(strength=s, biases=biases), w, s / 2 * square)
    assert_penalty(SumOfNorms(strength=s, biases=biases), w, s * sum(math.hypot(*group) for group in groups))


@given(w=parameters(), s=STRENGTHS, l1=STRENGTHS, l2=STRENGTHS)
def test_elastic_net_is_the_tutorials(w: Tensors, s: float, l1: float, l2: float) -> None:
    """lambda J2 with J2 = 1/2 sum(lambda1 |w| + lambda2 w^2)."""
    slow = s * 0.5 * sum(l1 * abs(x) + l2 * x * x for group in entries(w, False) for x in group)
    assert_penalty(ElasticNet(strength=s, lambda1=l1, lambda2=l2), w, slow)


@given(w=parameters(), s=STRENGTHS, biases=st.booleans())
def test_elastic_net_has_l1_and_l2_as_special_cases(w: Tensors, s: float, biases: bool) -> None:
    only_l1 = ElasticNet(lambda1=2 * s, lambda2=0, biases=biases)
    only_l2 = ElasticNet(lambda1=0, lambda2=s, biases=biases)
    assert_penalty(only_l1, w, float(L1(strength=s, biases=biases).penalty(w)))
    assert_penalty(only_l2, w, float(L2(strength=s, biases=biases).penalty(w)))


def test_biases_are_counted_by_the_tutorials_code_alone() -> None:
    w = {"layers.0.weight": torch.zeros(2, 2), "layers.0.bias": torch.ones(2)}
    assert SumOfNorms(strength=1).penalty(w) > 0
    for method in (L1(strength=1), L2(strength=1), ElasticNet(lambda1=1, lambda2=1)):
        assert method.penalty(w) == 0
