"""Claims about clipping and regularization: one file each, found automatically."""

from study.claims.base import Claim
from study.methods.base import discover

discover(__name__, __path__)

__all__ = ["Claim"]
