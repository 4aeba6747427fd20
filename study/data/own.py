"""A user's own data: read from files once as long as they stay as they are, and packed for the trainings."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from study.data.base import DataSet
from study.data.digits import Digits
from study.data.examples import Array, Contents, Examples, Part, SourceFault, assembled, digest_of
from study.data.idx import FILES, DataError
from study.data.pictures import Size, read_pictures, walked
from study.data.tables import read_csv, read_idx_folder, read_npz
from study.utils.lazy import torch

PACKS = Path("data/own")  # below the working directory, where the suite's own data are too
READERS = ("examples.py", "idx.py", "own.py", "pictures.py", "splits.py", "tables.py")
LABEL = "label"


@dataclass(frozen=True)
class Source:
    """Place of a user's data: files, how the test set is chosen, the size of pictures, a CSV's column of labels."""

    path: Path
    test: float | Path | None = None
    size: Size = None
    label: str | None = None

    @property
    def kind(self) -> str:
        """Return what the path is: `pictures`, `idx`, `npz` or `csv`; raises SourceFault where it is none of them."""
        if not self.path.exists():
            raise SourceFault("path", "name a folder or a file that exists", f"'{self.path}'")
        if self.path.is_dir():
            return "idx" if any((self.path / f"{FILES[0]}{end}").is_file() for end in ("", ".gz")) else "pictures"
        if (kind := self.path.suffix.lower().removeprefix(".")) in ("npz", "csv"):
            return kind
        must = "be a folder of pictures or of IDX files, a .npz or a .csv file"
        raise SourceFault("path", must, f"'{self.path}'")

    @property
    def files(self) -> Iterator[Path]:
        """Yield every file that it may be read from."""
        for root in (self.path, self.test):
            if isinstance(root, Path):
                folders = walked(root) if root.is_dir() else [(str(root.parent), [root.name])]
                yield from (Path(folder, name) for folder, names in folders for name in names)

    def read(self) -> Examples:
        """Read all of it; raises SourceFault."""
        kind, test = self.kind, self.test if isinstance(self.test, Path) else None
        if test is not None and not test.exists():
            raise SourceFault("test", "be a share, or name a folder or a file that exists", f"'{test}'")
        if test is not None and test.samefile(self.path):
            raise SourceFault("test", "name other examples than 'path', which is trained on", f"'{test}'")
        if self.size and kind not in ("pictures", "csv"):
            raise SourceFault("size", "be left out but for pictures and CSV files", list(self.size))
        if self.label and kind != "csv":
            raise SourceFault("label", "be left out but for CSV files", f"'{self.label}'")
        train, tested = self._parts(kind, test)
        share = self.test if isinstance(self.test, float) else None
        if tested is not None and share is not None:
            raise SourceFault("test", "be left out where 'path' has examples of the test", share)
        return assembled(train, tested, share)

    def _parts(self, kind: str, test: Path | None) -> tuple[Part, Part | None]:
        if kind == "csv":
            return read_csv(self.path, self.label or LABEL, self.size, test)
        if kind == "pictures":
            return read_pictures(self.path, self.size, test)
        return (read_idx_folder if kind == "idx" else read_npz)(self.path, test)


@cache
def described(source: Source) -> Contents:
    """Contents of the files of a source, packed for trainings; read again only if a file's size or time is another.

    Raises SourceFault. A process asks once.
    """
    note = PACKS / f"{_sha(str(source.path.resolve()), repr(source))[:16]}.json"
    state = _state(source)
    known = _noted(note)
    if known and known["state"] == state and folder_of(known["contents"]["digest"]).is_dir():
        return Contents.model_validate(known["contents"])
    found = source.read()
    contents = packed(found)
    if known and (old := known["contents"]["digest"]) != contents.digest:
        _drop_unless_noted(old, note)
    _write_text(note, json.dumps({"state": state, "contents": contents.model_dump(mode="json")}))
    return contents


def packed(examples: Examples) -> Contents:
    """Contents of a data set, once its arrays lie in the folder of their digest."""
    contents = examples.contents
    folder = folder_of(contents.digest)
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".pack-") as scratch:
            half = Path(scratch, "pack")
            half.mkdir()
            for name, array in examples.arrays.items():
                np.save(half / f"{name}.npy", array)
            (half / "classes.txt").write_text("\n".join(examples.names) + "\n", encoding="utf-8")
            with suppress(OSError):  # another process was first
                os.replace(half, folder)
    return contents


def described_by(data_set: DataSet, share: float | None) -> Contents:
    """Contents of what a user's function returns, packed for trainings; a process asks once."""
    return _described_by(type(data_set), data_set.model_dump_json(), share)


