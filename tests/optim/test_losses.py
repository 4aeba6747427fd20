"""Losses against torch.nn.functional, with hard and soft targets."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from study.optim.losses import CrossEntropy, SquaredError
from study.optim.tensors import one_hot


def batch(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    return 5 * torch.randn(7, 4, generator=random), torch.randint(0, 4, (7,), generator=random)


@given(st.integers(0, 1000))
def test_cross_entropy(seed: int) -> None:
    logits, labels = batch(seed)
    torch.testing.assert_close(CrossEntropy().value(logits, one_hot(labels, 4)), F.cross_entropy(logits, labels))
    soft = 0.9 * one_hot(labels, 4) + 0.1 / 4
    smoothed = F.cross_entropy(logits, labels, label_smoothing=0.1)
    torch.testing.assert_close(CrossEntropy().value(logits, soft), smoothed)


@given(st.integers(0, 1000))
def test_squared_error(seed: int) -> None:
    """1/2 sum_k (y_k - z_k)^2 of each sample, averaged over the batch."""
    logits, labels = batch(seed)
    rows = zip(logits.tolist(), labels.tolist(), strict=True)
    slow = [0.5 * sum((z - (k == label)) ** 2 for k, z in enumerate(row)) for row, label in rows]
    torch.testing.assert_close(
        SquaredError().value(logits, one_hot(labels, 4)), torch.tensor(sum(slow) / len(slow)), rtol=1e-5, atol=0
    )
