"""The recurrent network against torch.nn.RNN."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.func import functional_call, grad
from torch.nn import functional as F

from study.models import sites
from study.models.row_rnn import RowRNN


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Torchs(nn.Module):
    """torch's RNN over the rows, its second bias zero, and a linear layer on the last state."""

    def __init__(self, units: int, activation: str, parameters: dict[str, Tensor]) -> None:
        super().__init__()
        self.rnn = nn.RNN(28, units, nonlinearity=activation, batch_first=True)
        self.output = nn.Linear(units, 10)
        theirs = (self.rnn.weight_ih_l0, self.rnn.bias_ih_l0, self.rnn.weight_hh_l0, *self.output.parameters())
        with torch.no_grad():
            self.rnn.bias_hh_l0.zero_()
            for p, q in zip(theirs, parameters.values(), strict=True):
                p.copy_(q)
        self.in_our_order = theirs

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.rnn(x.view(-1, 28, 28))[0][:, -1])


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@given(units=st.integers(1, 40), batch=st.integers(1, 6), seed=st.integers(0, 99))
@settings(max_examples=8)
def test_logits_and_gradients_are_those_of_torchs_rnn(activation: str, units: int, batch: int, seed: int) -> None:
    model = RowRNN(units=units, activation=activation)
    module = model.build(784, 10)
    parameters = model.initialise(module, random(seed))
    oracle = Torchs(units, activation, parameters)
    x, labels = torch.randn(batch, 784, generator=random(seed + 1)), torch.arange(batch)
    torch.testing.assert_close(functional_call(module, parameters, (x,)), oracle(x), rtol=1e-4, atol=1e-5)
    gradient = grad(lambda p: F.cross_entropy(functional_call(module, p, (x,)), labels))(parameters)
    F.cross_entropy(oracle(x), labels).backward()
    for ours, theirs in zip(gradient.values(), oracle.in_our_order, strict=True):
        torch.testing.assert_close(ours, theirs.grad, rtol=1e-3, atol=1e-5)


def test_the_first_rows_are_the_furthest_from_the_loss() -> None:
    """With small recurrent weights the last row alone counts: what clipping and vanishing gradients are about."""
    model = RowRNN(units=20, init={"name": "normal", "std": 0.02})
    module = model.build(784, 10)
    parameters = model.initialise(module, random())
    slope = grad(lambda x: functional_call(module, parameters, (x,)).square().sum())(torch.randn(3, 784))
    by_row = slope.view(3, 28, 28).norm(dim=(0, 2))
    assert by_row[0] < 1e-6 * by_row[-1]


def test_the_only_hidden_site_is_the_last_state() -> None:
    module = RowRNN(units=6).build(784, 10)
    RowRNN(units=6).initialise(module, random())
    assert list(sites(module, 5, 784).items()) == [("input", (5, 784)), ("hidden0", (5, 6))]


def test_there_is_one_bias_for_the_state() -> None:
    assert [name for name, _ in RowRNN(units=3).build(784, 10).named_parameters()] == [
        "inputs.weight", "inputs.bias", "recurrent.weight", "output.weight", "output.bias"
    ]  # fmt: skip
