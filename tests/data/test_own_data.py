"""Data of a user's own: read from files or a function, split once and packed."""

import gzip
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from data_files import idx_bytes
from hypothesis import given
from hypothesis import strategies as st
from own_files import CLASSES, data, elsewhere, pictures
from PIL import Image
from sklearn.preprocessing import StandardScaler
from torchvision.datasets import ImageFolder

from study.config.data import Data
from study.data import DataError
from study.data.examples import Part, assembled
from study.data.own import PACKS, Source, described, packed
from study.data.sources import FILES
from study.training.batches import Batches, digits_of, normalised

__all__ = ["elsewhere"]  # every test here starts in a folder of its own


def test_a_folder_of_pictures_holds_what_torchvision_reads(tmp_path: Path) -> None:
    found = data(path=str(pictures(tmp_path / "trees")), test=0.25)
    assert found.holds.model_dump(exclude={"digest"}) == {
        "examples": 27, "tested": 9, "classes": 3, "inputs": 48, "image": (6, 8),
    }  # fmt: skip
    digits = digits_of(found, found.folder)
    read = ImageFolder(str(tmp_path / "trees"), loader=lambda file: np.asarray(Image.open(file).convert("L")).ravel())
    theirs = sorted((image.tolist(), label) for image, label in read)
    labels = torch.cat([digits.train_labels, digits.test_labels]).tolist()
    images = torch.cat([digits.train_images, digits.test_images]).tolist()
    assert sorted(zip(images, labels, strict=True)) == theirs
    assert digits.test_labels.bincount().tolist() == [3, 3, 3], "each class has its share of the test"


def test_pictures_are_scaled_and_cropped_to_the_size_that_is_said(tmp_path: Path) -> None:
    pictures(tmp_path / "trees", height=20, width=31)
    found = data(path="trees", test=0.25, size=[14, 7])
    assert found.holds.image == (14, 7)
    assert data(path="trees", test=0.25, size=28).holds.image == (28, 28)
    half = Image.new("L", (40, 20), 0)
    half.paste(255, (20, 0, 40, 20))
    for name in ("a", "b"):
        (tmp_path / "halves" / name).mkdir(parents=True)
        for index in range(20):
            half.save(tmp_path / "halves" / name / f"{index}.png")
    digits = digits_of(half_sized := data(path="halves", test=0.25, size=10), half_sized.folder)
    image = digits.train_images[0].view(10, 10)
    assert image[:, :4].max() == 0, "the middle of the picture, not squeezed"
    assert image[:, 6:].min() == 255


def test_a_test_of_its_own_is_taken_from_folders_or_a_path(tmp_path: Path) -> None:
    pictures(tmp_path / "all" / "train")
    pictures(tmp_path / "all" / "test", count=4, seed=1)
    inside, beside = data(path="all"), data(path="all/train", test="all/test")
    assert (inside.holds.examples, inside.holds.tested) == (36, 12)
    assert inside.contents == beside.contents


def test_the_same_digits_come_from_idx_npz_and_csv(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    x, y = random.integers(0, 256, (60, 4, 5), np.uint8), np.arange(60) % 3
    (tmp_path / "idx").mkdir()
    (tmp_path / "idx" / FILES[0]).write_bytes(idx_bytes(x))
    (tmp_path / "idx" / f"{FILES[1]}.gz").write_bytes(gzip.compress(idx_bytes(y.astype(np.uint8))))
    np.savez(tmp_path / "mine.npz", x=x, y=y)
    table = pd.DataFrame(x.reshape(60, -1)).add_prefix("px")
    table.assign(label=y).to_csv(tmp_path / "mine.csv", index=False)
    table.assign(kind=[CLASSES[label] for label in y]).to_csv(tmp_path / "named.csv", index=False)
    ways = [{"path": "idx"}, {"path": "mine.npz"}, {"path": "mine.csv", "size": [4, 5]},
            {"path": "named.csv", "size": [4, 5], "label": "kind"}]  # fmt: skip
    digests = {data(test=0.2, **way).holds.digest for way in ways}
    assert len(digests) == 1


@given(columns=st.integers(1, 5), seed=st.integers(0, 100))
def test_features_are_standardised_by_those_trained_on(columns: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    x = random.normal(size=(50, columns)) * random.uniform(0.1, 100, columns) + random.normal(size=columns)
    examples = assembled(Part(x[:40], np.arange(40) % 2), Part(x[40:], np.arange(10) % 2), None)
    contents = packed(examples)
    assert (PACKS / contents.digest[:32]).is_dir()
    found = Data.model_construct(name="mine", contents=contents)
    digits = digits_of(found, found.folder)
    oracle = StandardScaler().fit(x[:40].astype(np.float32))
    for images, wanted in ((digits.train_images, x[:40]), (digits.test_images, x[40:])):
        got = normalised(images, digits).numpy()
        np.testing.assert_allclose(got, oracle.transform(wanted.astype(np.float32)), rtol=1e-3, atol=1e-4)


def test_pixels_are_normalised_as_those_of_mnist_are(tmp_path: Path) -> None:
    found = data(path=str(pictures(tmp_path / "trees")), test=0.25)
    batches = Batches.prepare(digits_of(found, found.folder), found, [0], "cpu")
    assert batches.classes == 3
    assert float(batches.images.mean()) == pytest.approx(0, abs=1e-5)
    assert float(batches.images.std()) == pytest.approx(1, abs=1e-3)


def test_files_are_read_again_only_if_one_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures(tmp_path / "trees")
    first = data(path="trees", test=0.25).holds
    described.cache_clear()
    monkeypatch.setattr(Source, "read", lambda self: pytest.fail("it was read again"))
    assert data(path="trees", test=0.25).holds == first
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trees/oak/00.png").touch()
    described.cache_clear()
    assert data(path="trees", test=0.25).holds == first, "another time, the same pixels"
    Image.new("RGB", (8, 6), 7).save(tmp_path / "trees/oak/00.png")
    described.cache_clear()
    second = data(path="trees", test=0.25).holds
    assert second.digest != first.digest
    assert [one.name for one in PACKS.iterdir() if one.is_dir()] == [second.digest[:32]], "what nobody needs is gone"


def test_a_training_says_when_packed_data_are_gone_or_damaged(tmp_path: Path) -> None:
    found = data(path=str(pictures(tmp_path / "trees")), test=0.25)
    labels = found.folder / "train_labels.npy"
    content = bytearray(labels.read_bytes())
    content[-1] ^= 1
    labels.write_bytes(content)
    with pytest.raises(DataError, match=r"Got another checksum instead\. Delete it and run the same command again"):
        digits_of(found, found.folder)
    shutil.rmtree(found.folder)
    with pytest.raises(DataError, match="No such file"):
        digits_of(found, found.folder)
    described.cache_clear()
    assert data(path="trees", test=0.25).folder.is_dir(), "and reading the configuration packs them again"


def test_the_place_of_the_files_is_no_part_of_what_they_are(tmp_path: Path) -> None:
    one = data(path=str(pictures(tmp_path / "trees")), test=0.25)
    shutil.move(tmp_path / "trees", tmp_path / "moved")
    other = data(path="moved", test=0.25)
    assert (one.contents, one.path) == (other.contents, str(tmp_path / "trees"))
    again = Data.model_validate_json(one.model_dump_json())
    assert again == one, "a job needs no files but the packed ones"
