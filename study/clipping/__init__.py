"""Gradient clipping: one file per method, found automatically."""

from study.clipping.base import Clipping, PerSample, Rescaling
from study.methods import discover

discover(__name__, __path__)

__all__ = ["Clipping", "PerSample", "Rescaling"]
