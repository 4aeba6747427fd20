"""Digits are dealt to clients as each split says: equally many, none twice, with the labels it promises."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from study.workloads.client_splits import ClientSplit, Dirichlet, Shards

SPLITS: list[Any] = [
    "iid",
    "shards",
    {"name": "shards", "per_client": 3},
    "dirichlet",
    {"name": "dirichlet", "alpha": 1e-6},
]


@pytest.mark.parametrize("entry", SPLITS, ids=str)
@given(
    labels=st.lists(st.integers(0, 4), min_size=1, max_size=120), clients=st.integers(1, 12), seed=st.integers(0, 2**31)
)
def test_clients_get_equally_many_digits_and_none_twice(entry: Any, labels: list[int], clients: int, seed: int) -> None:
    split = ClientSplit.parse(entry)
    dealt = split.deal(torch.tensor(labels), clients, np.random.default_rng(seed))
    assert dealt.shape == (clients, split.size(len(labels), clients))
    assert len(dealt.unique()) == dealt.numel()
    assert not dealt.numel() or (int(dealt.min()) >= 0 and int(dealt.max()) < len(labels))
    again = split.deal(torch.tensor(labels), clients, np.random.default_rng(seed))
    assert torch.equal(dealt, again)


BALANCED = torch.arange(10).repeat(100)


def labels_of(split: ClientSplit, clients: int, seed: int = 0) -> torch.Tensor:
    """How many digits of each label each client has, [K, 10]."""
    dealt = split.deal(BALANCED, clients, np.random.default_rng(seed))
    return torch.stack([torch.bincount(BALANCED[own], minlength=10) for own in dealt])


def test_a_client_of_two_shards_has_two_labels_at_most() -> None:
    counts = labels_of(Shards(), 50)
    assert int((counts > 0).sum(1).max()) == 2
    assert counts.sum(0).tolist() == [100] * 10


def test_all_shards_to_one_client_are_all_digits() -> None:
    assert labels_of(Shards(per_client=4), 1).tolist() == [[100] * 10]


@pytest.mark.parametrize("alpha", [0.3, 3.0, 100.0])
def test_the_mixes_of_a_dirichlet_split_vary_as_the_distribution_does(alpha: float) -> None:
    """Of the first clients, before a label runs out: variance p (1 - p) / (alpha + 1), and that of drawing n digits."""
    many = torch.arange(10).repeat(2_000)
    n, seen = 100, []
    for seed in range(60):
        dealt = Dirichlet(alpha=alpha).deal(many, len(many) // n, np.random.default_rng(seed))[:4]
        seen += [torch.bincount(many[own], minlength=10) / n for own in dealt]
    shares, mixed = torch.stack(seen).double(), 0.09 / (alpha + 1)
    expected = mixed + (0.09 - mixed) / n
    assert float(shares.var(0, unbiased=True).mean()) == pytest.approx(expected, rel=0.15)
    assert shares.mean(0).numpy() == pytest.approx(np.full(10, 0.1), abs=0.05)
