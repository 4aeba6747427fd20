"""Training and validation subsets, stratified by class, and wrong labels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from study.data.digits import Digits
from study.data.idx import DataError
from study.utils.lazy import torch


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Training images to learn from, those that validate, and the labels that are learned.

    train: int64 [T] and validation: int64 [V], ascending rows of `Digits.train_images`, disjoint.
    labels: int64 [T], the labels to train on, in the order of `train`, noise included;
    those of validation stay `digits.train_labels[validation]`.
    noisy: bool [T], true where the label was replaced.
    """

    train: torch.Tensor
    validation: torch.Tensor
    labels: torch.Tensor
    noisy: torch.Tensor


def split(
    digits: Digits,
    *,
    train_size: int | None,
    validation_size: int,
    label_noise: float,
    split_seed: int,
    noise_seed: int,
) -> Split:
    """Stratified split of the N training images into T = `train_size` and V = `validation_size`.

    train_size: None takes all that validation leaves.
    label_noise: share in [0, 1]; round(share * T) training labels become another class, drawn uniformly.
    split_seed, noise_seed: integers from 0. The split depends on the first alone. Which positions get a
    wrong label, and by how many classes it is shifted, depends on the second and T alone; those replaced at a
    lower share are among those replaced at a higher one.
    Raises DataError if the sizes do not fit N or leave a class out, or the share is outside [0, 1].
    """
    T = _sizes_checked(digits, train_size, validation_size)
    if not 0 <= label_noise <= 1:
        raise _wrong("label_noise", digits, "a share in [0, 1]", label_noise)
    train, validation = stratified(digits.train_labels, T, validation_size, split_seed)
    labels, noisy = with_wrong_labels(digits.train_labels[train], label_noise, digits.classes, noise_seed)
    return Split(train, validation, labels, noisy)


def with_wrong_labels(labels: torch.Tensor, share: float, classes: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Labels [T] of which round(share * T) became another class, drawn uniformly; and which did, bool [T].

    Which positions, and by how many classes the label is shifted, depends on the seed and T alone.
    """
    noisy, shift = _noise(len(labels), share, classes, seed)
    return (labels + shift) % classes, noisy


def fold_of(whole: Split, folds: int, fold: int, seed: int) -> Split:
    """Fold `fold` of `folds` of the T training images of a split: it validates, the others are learned from.

    Where T is no multiple of `folds` all parts are cut to the size of the smallest, so that folds can be stacked.
    The labels, and which of them are wrong, are those of the whole.
    """
    from sklearn.model_selection import KFold  # takes most of a second, and only cross-validation needs it

    T = len(whole.train)
    parts = list(KFold(folds, shuffle=True, random_state=seed % 2**32).split(np.arange(T)))
    learned, held_out = (torch.from_numpy(rows) for rows in parts[fold])
    learned, held_out = learned[: T - math.ceil(T / folds)], held_out[: T // folds]
    return Split(whole.train[learned], whole.train[held_out], whole.labels[learned], whole.noisy[learned])


def _sizes_checked(digits: Digits, train_size: int | None, validation_size: int) -> int:
    """T, once both sizes are known to hold every class and to fit the images that are there."""
    N, K = len(digits.train_labels), digits.classes
    if not K <= validation_size <= N - K:
        expected = f"an integer from {K} (one a class) to {N - K}"
        raise _wrong("validation_size", digits, expected, validation_size)
    left = N - validation_size
    T = left if train_size is None else train_size
    if left < T:
        expected = f"at most {left} ({N} training images less {validation_size} for validation)"
        raise _wrong("train_size", digits, expected, T)
    if T < K:
        raise _wrong("train_size", digits, f"at least {K} (one a class)", T)
    return T


def stratified(
    labels: torch.Tensor, train_size: int, validation_size: int, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Disjoint rows, each class with its share of both: those that scikit-learn's `train_test_split` draws.

    It is not called: importing it would take a training job most of a second.
    """
    random = np.random.RandomState(seed % 2**32)
    members = [np.flatnonzero(labels.numpy() == label) for label in range(int(labels.max()) + 1)]
    members = [rows for rows in members if rows.size]
    sizes = np.array([rows.size for rows in members])
    learned = _in_proportion(sizes, train_size, random)
    held_out = _in_proportion(sizes - learned, validation_size, random)
    train, validation = list[NDArray[np.int64]](), list[NDArray[np.int64]]()
    for rows, n, m in zip(members, learned, held_out, strict=True):
        shuffled = rows[random.permutation(rows.size)]
        train.append(shuffled[:n])
        validation.append(shuffled[n : n + m])
    # Ascending rows are read faster; the batch order is drawn elsewhere.
    return torch.from_numpy(np.sort(np.concatenate(train))), torch.from_numpy(np.sort(np.concatenate(validation)))


def _in_proportion(sizes: NDArray[np.int64], total: int, random: np.random.RandomState) -> NDArray[np.int64]:
    """Whole numbers of this total, in proportion to the sizes: the largest remainders are rounded up, ties drawn."""
    exact = sizes / sizes.sum() * total
    shares = np.floor(exact)
    missing, remainders = int(total - shares.sum()), exact - shares
    for remainder in np.unique(remainders)[::-1]:
        if missing <= 0:
            break
        (tied,) = np.nonzero(remainders == remainder)
        raised = random.choice(tied, size=min(tied.size, missing), replace=False)
        shares[raised] += 1
        missing -= raised.size
    return shares.astype(np.int64)


def _noise(size: int, share: float, classes: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Positions replaced, bool [T], and what is added to the label modulo the classes, int64 [T]."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(size)
    shift = rng.integers(1, classes, size)
    noisy = np.zeros(size, np.bool_)
    noisy[order[: round(share * size)]] = True
    return torch.from_numpy(noisy), torch.from_numpy(np.where(noisy, shift, 0))


def _wrong(parameter: str, digits: Digits, expected: str, got: object) -> DataError:
    return DataError(f"The '{parameter}' parameter of data '{digits.name}' must be {expected}. Got {got} instead.")
