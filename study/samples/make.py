"""Cut the shipped sample out of the full MNIST: `python -m study.samples.make data/mnist`."""

import gzip
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from study.data.idx import UNSIGNED_BYTE, read_idx

PER_CLASS = {"train": 100, "t10k": 50}


def make(source: Path) -> dict[str, bytes]:
    """Plain IDX content by file name: digits of each class at even distances in `source`, in file order."""
    files = {}
    for part, per_class in PER_CLASS.items():
        images, labels = f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"
        all_labels = read_idx(source / labels, 1)
        rows = _spread_over_each_class(all_labels, per_class)
        files[images] = _idx(read_idx(source / images, 3)[rows])
        files[labels] = _idx(all_labels[rows])
    return files


def write(source: Path, target: Path) -> None:
    """`make(source)` as .gz files in `target`, with no time or name inside them."""
    for file, content in make(source).items():
        (target / f"{file}.gz").write_bytes(gzip.compress(content, mtime=0))


def _spread_over_each_class(labels: NDArray[np.uint8], per_class: int) -> NDArray[np.intp]:
    """Of the n digits of a class those numbered floor(i n / per_class), i = 0, 1, ...

    They are spread over the file because the first half of the test file is the harder one.
    """
    members = [np.flatnonzero(labels == c) for c in range(10)]
    return np.sort(np.concatenate([m[np.arange(per_class) * len(m) // per_class] for m in members]))


def _idx(array: NDArray[np.uint8]) -> bytes:
    sizes = np.array(array.shape, ">u4").tobytes()
    return bytes((0, 0, UNSIGNED_BYTE, array.ndim)) + sizes + array.tobytes()


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(__file__).parent)
