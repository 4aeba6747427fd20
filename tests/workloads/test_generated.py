"""Scores of generated digits: against their definitions written out, and scipy."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from scipy.stats import mannwhitneyu
from torch import Tensor

from study.data import Digits
from study.training import digit_features
from study.training.batches import normalised
from study.training.digit_features import Read, digit_classifier
from study.training.generated import auc, density_and_coverage, frechet_distance, scored

SEEDS = st.integers(0, 2**31)


def features(seed: int, rows: int, columns: int = 4) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    spread = torch.rand(columns, columns, generator=random, dtype=torch.float64)
    return torch.randn(rows, columns, generator=random, dtype=torch.float64) @ spread


@settings(max_examples=15)
@given(SEEDS, st.integers(5, 40), st.integers(5, 40))
def test_the_frechet_distance_is_heusels_formula(seed: int, n: int, m: int) -> None:
    a, b = features(seed, n), features(seed + 1, m) + 0.5
    (first, second), (one, other) = ((np.cov(x.T.numpy()) for x in (a, b)), (x.mean(0).numpy() for x in (a, b)))
    wanted = np.square(one - other).sum() + np.trace(first + second - 2 * np.real(sqrtm(first @ second)))
    assert frechet_distance(a, b) == pytest.approx(wanted, rel=1e-6, abs=1e-6)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-8)


def by_definition(real: Tensor, made: Tensor, k: int = 5) -> tuple[float, float]:
    """Equations 3 and 4 of Naeem et al. 2020, one sample after the other."""
    reach = []
    for i, x in enumerate(real):
        others = sorted(math.dist(x, other) for j, other in enumerate(real) if j != i)
        reach.append(others[min(k, len(others)) - 1])
    inside = [[math.dist(x, y) < reach[i] for y in made] for i, x in enumerate(real)]
    density = sum(map(sum, inside)) / (k * len(made))
    return density, sum(map(any, inside)) / len(real)


@settings(max_examples=15)
@given(SEEDS, st.integers(7, 25), st.integers(1, 25))
def test_density_and_coverage_are_naeems_definitions(seed: int, n: int, m: int) -> None:
    real, made = features(seed, n), features(seed + 1, m)
    assert density_and_coverage(real, made) == pytest.approx(by_definition(real, made))
    assert density_and_coverage(real, real.clone())[1] == 1
    assert density_and_coverage(real, made + 1e6) == (0, 0)


@settings(max_examples=30)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=12), st.lists(st.integers(-3, 3), min_size=1, max_size=12))
def test_the_auc_is_mann_and_whitneys(real: list[int], made: list[int]) -> None:
    wanted = mannwhitneyu(real, made).statistic / (len(real) * len(made))
    assert auc(torch.tensor(real).float(), torch.tensor(made).float()) == pytest.approx(wanted)


def test_digits_are_counted() -> None:
    real = Read(features(0, 200), torch.arange(200) % 10)
    made = Read(features(0, 200), torch.tensor([0] * 149 + [1] * 50 + [2]))
    found = scored(real, made)
    assert found.digits_shown == 2  # one of 200 is less than a hundredth
    assert found.digit_distance == pytest.approx((0.745 - 0.1) + (0.25 - 0.1))
    assert found.coverage == 1


def test_samples_that_are_not_finite_have_no_scores() -> None:
    real = Read(features(0, 20), torch.arange(20) % 10)
    broken = Read(torch.full((20, 4), torch.nan).double(), torch.zeros(20, dtype=torch.int64))
    assert all(map(math.isnan, scored(real, broken)))


def test_the_shipped_classifier_reads_digits(digits: Digits) -> None:
    images = normalised(digits.test_images, digits)
    read = digit_classifier().read(images)
    assert read.features.shape == (len(images), digit_features.FEATURES)
    assert float((read.digits == digits.test_labels).double().mean()) > 0.97
    assert 0.5 < float(read.features.std(0).mean()) < 2


def test_a_classifier_of_another_file_is_refused(monkeypatch: Any, tmp_path: Any) -> None:
    other = tmp_path / "digit_classifier.npz"
    other.write_bytes(digit_features.FILE.read_bytes() + b"\0")
    monkeypatch.setattr(digit_features, "FILE", other)
    digit_classifier.cache_clear()
    with pytest.raises(ValueError, match="must have the SHA-256 eb4b29376517"):
        digit_classifier()
    digit_classifier.cache_clear()
