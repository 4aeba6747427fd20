"""Models: one file per architecture, found automatically."""

from study.methods.base import discover
from study.models.base import ACTIVATIONS, Model, Site, sites, untouched
from study.models.initialisations import Initialisation
from study.models.lenet import LeNet
from study.models.mlp import MLP
from study.models.patch_transformer import PatchTransformer
from study.models.row_rnn import RowRNN

discover(__name__, __path__)

__all__ = [
    "ACTIVATIONS",
    "MLP",
    "Initialisation",
    "LeNet",
    "Model",
    "PatchTransformer",
    "RowRNN",
    "Site",
    "sites",
    "untouched",
]
