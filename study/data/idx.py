"""The IDX format: a header of big-endian sizes, then the bytes of one array, last index fastest."""

import gzip
import math
import zlib
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

FILES: Final = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
UNSIGNED_BYTE = 8  # the header's code of the element type


class DataError(ValueError):
    """Data are missing, damaged or asked for in an impossible way; the message says what to do."""


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Array of unsigned bytes in the IDX file `path`, mapped into memory (or unpacked, if it ends in .gz).

    The mapping is private: writing to the array never reaches the file.
    Raises DataError unless the header announces `dimensions` sizes and the length fits them exactly.
    Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits", file formats.
    """
    raw = _unpack(path) if path.suffix == ".gz" else _map(path)
    start = 4 + 4 * dimensions
    magic = bytes((0, 0, UNSIGNED_BYTE, dimensions))
    if raw.size < start or raw[:4].tobytes() != magic:
        expected = f"an IDX file of unsigned bytes in {dimensions} dimension(s), which starts with {magic.hex(' ')}"
        raise _wrong(path, expected, f"{raw.size} bytes that start with '{raw[:4].tobytes().hex(' ')}'")
    shape = tuple(raw[4:start].view(">u4").tolist())
    if raw.size != start + math.prod(shape):
        sizes = " x ".join(map(str, shape))
        expected = f"{start + math.prod(shape)} bytes long ({sizes} after a header of {start})"
        raise _wrong(path, expected, f"{raw.size} bytes")
    return raw[start:].reshape(shape)


def _map(path: Path) -> NDArray[np.uint8]:
    try:
        # An empty file cannot be mapped. Copy-on-write, since torch wants memory that may be written to.
        return np.asarray(np.memmap(path, np.uint8, mode="c")) if path.stat().st_size else np.empty(0, np.uint8)
    except OSError as error:
        raise _wrong(path, "a readable file, as `fetch` leaves it", error.strerror) from error


def _unpack(path: Path) -> NDArray[np.uint8]:
    try:
        return np.frombuffer(bytearray(gzip.decompress(path.read_bytes())), np.uint8)
    except (OSError, EOFError, zlib.error) as error:
        raise _wrong(path, "a readable gzip file", error) from error


def _wrong(path: Path, expected: str, got: object) -> DataError:
    return DataError(f"The file '{path}' must be {expected}. Got {got} instead.")
