"""Trainers: one file for each kind of training that is no supervised one, found automatically."""

from study.methods.base import discover
from study.training.replicates import Replicates
from study.workloads import Workload

discover(__name__, __path__)


def trainer_of(workload: Workload) -> type[Replicates]:
    """Return the class that trains a workload or the one that it extends; `Replicates` where none says that it does."""
    found = (Replicates.trainers[kind] for kind in type(workload).__mro__ if kind in Replicates.trainers)
    return next(found, Replicates)
