"""Examples of a user's own: arrays checked, split and described, whatever file or function they came from."""

from __future__ import annotations

import csv
import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from study.data.splits import stratified
from study.parameters import Settings
from study.utils.lazy import torch

Array = NDArray[Any]
GREY = np.array([299, 587, 114])  # ITU-R 601-2, as Pillow turns colours to grey


class SourceFault(ValueError):  # noqa: N818, which the configuration turns into an error
    """A fault of a user's data: the parameter of `data`, what it must, and what it got."""

    def __init__(self, parameter: str, must: str, got: object) -> None:
        super().__init__(f"{parameter} must {must}. Got {got}")
        self.parameter, self.must, self.got = parameter, must, got


# Raised where a file is damaged or of another kind: by Python, numpy, pandas and Pillow.
UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    SyntaxError,
    RuntimeError,
    ArithmeticError,
    MemoryError,
    csv.Error,
    zipfile.BadZipFile,
    zlib.error,
)


@contextmanager
def reading(file: Path, parameter: str, must: str) -> Iterator[None]:
    """Turn whatever an unreadable file raises in the `with` block into a SourceFault."""
    try:
        yield
    except SourceFault:
        raise
    except UNREADABLE as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise SourceFault(parameter, must, f"'{file}' ({reason})") from error


@dataclass(frozen=True, eq=False)
class Part:
    """Examples x [N, ...] with labels y [N], numbers or names; `where` says where the i-th of them stands."""

    x: Array
    y: Array
    where: Callable[[int], str] = lambda index: f"example {index}, counted from 0"
    parameter: str = "path"

    @property
    def in_words(self) -> bool:
        """Return whether the labels are names, not numbers."""
        return self.y.dtype.kind in "OUS"


class Contents(Settings):
    """Facts of a data set: the digest of its arrays, how many examples and classes, the pixels of an image."""

    title: ClassVar[str] = "contents"
    digest: str = ""
    examples: int
    tested: int
    classes: int
    inputs: int
    image: tuple[int, int] | None = None

    @property
    def noun(self) -> str:
        """Return what its examples are called."""
        return "pictures" if self.image else "examples"


@dataclass(frozen=True, eq=False)
class Examples:
    """A data set as it is trained on: uint8 pixels or float32 features [N, P], int64 labels [N] from 0."""

    train_images: Array
    train_labels: Array
    test_images: Array
    test_labels: Array
    names: tuple[str, ...]
    image: tuple[int, int] | None

    @property
    def arrays(self) -> dict[str, Array]:
        """Return the arrays by name."""
        names = ("train_images", "train_labels", "test_images", "test_labels")
        return {name: np.ascontiguousarray(getattr(self, name)) for name in names}

    @property
    def contents(self) -> Contents:
        """Return what it holds, with the digest of all of it."""
        return Contents(
            digest=digest_of(self.arrays, self.image),
            examples=len(self.train_labels),
            tested=len(self.test_labels),
            classes=len(self.names),
            inputs=self.train_images.shape[1],
            image=self.image,
        )


def digest_of(arrays: dict[str, Array], image: tuple[int, int] | None) -> str:
    """SHA-256 of the arrays, 64 hex digits."""
    sha = hashlib.sha256(str(image).encode())
    for name, array in sorted(arrays.items()):
        sha.update(f"{name} {array.dtype} {array.shape}".encode())
        sha.update(array.data)
    return sha.hexdigest()


def assembled(train: Part, test: Part | None, share: float | None) -> Examples:
    """A data set of its parts; without one for the test, that share of each class is set aside, the same at any time.

    Raises SourceFault where examples are not finite, differ in form or have labels that are none of classes 0 to C - 1.
    """
    for part in (train, test) if test is not None else (train,):
        _check_form(part)
    names = _classes(train)
    x, image = _inputs(train)
    y = _labels(train, names)
    _different(x, train)
    if test is not None:
        if test.in_words != train.in_words:
            kinds = ("numbers", "words")
            must = f"have labels in {kinds[train.in_words]}, like those that are trained on"
            raise SourceFault(test.parameter, must, f"'{test.y[0]}' ({test.where(0)})")
        tested, shape = _inputs(test)
        if (tested.shape[1:], shape, tested.dtype) != (x.shape[1:], image, x.dtype):
            must = f"hold examples like those that are trained on ({_form(x, image)})"
            raise SourceFault(test.parameter, must, _form(tested, shape))
        return Examples(x, y, tested, _labels(test, names), names, image)
    if share is None:
        must = "say how the test set is chosen: a share of each class, or a path, where the data have none of their own"
        raise SourceFault("test", must, "nothing")
    learned, held_out = _set_aside(y, names, share, train)
    return Examples(x[learned], y[learned], x[held_out], y[held_out], names, image)


