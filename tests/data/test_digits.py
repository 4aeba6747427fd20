"""Reading: the IDX files against a slow reader, damage against one form of error, the shipped sample."""

import gzip
import hashlib
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from data_files import FULL, digits_files, idx_bytes, put
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from study.data import DATA_SETS, DataError, load
from study.data.idx import read_idx
from study.data.sources import FILES
from study.samples.make import make

SAMPLES = Path(__file__).parents[2] / "study" / "samples"


def read_slowly(content: bytes) -> list:
    """Nested lists out of an IDX file, byte by byte."""
    dimensions = content[3]
    sizes = struct.unpack_from(f">{dimensions}I", content, 4)
    values = iter(content[4 + 4 * dimensions :])

    def nest(sizes: tuple[int, ...]) -> list | int:
        return [nest(sizes[1:]) for _ in range(sizes[0])] if sizes else next(values)

    return nest(sizes)


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5)), st.booleans())
def test_idx_reads_what_a_slow_reader_reads(tmp_path_factory, array, packed):
    folder = put(tmp_path_factory.mktemp("idx"), {"file": idx_bytes(array)}, packed)
    read = read_idx(folder / ("file.gz" if packed else "file"), array.ndim)
    assert read.tolist() == read_slowly(idx_bytes(array)) == array.tolist()


def test_writing_to_an_array_never_reaches_the_file(tmp_path):
    content = idx_bytes(np.arange(4, dtype=np.uint8))
    path = put(tmp_path, {"file": content}) / "file"
    read_idx(path, 1)[:] = 9
    assert path.read_bytes() == content


