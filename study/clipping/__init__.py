"""Gradient clipping: one file per method, found automatically."""

from study.clipping.base import Clipping, Part, PerSample, Rescaling
from study.methods.base import discover

discover(__name__, __path__)

__all__ = ["Clipping", "Part", "PerSample", "Rescaling"]