def _check_form(part: Part) -> None:
    """Raise SourceFault unless there are examples, of at least one number each, with a label each."""
    x, y = part.x, part.y
    if x.dtype.kind not in "iufb" or x.ndim < 2:
        raise SourceFault(part.parameter, "hold numbers [N, ...], an example a row", f"{x.dtype} {[*x.shape]}")
    if y.ndim != 1:
        raise SourceFault(part.parameter, "have labels [N], a number or a name each", f"labels of shape {[*y.shape]}")
    if len(part.x) != len(part.y):
        raise SourceFault(part.parameter, "have a label for each example", f"{len(part.y)} of {len(part.x)}")
    if not len(part.y):
        raise SourceFault(part.parameter, "hold examples", "none")
    if not x.size:
        raise SourceFault(part.parameter, "hold examples of at least one number each", f"{[*x.shape]}")


def _classes(part: Part) -> tuple[str, ...]:
    """The names of the classes, in the order of their numbers."""
    if not part.in_words:
        _whole_numbers(part)
    found = np.unique(part.y).tolist()
    names = tuple(map(str, found if part.in_words else map(int, found)))
    gaps = (index for index, label in enumerate(found) if label != index)
    if not part.in_words and (gap := next(gaps, None)) is not None:
        must = "have labels 0 to C - 1, each of which occurs"
        raise SourceFault(part.parameter, must, f"labels up to {names[-1]} and none of {gap}")
    if len(names) < 2:
        raise SourceFault(part.parameter, "hold at least 2 classes", f"one, '{names[0]}'")
    return names


def _whole_numbers(part: Part) -> None:
    y = part.y.astype(np.float64) if part.y.dtype.kind in "iufb" else np.full(len(part.y), np.nan)
    if (bad := np.flatnonzero(~(np.isfinite(y) & (y >= 0) & (y == np.floor(y))))).size:
        got = f"{part.y[bad[0]]} ({part.where(int(bad[0]))})"
        raise SourceFault(part.parameter, "have labels 0 to C - 1, or names", got)


def _labels(part: Part, names: tuple[str, ...]) -> NDArray[np.int64]:
    """Labels [N] as the numbers of the classes."""
    if part.in_words:
        number = {name: index for index, name in enumerate(names)}
        found = np.array([number.get(str(label), -1) for label in part.y], np.int64)
    else:
        _whole_numbers(part)
        found = part.y.astype(np.int64)
    if (bad := np.flatnonzero((found < 0) | (found >= len(names)))).size:
        got = f"'{part.y[bad[0]]}' ({part.where(int(bad[0]))})"
        raise SourceFault(part.parameter, f"have labels of the {len(names)} classes that are trained on", got)
    return found


def _inputs(part: Part) -> tuple[Array, tuple[int, int] | None]:
    """Inputs [N, P], and the pixels of an image where each is one."""
    x = part.x
    if x.ndim == 4:
        x = _grey(x, part)
    if x.ndim > 3:
        raise SourceFault(part.parameter, "hold examples [N, P], [N, H, W] or [N, H, W, 3]", f"{[*x.shape]}")
    image = (int(x.shape[1]), int(x.shape[2])) if x.ndim == 3 else None
    x = x.reshape(len(x), -1)
    if x.dtype == np.uint8:
        return x, image
    _check_finite(x, part)
    return x.astype(np.float32), image


def _check_finite(x: Array, part: Part) -> None:
    with np.errstate(over="ignore"):
        finite = np.isfinite(x.astype(np.float32))
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        got = f"{x[row, column]} ({part.where(int(row))}, number {column} of it)"
        raise SourceFault(part.parameter, "hold finite numbers", got)


def _grey(x: Array, part: Part) -> Array:
    if x.shape[3] == 1:
        return x[..., 0]
    if x.shape[3] != 3:
        raise SourceFault(part.parameter, "hold images of 1 or 3 channels, the last axis", f"{x.shape[3]}")
    grey = (x.astype(np.float64) @ GREY) / 1000
    return np.floor(grey + 0.5).astype(np.uint8) if x.dtype == np.uint8 else grey


def _different(x: Array, part: Part) -> None:
    if (x == x.flat[0]).all():
        raise SourceFault(part.parameter, "hold examples that differ", f"{x.flat[0]} everywhere")


def _form(x: Array, image: tuple[int, int] | None) -> str:
    size = f"{image[0]} x {image[1]} pixels" if image else f"{x.shape[1]} numbers"
    return f"{size}, {x.dtype}"


def _set_aside(
    y: NDArray[np.int64], names: tuple[str, ...], share: float, part: Part
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows that are trained on and those of the test, each class with its share of both."""
    counts = np.bincount(y, minlength=len(names))
    if counts.min() < 2:
        must = "hold at least 2 examples of each class, to train on and to test with"
        raise SourceFault(part.parameter, must, f"1 of '{names[int(counts.argmin())]}'")
    tested = round(share * len(y))
    if not len(names) <= tested <= len(y) - len(names):
        must = f"leave at least {len(names)} examples, one a class, to test with and to train on"
        raise SourceFault("test", must, f"{tested} of {len(y)} to test with")
    learned, held_out = stratified(torch.from_numpy(y), len(y) - tested, tested, seed=0)
    return learned.numpy(), held_out.numpy()
