"""Laws of cross-validation: folds are scikit-learn's, cut to one size, and their labels are those of the whole."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import KFold

from study.config.data import Data
from study.config.tuning import trained_on
from study.data import Digits
from study.data.splits import Split, fold_of
from study.optim.rng import stream_seed
from study.training.batches import Batches

SEEDS = st.integers(0, 2**63 - 1)


@st.composite
def wholes(draw: st.DrawFn) -> Split:
    """A split of T training rows, in any ascending order of rows, with some labels wrong."""
    T = draw(st.integers(20, 90))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    rows, labels = rng.permutation(200), torch.from_numpy(rng.integers(0, 10, T))
    train, validation = (torch.from_numpy(np.sort(part)) for part in (rows[:T], rows[T:]))
    return Split(train, validation, labels, torch.from_numpy(rng.random(T) < 0.3))


FOLDS = st.integers(2, 20)


@given(wholes(), FOLDS, SEEDS)
def test_folds_are_scikit_learns_cut_to_the_size_of_the_smallest(whole: Split, folds: int, seed: int) -> None:
    parts = list(KFold(folds, shuffle=True, random_state=seed % 2**32).split(whole.train))
    fewest, least = (min(len(part[i]) for part in parts) for i in (0, 1))
    for fold, (learned, held_out) in enumerate(parts):
        made = fold_of(whole, folds, fold, seed)
        assert torch.equal(made.train, whole.train[learned[:fewest]])
        assert torch.equal(made.validation, whole.train[held_out[:least]])


@given(wholes(), FOLDS, SEEDS)
def test_folds_share_nothing_and_cover_all_but_a_rest_smaller_than_their_number(
    whole: Split, folds: int, seed: int
) -> None:
    T, made = len(whole.train), [fold_of(whole, folds, fold, seed) for fold in range(folds)]
    held_out = torch.cat([part.validation for part in made])
    assert len(held_out.unique()) == len(held_out) == T - T % folds
    assert set(held_out.tolist()) <= set(whole.train.tolist())
    for part in made:
        assert not set(part.train.tolist()) & set(part.validation.tolist())
        assert set(part.train.tolist()) <= set(whole.train.tolist())
        assert len(part.train.unique()) == len(part.train) == trained_on(T, folds)
        assert len(part.validation) == T // folds
        assert T - len(part.train) - len(part.validation) == (T % folds > 0)


@given(wholes(), FOLDS, SEEDS)
def test_labels_and_their_noise_are_those_of_the_whole(whole: Split, folds: int, seed: int) -> None:
    label, noisy = (dict(zip(whole.train.tolist(), t.tolist(), strict=True)) for t in (whole.labels, whole.noisy))
    for fold in range(folds):
        made = fold_of(whole, folds, fold, seed)
        assert [label[row] for row in made.train.tolist()] == made.labels.tolist()
        assert [noisy[row] for row in made.train.tolist()] == made.noisy.tolist()


def test_the_seed_alone_decides_the_folds() -> None:
    rows = torch.arange(100)
    whole = Split(rows, rows + 100, rows % 10, rows > 90)
    first, again, other = (fold_of(whole, 5, 2, seed) for seed in (3, 3, 4))
    assert torch.equal(first.validation, again.validation)
    assert not torch.equal(first.validation, other.validation)


# --- in batches


def prepared(digits: Digits, seeds: list[int], folds: int | None, train_size: int = 103, noise: float = 0.3) -> Batches:
    data = Data(name="mnist-sample", train_size=train_size, validation_size=60, label_noise=noise)
    return Batches.prepare(digits, data, seeds, "cpu", folds)


@pytest.mark.parametrize(("train_size", "folds"), [(100, 5), (103, 5), (109, 10), (101, 2), (20, 20), (21, 20)])
def test_sizes_are_the_same_for_all_folds_and_seeds(digits: Digits, train_size: int, folds: int) -> None:
    batches = prepared(digits, [4, 1, 7], folds, train_size)
    R = 3 * folds
    assert batches.train.shape == batches.train_labels.shape == (R, trained_on(train_size, folds))
    assert batches.validation.shape == batches.validation_labels.shape == (R, train_size // folds)
    assert len(batches.orders) == R


def test_the_folds_of_a_seed_stand_in_a_row_and_part_the_digits_that_it_trains_on(digits: Digits) -> None:
    folded, whole = prepared(digits, [4, 1], 5), prepared(digits, [4, 1], None)
    for s, seed in enumerate((4, 1)):
        split = Split(whole.train[s], whole.validation[s], whole.train_labels[s], torch.zeros(103, dtype=torch.bool))
        for fold in range(5):
            made = fold_of(split, 5, fold, stream_seed(seed, "folds"))
            for mine, theirs in (
                (folded.train, made.train),
                (folded.train_labels, made.labels),
                (folded.validation, made.validation),
            ):
                assert torch.equal(mine[5 * s + fold], theirs)
        held_out = set(folded.validation[5 * s : 5 * s + 5].flatten().tolist())
        assert held_out < set(whole.train[s].tolist())
        assert not held_out & set(whole.validation[s].tolist()), "the digits of the hold-out stay outside"


def test_noise_is_in_the_labels_that_are_learned_alone(digits: Digits) -> None:
    noisy, clean = (prepared(digits, [4, 1], 5, noise=noise) for noise in (0.3, 0.0))
    assert torch.equal(noisy.train, clean.train)
    assert torch.equal(noisy.validation, clean.validation)
    assert torch.equal(noisy.validation_labels, digits.train_labels[noisy.validation])
    assert torch.equal(clean.train_labels, digits.train_labels[clean.train])
    wrong = noisy.train_labels != clean.train_labels
    assert 0.2 < wrong.double().mean() < 0.4


def test_folds_of_a_seed_do_not_depend_on_its_neighbours(digits: Digits) -> None:
    alone, together = prepared(digits, [3], 4), prepared(digits, [8, 3], 4)
    for name in ("train", "train_labels", "validation", "validation_labels"):
        assert torch.equal(getattr(alone, name), getattr(together, name)[4:])
    for _ in range(2):
        mine, theirs = alone.epoch(), together.epoch()
        assert torch.equal(mine[0], theirs[0][4:])
        assert torch.equal(mine[1], theirs[1][4:])


def test_the_folds_of_a_seed_are_met_in_one_order(digits: Digits) -> None:
    batches = prepared(digits, [3, 8], 4)
    rows = batches.epoch()[0]
    positions = [torch.searchsorted(train, met) for train, met in zip(batches.train, rows, strict=True)]
    for fold in range(1, 4):
        assert torch.equal(positions[0], positions[fold])
    assert not torch.equal(positions[0], positions[4])
