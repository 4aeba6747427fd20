"""Laws of the split, for any sizes, shares and seeds: disjoint, stratified, repeatable, noisy as asked."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from study.data import DataError, Digits, split

SEEDS = st.integers(0, 2**63 - 1)


@st.composite
def cases(draw):
    """A small data set with classes of unequal size, and sizes of a split that fit it."""
    counts = draw(st.lists(st.integers(4, 30), min_size=10, max_size=10))
    labels = torch.repeat_interleave(torch.arange(10), torch.tensor(counts))
    labels = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(draw(st.integers(0, 99))))]
    validation_size = draw(st.integers(10, len(labels) - 10))
    train_size = draw(st.none() | st.integers(10, len(labels) - validation_size))
    return digits(labels), train_size, validation_size


def digits(labels: torch.Tensor) -> Digits:
    images = torch.zeros(len(labels), 784, dtype=torch.uint8)
    return Digits("tiny", images, labels, images[:5], labels[:5], mean=0.1, std=0.3)


DATA = digits(torch.arange(1000) % 10)


def tiny_split(data=DATA, train_size=None, validation_size=100, label_noise=0.0, split_seed=0, noise_seed=0):
    return split(
        data,
        train_size=train_size,
        validation_size=validation_size,
        label_noise=label_noise,
        split_seed=split_seed,
        noise_seed=noise_seed,
    )


@given(cases(), SEEDS)
def test_train_and_validation_are_disjoint_and_of_the_sizes_asked_for(case, seed):
    data, train_size, validation_size = case
    s = tiny_split(data, train_size, validation_size, split_seed=seed)
    N = len(data.train_labels)
    rows = torch.cat([s.train, s.validation])
    assert len(rows.unique()) == len(rows)
    assert 0 <= rows.min() <= rows.max() < N
    assert len(s.validation) == validation_size
    assert len(s.train) == len(s.labels) == (N - validation_size if train_size is None else train_size)
    assert s.train.dtype == s.validation.dtype == s.labels.dtype == torch.int64


@given(cases(), SEEDS)
def test_each_class_has_its_share_within_one(case, seed):
    data, train_size, validation_size = case
    s = tiny_split(data, train_size, validation_size, split_seed=seed)
    there = torch.bincount(data.train_labels, minlength=10)
    for rows, source in ((s.train, there), (s.validation, there - counts(data, s.train))):
        share = source / source.sum() * len(rows)
        assert (counts(data, rows) - share).abs().max() < 1 + 1e-4


def counts(data: Digits, rows: torch.Tensor) -> torch.Tensor:
    return torch.bincount(data.train_labels[rows], minlength=10)


@given(st.floats(0, 1), st.integers(10, 900), SEEDS)
def test_noise_changes_exactly_its_share_of_training_labels_and_always_the_class(share, train_size, seed):
    before = DATA.train_labels.clone(), DATA.test_labels.clone()
    s = tiny_split(train_size=train_size, label_noise=share, noise_seed=seed)
    clean = DATA.train_labels[s.train]
    assert torch.equal(s.labels != clean, s.noisy)
    assert int(s.noisy.sum()) == round(share * train_size)
    assert 0 <= s.labels.min() <= s.labels.max() < 10
    assert torch.equal(DATA.train_labels, before[0])
    assert torch.equal(DATA.test_labels, before[1])


def test_noise_takes_each_other_class_equally_often():
    data = digits(torch.arange(40_000) % 10)
    s = tiny_split(data, validation_size=10_000, label_noise=1.0, noise_seed=3)
    shift = (s.labels - data.train_labels[s.train]) % 10
    observed = torch.bincount(shift, minlength=10)
    assert observed[0] == 0
    chi_squared = float(((observed[1:] - 30_000 / 9) ** 2 / (30_000 / 9)).sum())
    assert chi_squared < 26.1  # the 99.9 % quantile at 8 degrees of freedom


@settings(max_examples=30)
@given(SEEDS, SEEDS, SEEDS)
def test_the_same_seeds_give_the_same_split_and_each_seed_moves_only_its_own_part(seed, noise, other):
    first = tiny_split(label_noise=0.2, split_seed=seed, noise_seed=noise)
    again = tiny_split(label_noise=0.2, split_seed=seed, noise_seed=noise)
    for field in ("train", "validation", "labels", "noisy"):
        assert torch.equal(getattr(first, field), getattr(again, field))
    assert torch.equal(tiny_split(label_noise=0.9, split_seed=seed, noise_seed=other).train, first.train)
    assert torch.equal(tiny_split(label_noise=0.2, split_seed=other, noise_seed=noise).noisy, first.noisy)


def test_other_seeds_give_other_splits_and_other_noise():
    first, other = tiny_split(label_noise=0.2), tiny_split(label_noise=0.2, split_seed=1, noise_seed=1)
    assert not torch.equal(first.train, other.train)
    assert not torch.equal(first.noisy, other.noisy)


@given(st.floats(0, 1), st.floats(0, 1), SEEDS)
def test_less_noise_is_a_part_of_more_noise(one, two, seed):
    less, more = (tiny_split(label_noise=share, noise_seed=seed) for share in sorted((one, two)))
    assert torch.equal(less.labels[less.noisy], more.labels[less.noisy])


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"train_size": 901},
            "'train_size' parameter of data 'tiny' must be at most 900 "
            "(1000 training images less 100 for validation). Got 901 instead.",
        ),
        (
            {"train_size": 9},
            "'train_size' parameter of data 'tiny' must be at least 10 (one a class). Got 9 instead.",
        ),
        (
            {"validation_size": 991},
            "'validation_size' parameter of data 'tiny' must be an integer from 10 (one a class) to 990. "
            "Got 991 instead.",
        ),
        (
            {"validation_size": 0},
            "'validation_size' parameter of data 'tiny' must be an integer from 10 (one a class) to 990. "
            "Got 0 instead.",
        ),
        (
            {"label_noise": 1.5},
            "'label_noise' parameter of data 'tiny' must be a share in [0, 1]. Got 1.5 instead.",
        ),
        (
            {"label_noise": float("nan")},
            "'label_noise' parameter of data 'tiny' must be a share in [0, 1]. Got nan instead.",
        ),
    ],
)
def test_what_does_not_fit_is_told_in_one_form(asked, message):
    with pytest.raises(DataError) as error:
        tiny_split(**asked)
    assert str(error.value) == f"The {message}"


@given(case=cases(), seed=SEEDS)
@settings(max_examples=100)
def test_the_rows_are_those_that_scikit_learn_draws(case, seed):
    data, train_size, validation_size = case
    found = tiny_split(data, train_size, validation_size, split_seed=seed)
    train, validation = train_test_split(
        np.arange(len(data.train_labels)),
        train_size=len(found.train),
        test_size=validation_size,
        stratify=data.train_labels.numpy(),
        random_state=seed % 2**32,
    )
    assert np.array_equal(np.sort(train), found.train.numpy())
    assert np.array_equal(np.sort(validation), found.validation.numpy())
