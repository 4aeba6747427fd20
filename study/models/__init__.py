"""Models: one file per architecture, found automatically."""

from study.methods import discover
from study.models.base import ACTIVATIONS, Model, Site, sites, untouched
from study.models.initialisations import Initialisation
from study.models.mlp import MLP

discover(__name__, __path__)

__all__ = ["ACTIVATIONS", "MLP", "Initialisation", "Model", "Site", "sites", "untouched"]