@cache
def _described_by(kind: type[DataSet], settings: str, share: float | None) -> Contents:
    return packed(kind.model_validate_json(settings).read(share))


def folder_of(digest: str) -> Path:
    """The folder of the packed arrays with a digest."""
    return PACKS / digest[:32]


def load_packed(name: str, contents: Contents, folder: Path) -> Digits:
    """A user's data set from its packed arrays; raises DataError where they are gone or are not those expected."""
    names = ("train_images", "train_labels", "test_images", "test_labels")
    try:
        arrays = {one: np.load(folder / f"{one}.npy", mmap_mode="c") for one in names}
    except (OSError, ValueError) as error:
        raise DataError(_unusable(name, folder, str(error))) from error
    if digest_of(arrays, contents.image) != contents.digest:
        raise DataError(_unusable(name, folder, "another checksum"))
    mean, std, scale = _moments(arrays["train_images"], contents.image)
    train, labels, test, tested = (torch.from_numpy(np.asarray(arrays[one])) for one in names)
    shape = contents.image or (1, contents.inputs)
    return Digits(name, train, labels, test, tested, mean, std, scale, contents.classes, shape)


def _moments(x: Array, image: tuple[int, int] | None) -> tuple[float | torch.Tensor, float | torch.Tensor, float]:
    """Mean and standard deviation: of all pixels, which are brought to 0..1 if they are bytes, or of each feature."""
    if x.dtype == np.uint8:
        counts = np.bincount(x.ravel(), minlength=256)
        values = np.arange(256) / 255
        mean = float(counts @ values / counts.sum())
        return mean, float(np.sqrt(counts @ (values - mean) ** 2 / counts.sum())), 255.0
    if image:
        return float(x.mean(dtype=np.float64)), float(x.std(dtype=np.float64)), 1.0
    std = x.std(0, dtype=np.float64)
    std[std == 0] = 1.0  # a feature that is the same everywhere becomes 0
    each = (torch.from_numpy(part.astype(np.float32)) for part in (x.mean(0, dtype=np.float64), std))
    return next(each), next(each), 1.0


def _unusable(name: str, folder: Path, got: str) -> str:
    must = f"The folder '{folder}' must hold the data set '{name}' as the configuration found it."
    return f"{must} Got {got} instead. Delete it and run the same command again."


def _state(source: Source) -> str:
    """Digest of the files' names, sizes and times, and of the code that reads them."""
    if not source.path.exists():
        return ""
    here = Path(__file__).parent
    code = [hashlib.sha256((here / name).read_bytes()).hexdigest() for name in READERS]
    each = []
    for file in source.files:
        with suppress(OSError):
            stat = file.stat()
            each.append(f"{file} {stat.st_size} {stat.st_mtime_ns}")
    return _sha(*code, importlib.metadata.version("pillow"), *sorted(each))


def _noted(note: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(note.read_text(encoding="utf-8"))
        Contents.model_validate(found["contents"])
        return found if isinstance(found["state"], str) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _drop_unless_noted(digest: str, note: Path) -> None:
    """Delete a pack that no other note speaks of."""
    others = (_noted(one) for one in PACKS.glob("*.json") if one != note)
    if all(other is None or other["contents"]["digest"] != digest for other in others):
        shutil.rmtree(folder_of(digest), ignore_errors=True)


def _write_text(path: Path, text: str) -> None:
    handle, half = tempfile.mkstemp(dir=path.parent, prefix=".note-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(half, path)


def _sha(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
