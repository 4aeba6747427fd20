"""Data of a user's own: read from files or a function, split once, packed, and refused with a reason."""

import gzip
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from data_files import idx_bytes
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sklearn.preprocessing import StandardScaler
from torchvision.datasets import ImageFolder

from study.config.data import Data
from study.config.read import ConfigError, parse
from study.data import DataError
from study.data.base import DataSet
from study.data.examples import Part, assembled
from study.data.own import PACKS, Source, described, packed
from study.data.sources import FILES
from study.training.batches import Batches, digits_of, normalised

CLASSES = ("birch", "elm", "oak")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder of its own, and nothing known of any other."""
    monkeypatch.chdir(tmp_path)
    described.cache_clear()


def pictures(folder: Path, count: int = 12, height: int = 6, width: int = 8, seed: int = 0) -> Path:
    """A folder of small colour pictures in three classes, each brighter in a band of its own."""
    random = np.random.default_rng(seed)
    for number, name in enumerate(CLASSES):
        (folder / name).mkdir(parents=True)
        for index in range(count):
            pixels = random.integers(0, 90, (height, width, 3), np.uint8)
            pixels[2 * number : 2 * number + 2] += 150
            Image.fromarray(pixels).save(folder / name / f"{index:02}.png")
    return folder


def data(**given: Any) -> Data:
    return Data.model_validate({"name": "mine", "validation_size": 10} | given)


def fault(**given: Any) -> str:
    """The one error of a study on such data."""
    described.cache_clear()
    study = {"name": "x", "regimes": {"a": {"data": {"name": "mine", "validation_size": 10} | given, "batch_size": 5}}}
    with pytest.raises(ConfigError) as error:
        parse(study)
    (line,) = error.value.messages
    return line.removeprefix("regimes.a.data.")


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


def _csv(change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    table = pd.DataFrame({"a": np.arange(40.0), "b": np.arange(40.0) % 7, "label": np.arange(40) % 2})
    change(table).to_csv("bad.csv", index=False)


def _npz(name: str, **other: Any) -> None:
    np.savez(f"{name}.npz", **{"x": np.arange(80.0).reshape(40, 2), "y": np.arange(40) % 2} | other)


def _zip(name: str) -> None:
    with zipfile.ZipFile(name, "w") as file:
        file.writestr("x", "no array")
        file.writestr("y", "no array")


FAULTS: dict[str, tuple[Callable[[], object], dict[str, Any], str]] = {
    "nothing there": (lambda: None, {"path": "nowhere", "test": 0.2},
                      "path: The 'path' parameter of data must name a folder or a file that exists. Got 'nowhere'"),
    "an empty class": (lambda: Path("trees/ash").mkdir(), {"path": "trees", "test": 0.2},
                       "path: The 'path' parameter of data must have a picture in each sub-folder. Got none in "
                       "'trees/ash' instead."),
    "mixed sizes": (lambda: Image.new("L", (9, 6)).save("trees/oak/99.png"), {"path": "trees", "test": 0.2},
                    "path: The 'path' parameter of data must hold pictures of one size where 'size' is left out. "
                    "Got 6 x 8 pixels and 6 x 9 in 'trees/oak/99.png' instead."),
    "no picture": (lambda: Path("trees/oak/99.png").write_text("no"), {"path": "trees", "test": 0.2},
                   "path: The 'path' parameter of data must hold pictures that can be read. Got 'trees/oak/99.png' ("),
    "no test": (lambda: None, {"path": "trees"},
                "test: The 'test' parameter of data must say how the test set is chosen: a share of each class"),
    "too few": (lambda: None, {"path": "trees", "test": 0.25, "validation_size": 15, "train_size": 13},
                "train_size: The 'train_size' parameter of data must be at most 12, what validation_size leaves of the "
                "27 of 'mine'. Got 13 instead."),
    "not a number": (lambda: _csv(lambda t: t.replace({"b": {3.0: np.nan}})), {"path": "bad.csv", "test": 0.2},
                     "path: The 'path' parameter of data must have finite numbers in every column but the label's. "
                     "Got nan in 'bad.csv', line 5, column 'b' instead."),
    "a gap in the labels": (lambda: _csv(lambda t: t.assign(label=2 * t["label"])), {"path": "bad.csv", "test": 0.2},
                            "path: The 'path' parameter of data must have labels 0 to C - 1, each of which occurs. "
                            "Got labels up to 2 and none of 1 instead."),
    "a negative label": (lambda: _csv(lambda t: t.assign(label=t["label"] - 1)), {"path": "bad.csv", "test": 0.2},
                         "path: The 'path' parameter of data must have labels 0 to C - 1, or names. Got -1 ('bad.csv', "
                         "line 2) instead."),
    "a column twice": (lambda: _csv(lambda t: t.set_axis(["a", "label", "label"], axis=1)),
                       {"path": "bad.csv", "test": 0.2},
                       "path: The 'path' parameter of data must name each column once. Got 'label' twice in 'bad.csv'"),
    "a long row": (lambda: Path("bad.csv").write_text("a,b,label\n" + "1,2,0,7\n3,1,1,8\n" * 20),
                   {"path": "bad.csv", "test": 0.2},
                   "path: The 'path' parameter of data must have 3 values in each row, one a column. Got 4 in "
                   "'bad.csv', line 2 instead."),
    "a long row later": (lambda: Path("bad.csv").write_text("a,b,label\n" + "1,2,0\n3,1,1\n" * 20 + "1,2,0,7\n"),
                         {"path": "bad.csv", "test": 0.2},
                         "path: The 'path' parameter of data must name a CSV file that can be read. Got 'bad.csv' ("),
    "a number that is missing": (lambda: _csv(lambda t: t.astype({"label": object}).replace({"label": {1: "NA"}})),
                                 {"path": "bad.csv", "test": 0.2},
                                 "path: The 'path' parameter of data must have a label in each row. Got none in "),
    "labels alone": (lambda: _csv(lambda t: t[["label"]]), {"path": "bad.csv", "test": 0.2},
                     "path: The 'path' parameter of data must hold examples of at least one number each. Got [40, 0]"),
    "numbers of things": (lambda: _csv(lambda t: t.assign(label=t["label"] + 1_700_000_000)),
                          {"path": "bad.csv", "test": 0.2},
                          "path: The 'path' parameter of data must have labels 0 to C - 1, each of which occurs. "
                          "Got labels up to 1700000001 and none of 0 instead."),
    "the same twice": (lambda: _csv(lambda t: t), {"path": "bad.csv", "test": "./bad.csv"},
                       "test: The 'test' parameter of data must name other examples than 'path', which is trained on."),
    "words and numbers": (lambda: (_npz("a", y=np.array(["0", "1"] * 20)), _npz("b")),
                          {"path": "a.npz", "test": "b.npz"},
                          "test: The 'test' parameter of data must have labels in words, like those that are trained"),
    "numbers and words": (lambda: (_npz("a"), _npz("b", y=np.array(["0", "1"] * 20))),
                          {"path": "a.npz", "test": "b.npz"},
                          "test: The 'test' parameter of data must have labels in numbers, like those that are"),
    "a scalar": (lambda: _npz("a", x=np.array(3.0)), {"path": "a.npz", "test": 0.2},
                 "path: The 'path' parameter of data must hold numbers [N, ...], an example a row. Got float64 []"),
    "no columns": (lambda: _npz("a", x=np.zeros((40, 0))), {"path": "a.npz", "test": 0.2},
                   "path: The 'path' parameter of data must hold examples of at least one number each. Got [40, 0]"),
    "an empty file": (lambda: Path("a.npz").write_bytes(b""), {"path": "a.npz", "test": 0.2},
                      "path: The 'path' parameter of data must name a .npz file of numpy that can be read. Got 'a.np"),
    "one array": (lambda: (np.save("a.npy", np.zeros(3)), shutil.move("a.npy", "a.npz")), {"path": "a.npz"},
                  "path: The 'path' parameter of data must name a .npz file of numpy that can be read. Got 'a.npz'"),
    "no arrays": (lambda: _zip("a.npz"), {"path": "a.npz", "test": 0.2},
                  "path: The 'path' parameter of data must have the arrays 'x_train' and 'y_train' or"),
    "nobody's home": (lambda: None, {"path": "~nosuch/x", "test": 0.2},
                      "path: The 'path' parameter of data must start with the home folder of a user that there is."),
    "a null byte": (lambda: None, {"path": "a\0b", "test": 0.2},
                    "path: The 'path' parameter of data must be a path without null bytes. Got 'a\\x00b' instead."),
    "a name of two words": (lambda: None, {"name": "my trees", "path": "trees", "test": 0.2},
                            "name: The 'name' parameter of data must be letters, digits, '-', '_' and '.', at most"),
    "an unnamed index": (lambda: _csv(lambda t: t.rename(columns={"a": "Unnamed: 0"})),
                         {"path": "bad.csv", "test": 0.2},
                         "path: The 'path' parameter of data must have a name for each column"),
    "another column": (lambda: _csv(lambda t: t), {"path": "bad.csv", "test": 0.2, "label": "kind"},
                       "label: The 'label' parameter of data must be a column of 'bad.csv', which has 'a', 'b'"),
    "a known name": (lambda: None, {"name": "mnist", "path": "trees", "test": 0.2},
                     "name: The 'name' parameter of data must be a new one, for data of your own, where 'path' is"),
    "a size of none": (lambda: None, {"name": "mnist-sample", "size": 28},
                       "size: The 'size' parameter of data must be left out for data 'mnist-sample'."),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTS)
def test_what_cannot_be_used_is_refused_with_its_place(case: str, tmp_path: Path) -> None:
    pictures(tmp_path / "trees")
    spoil, given, says = FAULTS[case]
    spoil()
    assert fault(**given).startswith(says)


def test_links_to_folders_multiply_no_picture(tmp_path: Path) -> None:
    alone = data(path=str(pictures(tmp_path / "trees")), test=0.25).holds
    (tmp_path / "trees/oak/again").symlink_to(".")
    (tmp_path / "trees/elm/all").symlink_to("..")
    described.cache_clear()
    assert data(path="trees", test=0.25).holds == alone
    shutil.move(tmp_path / "trees/birch", tmp_path / "elsewhere")
    (tmp_path / "trees/birch").symlink_to(tmp_path / "elsewhere")
    described.cache_clear()
    assert data(path="trees", test=0.25).holds == alone, "a class may lie on another disk"


def test_a_class_may_be_called_na(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": np.arange(40.0), "label": ["NA", "EU"] * 20})
    table.to_csv(tmp_path / "named.csv", index=False)
    found = data(path="named.csv", test=0.25)
    assert (found.folder / "classes.txt").read_text().split() == ["EU", "NA"]


def test_a_model_for_other_images_is_refused(tmp_path: Path) -> None:
    pictures(tmp_path / "trees")
    regime = {"data": {"name": "mine", "path": "trees", "test": 0.25, "validation_size": 10}, "batch_size": 5}
    says = "regimes.a.model: The 'model' parameter of regime must be one for examples of 'mine', which are 6 x 8 pixels"
    with pytest.raises(ConfigError, match=f"{says}. Got 'lenet' for 28 x 28 pixels instead"):
        parse({"name": "x", "regimes": {"a": {**regime, "model": "lenet"}}})
    square = {**regime["data"], "size": 28}  # type: ignore[dict-item]
    assert parse({"name": "x", "regimes": {"a": {**regime, "data": square, "model": "lenet"}}})
    turned = {**regime, "regularizations": ["none", {"name": "augmentation", "shift": 1}]}
    with pytest.raises(ConfigError, match="leave out 'augmentation', which turns square images"):
        parse({"name": "x", "regimes": {"a": turned}})


@pytest.mark.usefixtures("registries_as_before")
def test_a_function_may_return_the_examples(tmp_path: Path) -> None:
    class Blobs(DataSet):
        name: str = "blobs"
        spread: float = 1.0

        def examples(self) -> tuple[Any, ...]:
            random = np.random.default_rng(0)
            y = np.arange(60) % 2
            return random.normal(size=(60, 3)) * self.spread + y[:, None], y

    held = data(name="blobs", test=0.25).holds
    assert (held.examples, held.tested, held.inputs, held.image) == (45, 15, 3, None)
    assert data(name="blobs", test=0.25, parameters={"spread": 2}).holds.digest != held.digest
    assert fault(name="blobs", test=0.25, parameters={"sprad": 2}).startswith(
        "parameters.sprad: The 'sprad' parameter of data set 'blobs' is not known; it has 'spread'. Did"
    )
    Blobs.examples = lambda self: np.zeros(3)  # type: ignore[assignment, return-value]
    assert "The 'examples' method of data set 'blobs' must return x_train" in fault(
        name="blobs", test=0.25, parameters={"spread": 3}
    )
    Blobs.examples = lambda self: 1 / 0  # type: ignore[assignment, return-value]
    assert "must run. Got ZeroDivisionError: division by zero, line" in fault(
        name="blobs", test=0.25, parameters={"spread": 4}
    )
