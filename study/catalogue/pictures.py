"""The picture of any method of clipping or regularization, chosen by what it overrides, never by its name."""

from __future__ import annotations

import io
from pathlib import Path

import torch
from PIL import Image

from study.catalogue import pictures_clipping
from study.catalogue.panels import Panel, picture
from study.catalogue.pictures_data import panels_of_data
from study.catalogue.pictures_network import panels_of_network
from study.catalogue.pictures_training import ascents, averages, stops
from study.catalogue.pictures_weights import descent, maps_of, noises, pulls
from study.clipping import Clipping
from study.figures._style import save
from study.methods.base import Method
from study.regularization import Regularization
from study.results.store import atomically

COLORS = 224  # of a picture's palette: it keeps the files small


def panels_of(method: Method) -> list[Panel]:
    """Panels that fit what it acts on, not drawn yet."""
    if isinstance(method, Clipping):
        return pictures_clipping.panels_of(method)
    assert isinstance(method, Regularization)
    return _panels_of_regularization(method)


def words_of(method: Method) -> str:
    """Return what the panels of a picture show, in words."""
    return " ".join(panel.words for panel in panels_of(method))


def _panels_of_regularization(method: Regularization) -> list[Panel]:
    acts = method.overrides
    if acts("evaluated"):
        return averages(method)
    if acts("stops"):
        return stops(method)
    if acts("ascent"):
        return [*ascents(method), descent(method)]
    if acts("batch") or acts("activation"):
        return panels_of_data(method)
    if acts("data_penalty"):
        return panels_of_network(method)
    if acts("update"):
        return [*maps_of(method), descent(method)]
    if method.noise({"input": (1, 1)}, {"weight": torch.ones(1, 1)}):
        return [*noises(method), descent(method)]
    if acts("penalty") or acts("before_clip") or acts("after_clip"):
        return [*pulls(method), descent(method)]
    return [descent(method)]


def draw(method: Method, path: Path) -> None:
    """Write the picture of a method with its parameters, the same bytes each time."""
    torch.set_num_threads(1)  # sums of the same numbers in the same order
    save(picture(panels_of(method)), path.with_suffix(""), ("png",))
    small = Image.open(path).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    content = io.BytesIO()
    small.save(content, format="PNG", optimize=True)
    atomically(path, lambda file: file.write_bytes(content.getvalue()))
