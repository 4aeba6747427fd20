"""Batches of several replicates: each seed's split, labels and batch order, read from one set of images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import Generator, Tensor

from study.config.data import Data
from study.data import Digits, load, split
from study.data.examples import Contents
from study.data.own import load_packed
from study.data.splits import Split, fold_of, with_wrong_labels
from study.optim.rng import generator, stream_seed
from study.optim.tensors import one_hot


@dataclass(frozen=True, eq=False)
class Batches:
    """Images shared by R replicates, with the rows on which each trains and validates.

    images [N, P], test_images [M, P]: float32, normalised; train [R, T], validation [R, V]: rows of images;
    train_labels [R, T] and validation_labels [R, V], noise included; test_labels [M], all right; wrong [R, T]: which
    training labels are wrong.
    """

    images: Tensor
    train: Tensor
    train_labels: Tensor
    wrong: Tensor
    validation: Tensor
    validation_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    classes: int
    orders: tuple[Generator, ...]

    @classmethod
    def prepare(
        cls, digits: Digits, data: Data, seeds: Sequence[int], device: str, folds: int | None = None
    ) -> Batches:
        """Return the splits and labels of each seed, from its random streams.

        The streams are `split`, `label-noise`, `validation-label-noise` and, for the order, `order`. With `folds` each
        seed has that many replicates in a row, each of which leaves out another fold.
        """
        pairs = [(seed, part) for seed in seeds for part in _splits(digits, data, seed, folds)]
        parts = [part for _, part in pairs]
        return cls(
            images=pixels(digits)[0].to(device),
            train=torch.stack([s.train for s in parts]),
            train_labels=torch.stack([s.labels for s in parts]),
            wrong=torch.stack([s.noisy for s in parts]),
            validation=torch.stack([s.validation for s in parts]),
            validation_labels=torch.stack([_validation_labels(digits, data, seed, s.validation) for seed, s in pairs]),
            test_images=pixels(digits)[1].to(device),
            test_labels=digits.test_labels,
            classes=digits.classes,
            orders=tuple(generator(seed, "order") for seed in seeds for _ in range(folds or 1)),
        )

    def epoch(self) -> tuple[Tensor, Tensor]:
        """Return rows [R, T] and labels [R, T] in each replicate's next order."""
        order = torch.stack([torch.randperm(self.train.shape[1], generator=g) for g in self.orders])
        return self.train.gather(1, order), self.train_labels.gather(1, order)

    def gather(self, rows: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return images [R, B, P] and targets [R, B, K] of one batch per replicate."""
        device = self.images.device
        x = self.images.index_select(0, rows.flatten().to(device))
        return x.view(*rows.shape, -1), one_hot(labels, self.classes).to(device)


def _splits(digits: Digits, data: Data, seed: int, folds: int | None) -> list[Split]:
    whole = split(
        digits,
        train_size=data.train_size,
        validation_size=data.validation_size,
        label_noise=data.wrong_labels.train,
        split_seed=stream_seed(seed, "split"),
        noise_seed=stream_seed(seed, "label-noise"),
    )
    if folds is None:
        return [whole]
    return [fold_of(whole, folds, fold, stream_seed(seed, "folds")) for fold in range(folds)]


def _validation_labels(digits: Digits, data: Data, seed: int, rows: Tensor) -> Tensor:
    noise, right = stream_seed(seed, "validation-label-noise"), digits.train_labels[rows]
    return with_wrong_labels(right, data.wrong_labels.validation, digits.classes, noise)[0]


def digits_of(data: Data, folder: Path) -> Digits:
    """The data set of a configuration, from the folder that has it; raises DataError where it cannot be read."""
    return read(data.name, data.contents, folder)


def read(name: str, contents: Contents | None, folder: Path) -> Digits:
    """The data set of this name in a folder, with the contents of a user's own; raises DataError as `digits_of`."""
    return load_packed(name, contents, folder) if contents else load(name, folder)


@lru_cache(maxsize=1)
def pixels(digits: Digits) -> tuple[Tensor, Tensor]:
    """The images [N, P] and [M, P] of training and test, normalised."""
    return normalised(digits.train_images, digits), normalised(digits.test_images, digits)


def normalised(images: Tensor, digits: Digits) -> Tensor:
    """Return pixels 0..255 as float32, normalised by the mean and standard deviation of the data set."""
    stored = images.to(torch.float32, copy=True)  # floats are mapped from a file
    return stored.div_(digits.scale).sub_(digits.mean).div_(digits.std)


def spread(length: int, count: int) -> Tensor:
    """Return up to `count` positions spread evenly over 0 .. length - 1."""
    return torch.linspace(0, length - 1, min(count, length)).round().long()
