"""Gradient clipping: one file per method, found automatically."""

from study.clipping.base import Clipping, Part, PerSample, Rescaling, beside, rescaled
from study.methods import discover

discover(__name__, __path__)

__all__ = ["Clipping", "Part", "PerSample", "Rescaling", "beside", "rescaled"]