LABELS = idx_bytes(np.arange(5, dtype=np.uint8))
DAMAGED = {
    "empty": (b"", "starts with 00 00 08 01. Got 0 bytes"),
    "header cut off": (LABELS[:6], "Got 6 bytes"),
    "another element type": (b"\0\0\x0d\1" + LABELS[4:], "Got 13 bytes that start with '00 00 0d 01'"),
    "other dimensions": (idx_bytes(np.zeros((1, 1, 1), np.uint8)), "start with '00 00 08 03'"),
    "a page of a web site": (b"<html>please log in</html>", "start with '3c 68 74 6d'"),
    "cut off": (LABELS[:-1], r"13 bytes long \(5 after a header of 8\). Got 12 bytes instead"),
    "longer": (LABELS + b"\0", "13 bytes long .* Got 14 bytes instead"),
    "sizes beyond reason": (b"\0\0\x08\1\xff\xff\xff\xff" + LABELS[8:], "4294967303 bytes long"),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_idx_file_is_told(tmp_path, damage, packed):
    content, message = DAMAGED[damage]
    put(tmp_path, {"file": content}, packed)
    with pytest.raises(DataError, match=f"^The file '{tmp_path}/file.*' must be .*{message}"):
        read_idx(tmp_path / ("file.gz" if packed else "file"), 1)


def test_a_missing_file_and_a_broken_gz_are_told(tmp_path):
    (tmp_path / "file.gz").write_bytes(gzip.compress(LABELS)[:-4])
    with pytest.raises(DataError, match=r"file' must be a readable file, .* Got No such file"):
        read_idx(tmp_path / "file", 1)
    with pytest.raises(DataError, match=r"file.gz' must be a readable gzip file. Got "):
        read_idx(tmp_path / "file.gz", 1)
    with pytest.raises(DataError, match=r"no.gz' must be a readable gzip file. Got "):
        read_idx(tmp_path / "no.gz", 1)


def test_load_gives_flat_images_and_whole_number_labels(tmp_path, files):
    digits = load("fashion-mnist", put(tmp_path, files))
    assert (digits.mean, digits.std, digits.classes, digits.image_shape) == (0.2860, 0.3530, 10, (28, 28))
    assert digits.train_images.dtype == digits.test_images.dtype == torch.uint8
    assert digits.train_labels.dtype == digits.test_labels.dtype == torch.int64
    assert digits.train_images.shape == (60, 784)
    assert digits.test_images.shape == (30, 784)
    assert digits.train_images.view(60, 28, 28).tolist() == read_slowly(files[FILES[0]])
    assert digits.train_labels.tolist() == read_slowly(files[FILES[1]])
    assert digits.test_images.view(30, 28, 28).tolist() == read_slowly(files[FILES[2]])
    assert digits.test_labels.tolist() == read_slowly(files[FILES[3]])


@pytest.mark.parametrize(
    ("file", "array", "message"),
    [
        (FILES[0], np.zeros((60, 32, 32), np.uint8), r"images of \(28, 28\) pixels. Got \(32, 32\) instead"),
        (FILES[1], np.zeros(59, np.uint8), "60 labels, one an image. Got 59 instead"),
        (FILES[3], np.full(30, 10, np.uint8), "labels below 10. Got 10 instead"),
    ],
)
def test_files_that_do_not_belong_together_are_told(tmp_path, files, file, array, message):
    put(tmp_path, files | {file: idx_bytes(array)})
    with pytest.raises(DataError, match=f"^The file '{tmp_path}/{file}' must hold {message}"):
        load("mnist", tmp_path)


def test_an_unknown_name_is_told(tmp_path):
    with pytest.raises(DataError, match=r"'name' parameter of data must be one of 'mnist', .* Got 'emnist' instead"):
        load("emnist", tmp_path)


def test_the_shipped_sample_has_every_class_equally_often(tmp_path):
    digits = load("mnist-sample", tmp_path)
    assert torch.bincount(digits.train_labels).tolist() == [100] * 10
    assert torch.bincount(digits.test_labels).tolist() == [50] * 10
    assert digits.train_images.shape == (1000, 784)
    # Real digits, not noise: the mean image of a class names most unseen digits.
    centres = torch.stack([digits.train_images[digits.train_labels == c].float().mean(0) for c in range(10)])
    nearest = torch.cdist(digits.test_images.float(), centres).argmin(1)
    assert (nearest == digits.test_labels).float().mean() > 0.7


def test_the_shipped_sample_is_the_one_its_readme_tells_of():
    told = re.findall(r"^\| (\S+-ubyte) .* ([0-9a-f]{64}) \|$", (SAMPLES / "README.md").read_text(), re.MULTILINE)
    shipped = {f: hashlib.sha256(gzip.decompress((SAMPLES / f"{f}.gz").read_bytes())).hexdigest() for f in FILES}
    assert dict(told) == shipped


def test_making_a_sample_takes_digits_of_each_class_at_even_distances_in_file_order(tmp_path):
    full = digits_files(train=3000, test=1000)  # 300 and 100 a class: every third and every second is taken
    sample = make(put(tmp_path, full))
    images, labels = read_slowly(full[FILES[0]]), read_slowly(full[FILES[1]])
    taken, seen = [], [0] * 10
    for row, label in enumerate(labels):
        if seen[label] % 3 == 0:
            taken.append(row)
        seen[label] += 1
    assert read_slowly(sample[FILES[1]]) == [labels[row] for row in taken]
    assert read_slowly(sample[FILES[0]]) == [images[row] for row in taken]
    assert len(read_slowly(sample[FILES[3]])) == 500


def test_the_shipped_sample_is_cut_from_the_full_data_where_that_is_there():
    if not (FULL / "mnist").is_dir():
        pytest.skip("mnist has not been fetched")
    assert make(FULL / "mnist") == {f: gzip.decompress((SAMPLES / f"{f}.gz").read_bytes()) for f in FILES}


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_mean_and_std_are_those_of_the_full_training_set_where_that_is_there(name):
    if not (FULL / name).is_dir():
        pytest.skip(f"{name} has not been fetched")
    digits = load(name, FULL / name)
    counts = np.bincount(digits.train_images.numpy().ravel(), minlength=256)
    values = np.arange(256) / 255
    mean = np.average(values, weights=counts)
    std = np.sqrt(np.average((values - mean) ** 2, weights=counts))
    assert (digits.mean, digits.std) == (pytest.approx(mean, abs=6e-5), pytest.approx(std, abs=6e-5))
    assert (len(digits.train_labels), len(digits.test_labels)) == (60_000, 10_000)


def test_every_data_set_but_the_shipped_one_can_be_fetched():
    from study.data.fetch import DOWNLOADS

    assert set(DOWNLOADS) == {name for name, known in DATA_SETS.items() if known.shipped is None}


def test_a_training_loads_its_data_without_torchvision():
    code = (
        "import sys; from pathlib import Path; from study.data import load; load('mnist-sample', Path());"
        "print([m for m in ('torchvision', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=SAMPLES.parents[1]
    )
    assert done.stdout.strip() == "[]"
