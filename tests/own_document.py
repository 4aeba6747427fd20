"""The code and the studies of docs/own.md, and pictures to train on."""

import re
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/own.md").read_text()
BLOCKS = {kind: re.findall(rf"```{kind}\n(.*?)```", TEXT, re.DOTALL) for kind in ("python", "yaml")}
CODE = "\n".join(BLOCKS["python"])  # of `mine.py`
STUDY = BLOCKS["yaml"][-1]
CLASSES = ("ash", "elm", "oak")


def draw(folder: Path, count: int = 60) -> Path:
    """A folder of photographs of three kinds: noise, brighter in a band of its own, all wider than high."""
    random = np.random.default_rng(0)
    for number, name in enumerate(CLASSES):
        (folder / name).mkdir(parents=True)
        for index in range(count):
            pixels = random.integers(0, 120, (36, 48, 3), np.uint8)
            pixels[12 * number : 12 * number + 12] += 60
            Image.fromarray(pixels).save(folder / name / f"{index:03}.{'jpg' if index % 2 else 'png'}")
    return folder
