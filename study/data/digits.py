"""The data sets a study can name, and reading one into tensors (quickly: every training starts with this)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from study.data.idx import DataError, read_idx
from study.utils.lazy import torch

IMAGE_SHAPE: Final = (28, 28)
CLASSES: Final = 10
CHANCE_FACTOR: Final = 2.0  # at or below twice the accuracy of guessing, a net has learned nothing of use


@dataclass(frozen=True, slots=True, eq=False)
class Digits:
    """One data set of N training and M test images with P = 28 x 28 pixels, or other examples of P numbers, as stored.

    train_images: uint8 [N, P], train_labels: int64 [N], test_images: uint8 [M, P], test_labels: int64 [M].
    mean, std: of all pixels of the full training set, on the scale where black is 0 and white, stored as `scale`, is 1.
    A user's data may be float32 instead of uint8, with a mean and a standard deviation [P] for each feature.
    """

    name: str
    train_images: torch.Tensor
    train_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor
    mean: float | torch.Tensor
    std: float | torch.Tensor
    scale: float = 255.0
    classes: int = CLASSES
    image_shape: tuple[int, int] = IMAGE_SHAPE


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set before it is read; `shipped` is its folder if the repository carries it."""

    mean: float
    std: float
    shipped: Path | None = None


DATA_SETS: Final = {
    "mnist": DataSet(mean=0.1307, std=0.3081),
    "fashion-mnist": DataSet(mean=0.2860, std=0.3530),
    "mnist-sample": DataSet(mean=0.1307, std=0.3081, shipped=Path(__file__).parents[1] / "samples"),
}


def load(name: str, folder: Path) -> Digits:
    """Data set `name` from the four IDX files in `folder`; images stay mapped to the file until touched.

    "mnist-sample" is read from the repository, whatever `folder` is. Checks form and length, not the
    SHA-256: `fetch` has done that. Raises DataError if a file is missing, cut off or of another form.
    """
    if name not in DATA_SETS:
        known = ", ".join(f"'{known}'" for known in DATA_SETS)
        raise DataError(f"The 'name' parameter of data must be one of {known}. Got '{name}' instead.")
    known_set = DATA_SETS[name]
    source, suffix = (known_set.shipped, ".gz") if known_set.shipped else (folder, "")
    train = _pairs(source / f"train-images-idx3-ubyte{suffix}", source / f"train-labels-idx1-ubyte{suffix}")
    test = _pairs(source / f"t10k-images-idx3-ubyte{suffix}", source / f"t10k-labels-idx1-ubyte{suffix}")
    return Digits(name, *train, *test, mean=known_set.mean, std=known_set.std)


def _pairs(image_file: Path, label_file: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Images uint8 [N, P] and labels int64 [N]."""
    images, labels = read_idx(image_file, 3), read_idx(label_file, 1)
    _check(image_file, f"images of {IMAGE_SHAPE} pixels", images.shape[1:] == IMAGE_SHAPE, images.shape[1:])
    _check(label_file, f"{len(images)} labels, one an image", len(images) == len(labels), len(labels))
    _check(label_file, f"labels below {CLASSES}", not (labels >= CLASSES).any(), labels.max(initial=0))
    flat: NDArray[np.uint8] = images.reshape(len(images), -1)
    return torch.from_numpy(flat), torch.from_numpy(labels.astype(np.int64))


def _check(path: Path, expected: str, holds: bool, got: object) -> None:
    if not holds:
        raise DataError(f"The file '{path}' must hold {expected}. Got {got} instead.")
