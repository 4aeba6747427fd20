"""Data of a user's own that cannot be used, refused with the reason and its place; and what only looks like it."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from own_files import data, elsewhere, fault, pictures
from PIL import Image

from study.config.read import ConfigError, parse
from study.data.base import DataSet
from study.data.own import described

__all__ = ["elsewhere"]  # every test here starts in a folder of its own


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
