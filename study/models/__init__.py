"""Models: one file per architecture, found automatically."""

from study.methods.base import discover
from study.models.base import ACTIVATIONS, Model, Site, outside_linear_layers, sites, untouched
from study.models.initialisations import Initialisation

discover(__name__, __path__)

__all__ = [
    "ACTIVATIONS",
    "Initialisation",
    "Model",
    "Site",
    "outside_linear_layers",
    "sites",
    "untouched",
]
