"""Data of a user's own for tests: files of pictures, and the one error of a study on what cannot be used."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from study.config.data import Data
from study.config.read import ConfigError, parse
from study.data.own import described

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
