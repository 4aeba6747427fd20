"""Dropout keeps the mean, drops at its rate, and needs numbers only where it acts."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from study.optim.rng import Distribution
from study.regularization.dropout import Dropout

SITES = {"input": (64, 784), "hidden0": (64, 128), "hidden1": (64, 32)}


def applied(p: float, size: int = 50_000, seed: int = 0) -> torch.Tensor:
    """What dropout makes of ones."""
    noise = torch.rand(size, generator=torch.Generator().manual_seed(seed))
    return Dropout(p=p).activation("hidden0", torch.ones(size), {"hidden0": noise})


@given(p=st.floats(0.0, 0.95), seed=st.integers(0, 100))
@settings(max_examples=30)
def test_mean_and_rate_are_kept(p: float, seed: int) -> None:
    """Mean of n kept-or-dropped ones: 1 with standard error sqrt(p / (1 - p) / n); six of them are allowed."""
    h = applied(p, seed=seed)
    error = (p / (1 - p) / h.numel()) ** 0.5
    assert float(h.mean()) == pytest.approx(1, abs=6 * error + 1e-6)
    assert float((h == 0).float().mean()) == pytest.approx(p, abs=6 * (p * (1 - p) / h.numel()) ** 0.5 + 1e-9)
    assert all(x in (0.0, pytest.approx(1 / (1 - p))) for x in h.unique().tolist())


def test_is_the_identity_at_rate_zero() -> None:
    h = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    assert Dropout(p=0).activation("hidden0", h, {}) is h
    assert Dropout(p=0).noise(SITES, {}) == {}


def test_needs_numbers_only_where_it_acts() -> None:
    assert set(Dropout(p=0.5).noise(SITES, {})) == {"hidden0", "hidden1"}
    assert Dropout(p=0, input_p=0.2).noise(SITES, {}) == {"input": Distribution((64, 784))}
    assert Dropout(p=0.5, input_p=0.2).noise(SITES, {}) == {site: Distribution(shape) for site, shape in SITES.items()}


def test_a_stronger_dropout_drops_what_a_weaker_one_drops_and_more() -> None:
    """Common random numbers: variants that differ in p alone differ as little as they can."""
    weak, strong = applied(0.2) == 0, applied(0.5) == 0
    assert (strong | ~weak).all()
    assert strong.sum() > weak.sum()
