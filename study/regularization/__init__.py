"""Regularization: one file per method, found automatically."""

from study.methods.base import discover
from study.regularization.base import Objective, Place, Regularization

discover(__name__, __path__)

__all__ = ["Objective", "Place", "Regularization"]
