"""Data sets in files of arrays: `.npz`, CSV, and folders of IDX files."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from study.data.examples import Array, Part, SourceFault, reading
from study.data.idx import FILES, DataError, read_idx
from study.data.pictures import Size
from study.parameters import first_duplicate

# By name, those to train on and those of the test: as Keras and MedMNIST write them, and plain.
NAMES = (
    (("x_train", "y_train"), ("x_test", "y_test")),
    (("train_images", "train_labels"), ("test_images", "test_labels")),
    (("x", "y"), ("x_test", "y_test")),
)


NOTHING = {"na", "n/a", "#n/a", "nan", "null", "none"}


def read_npz(path: Path, test: Path | None) -> tuple[Part, Part | None]:
    """The arrays of a `.npz`: `x_train, y_train` (or `train_images, train_labels`, or `x, y`), and of the test if any.

    Images are [N, H, W] or [N, H, W, 3], of uint8 as a rule; features [N, P]. Raises SourceFault.
    """
    train, own = _npz(path, "path")
    if own is not None and test is not None:
        raise SourceFault("test", "be left out where 'path' has examples of the test", f"'{test}'")
    return train, own if test is None else _npz(test, "test")[0]


def _npz(path: Path, parameter: str) -> tuple[Part, Part | None]:
    must = "name a .npz file of numpy that can be read"
    with reading(path, parameter, must):
        opened = np.load(path, allow_pickle=False)
        if not isinstance(opened, np.lib.npyio.NpzFile):
            raise SourceFault(parameter, must, f"'{path}' (it holds one array without a name)")
        with opened:
            entries = {name: opened[name] for name in opened.files}
    arrays = {name: one for name, one in entries.items() if isinstance(one, np.ndarray)}
    for first, second in NAMES:
        if arrays.keys() >= {*first}:
            both = [_part(arrays, names, parameter) for names in (first, second) if arrays.keys() >= {*names}]
            return both[0], both[1] if len(both) > 1 else None
    wanted = " or ".join(f"'{x}' and '{y}'" for (x, y), _ in NAMES)
    got = ", ".join(f"'{name}'" for name in arrays) or "none"
    raise SourceFault(parameter, f"have the arrays {wanted}", f"{got} in '{path}'")


def _part(arrays: dict[str, Array], names: tuple[str, str], parameter: str) -> Part:
    x, y = (arrays[name] for name in names)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise SourceFault(parameter, "have labels [N], a number or a name each", f"'{names[1]}' of shape {[*y.shape]}")
    return Part(x, y, lambda index: f"'{names[0]}' and '{names[1]}', example {index} from 0", parameter)


def read_csv(path: Path, label: str, size: Size, test: Path | None) -> tuple[Part, Part | None]:
    """The rows of a CSV file with a head: the column `label`, and numbers in all others.

    size: the others are the pixels 0 to 255 of an image of that size, row by row. Raises SourceFault.
    """
    train = _csv(path, label, size, "path")
    return train, None if test is None else _csv(test, label, size, "test", train.in_words)


def _csv(path: Path, label: str, size: Size, parameter: str, in_words: bool = False) -> Part:
    table = _table(path, parameter, [label] if in_words else [])
    if label not in table:
        columns = ", ".join(f"'{name}'" for name in list(table)[:5])
        raise SourceFault("label", f"be a column of '{path}', which has {columns} and so on", f"'{label}'")
    if nameless := [name for name in table if str(name).startswith("Unnamed: ")]:
        must = "have a name for each column (an index written without one would be learned from)"
        raise SourceFault(parameter, must, f"none for column {table.columns.get_loc(nameless[0])} from 0 of '{path}'")
    if (empty := np.flatnonzero(_missing(table[label]))).size:
        raise SourceFault(parameter, "have a label in each row", f"none in '{path}', line {empty[0] + 2}")
    inputs = table.drop(columns=label)
    for name in inputs:
        _numbers(inputs[name], path, parameter)
    y = table[label]
    names = y.to_numpy() if pd.api.types.is_numeric_dtype(y) else np.array([str(one) for one in y])
    x = inputs.to_numpy(np.float64)
    return Part(_image(x, size, path, parameter) if size else x, names, lambda i: f"'{path}', line {i + 2}", parameter)


def _table(path: Path, parameter: str, texts: Sequence[str]) -> pd.DataFrame:
    """The table of a file; only what is empty is missing, since words such as NA may be labels."""
    with reading(path, parameter, "name a CSV file that can be read"):
        table: pd.DataFrame = pd.read_csv(
            path,
            skip_blank_lines=False,
            float_precision="round_trip",
            keep_default_na=False,
            na_values=[""],
            dtype=dict.fromkeys(texts, str),
        )
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            columns, row = next(rows), next(rows, [])
    if twin := first_duplicate([name for name in columns if name]):
        raise SourceFault(parameter, "name each column once", f"'{twin}' twice in '{path}'")
    if len(row) > len(columns):  # pandas refuses others, but takes the first values of this one for a row's name
        got = f"{len(row)} in '{path}', line 2"
        raise SourceFault(parameter, f"have {len(columns)} values in each row, one a column", got)
    return table


def _missing(labels: pd.Series) -> Array:
    """Where there is no label [N]: nothing, or among numbers a word such as NA that stands for nothing."""
    words = pd.to_numeric(labels, errors="coerce").isna()
    stands_for_nothing = set(labels[words].dropna().astype(str).str.lower()) <= NOTHING
    among_numbers = stands_for_nothing and not words.all()
    return np.asarray(words if among_numbers else labels.isna())


def _numbers(column: pd.Series, path: Path, parameter: str) -> None:
    """Raise SourceFault at the first entry of a column that is no finite number."""
    finite = np.isfinite(pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan))
    if (bad := np.flatnonzero(~finite)).size:
        value = column.iloc[bad[0]]
        got = f"'{value}'" if isinstance(value, str) else f"{value}"
        where = f"{got} in '{path}', line {bad[0] + 2}, column '{column.name}'"
        raise SourceFault(parameter, "have finite numbers in every column but the label's", where)


def _image(x: Array, size: tuple[int, int], path: Path, parameter: str) -> Array:
    if x.shape[1] != size[0] * size[1]:
        must = f"be the height and width of the {x.shape[1]} pixels of a row of '{path}'"
        raise SourceFault("size", must, f"{list(size)}")
    if (bad := np.argwhere((x < 0) | (x > 255) | (x != np.floor(x)))).size:
        row, column = bad[0]
        got = f"{x[row, column]:g} in '{path}', line {row + 2}"
        raise SourceFault(parameter, "have pixels from 0 to 255 where 'size' is given", got)
    return x.astype(np.uint8).reshape(len(x), *size)


def read_idx_folder(folder: Path, test: Path | None) -> tuple[Part, Part | None]:
    """The files of a folder, named as those of MNIST; the two of the test may be left out. Raises SourceFault."""
    train, tested = (_idx(folder, FILES[start : start + 2], "path") for start in (0, 2))
    if train is None:
        must = f"have both files '{FILES[0]}' and '{FILES[1]}', plain or as .gz"
        raise SourceFault("path", must, f"'{folder}'")
    if tested is not None and test is not None:
        raise SourceFault("test", "be left out where 'path' has the files of a test", f"'{test}'")
    return train, tested if test is None else _idx(test, FILES[:2], "test")


def _idx(folder: Path, names: tuple[str, ...], parameter: str) -> Part | None:
    files = [next((one for one in (folder / name, folder / f"{name}.gz") if one.is_file()), None) for name in names]
    images, labels = files
    if images is None or labels is None:
        return None
    try:
        x, y = read_idx(images, 3), read_idx(labels, 1)
    except DataError as error:
        raise SourceFault(parameter, "have IDX files that can be read", f"this: {error}") from error
    return Part(x, y, lambda index: f"'{images}', example {index} from 0", parameter)
