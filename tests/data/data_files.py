"""Files in the IDX format, made by hand."""

import gzip
import struct
from pathlib import Path

import numpy as np

from study.data.sources import FILES

FULL = Path(__file__).parents[2] / "data"


def idx_bytes(array: np.ndarray) -> bytes:
    """The format as its authors describe it: two zeros, the type, the dimensions, the sizes, the bytes."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def digits_files(train: int = 60, test: int = 30) -> dict[str, bytes]:
    """The four files of a random data set, every class equally often."""
    rng = np.random.default_rng(0)
    arrays = []
    for size in (train, test):
        arrays.append(rng.integers(0, 256, (size, 28, 28), np.uint8))
        arrays.append(rng.permutation(np.arange(size) % 10).astype(np.uint8))
    return {file: idx_bytes(array) for file, array in zip(FILES, arrays, strict=True)}


def put(folder: Path, files: dict[str, bytes], packed: bool = False) -> Path:
    """Write the files into the folder, as they are or as .gz."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        path = folder / (f"{file}.gz" if packed else file)
        path.write_bytes(gzip.compress(content) if packed else content)
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    """All files below the folder, hidden ones too: what a failure must leave as it was."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
