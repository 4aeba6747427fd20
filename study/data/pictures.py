"""A folder of pictures, a sub-folder for each class: turned to grey, brought to one size, as torchvision lists them."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from study.data.examples import Array, Part, SourceFault, reading

Size = tuple[int, int] | None
"""Height and width in pixels; None where all pictures have the same."""

MANY = 500  # pictures, of which it is said that they are read
PARTS = ("train", "test")


def read_pictures(folder: Path, size: Size, test: Path | None) -> tuple[Part, Part | None]:
    """The pictures to train on, and those of the test where they are apart.

    folder: with a sub-folder for each class, or with `train` and `test` that have them. size: each picture is scaled
    until it covers it, then cropped in the middle. Raises SourceFault.
    """
    apart = all((folder / part).is_dir() for part in PARTS)
    if apart and test is not None:
        raise SourceFault("test", "be left out where 'path' has the folders 'train' and 'test'", f"'{test}'")
    trained, tested = (folder / part for part in PARTS) if apart else (folder, test)
    train = _read(trained, size, "path")
    return train, None if tested is None else _read(tested, size, "path" if apart else "test")


def walked(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield `root` and each folder below with the names of its files, each real folder once.

    A link leads to another folder where that lies apart; one into `root`, or to what holds it, would list files twice.
    """
    real = os.path.realpath(root)
    seen = {real}

    def first(folder: str) -> bool:
        target = os.path.realpath(folder)
        inward = os.path.commonpath([real, target]) in (real, target)
        if target in seen or (os.path.islink(folder) and inward):
            return False
        seen.add(target)
        return True

    for folder, folders, names in os.walk(root, followlinks=True):
        folders[:] = [name for name in sorted(folders) if first(os.path.join(folder, name))]
        yield folder, names


def _read(folder: Path, size: Size, parameter: str) -> Part:
    files = _listed(folder, parameter)
    if len(files) >= MANY:
        print(f"Reading {len(files):,} pictures in '{folder}', once as long as they stay as they are", file=sys.stderr)
    pixels = [_pixels(Path(file), size, parameter) for file, _ in files]
    _one_size(pixels, files, parameter)
    labels = np.array([label for _, label in files])
    return Part(np.stack(pixels), labels, lambda index: f"'{files[index][0]}'", parameter)


def _listed(folder: Path, parameter: str) -> list[tuple[str, str]]:
    """Each picture with the name of its class."""
    from torchvision.datasets.folder import IMG_EXTENSIONS  # takes seconds, once

    classes = sorted(one.name for one in folder.iterdir() if one.is_dir() and not one.name.startswith((".", "__")))
    must = "be a folder with a sub-folder of pictures for each class"
    if not classes:
        raise SourceFault(parameter, must, f"'{folder}', which has no sub-folder")
    if loose := sorted(one.name for one in folder.iterdir() if one.suffix.lower() in IMG_EXTENSIONS):
        raise SourceFault(parameter, must, f"'{folder / loose[0]}', which is in none")
    found = [
        (Path(inner).relative_to(folder).parts[0], inner, name)
        for inner, names in walked(folder)
        for name in names
        if name.lower().endswith(IMG_EXTENSIONS)
    ]
    if empty := sorted({*classes} - {kind for kind, _, _ in found}):
        raise SourceFault(parameter, "have a picture in each sub-folder", f"none in '{folder / empty[0]}'")
    return [(os.path.join(inner, name), kind) for kind, inner, name in sorted(found) if kind in classes]


def _pixels(file: Path, size: Size, parameter: str) -> Array:
    """The grey values of a picture, uint8 [H, W]."""
    from PIL import Image, ImageOps

    must = "hold pictures that can be read"
    try:
        with reading(file, parameter, must), Image.open(file) as opened:
            if size and opened.format == "JPEG":
                opened.draft("L", (2 * size[1], 2 * size[0]))  # reads no more of a large photograph than is needed
            if opened.mode.startswith(("I", "F")):
                raise SourceFault(parameter, "hold pictures of 8 bits a channel", f"mode {opened.mode} of '{file}'")
            grey = ImageOps.exif_transpose(opened).convert("L")
            fitted = ImageOps.fit(grey, size[::-1]) if size else grey
            return np.asarray(fitted, np.uint8)
    except Image.DecompressionBombError as error:  # a kind of its own
        raise SourceFault(parameter, must, f"'{file}' ({error})") from error


def _one_size(pixels: list[Array], files: list[tuple[str, str]], parameter: str) -> None:
    counts = Counter(one.shape for one in pixels)
    if len(counts) < 2:
        return
    usual = counts.most_common(1)[0][0]
    other = next(index for index, one in enumerate(pixels) if one.shape != usual)
    got = f"{_sides(usual)} pixels and {_sides(pixels[other].shape)} in '{files[other][0]}'"
    raise SourceFault(parameter, "hold pictures of one size where 'size' is left out", got)


def _sides(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
