"""Base class of the workloads: their settings, and what the rest of the suite has to know of the training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from study.data.digits import CHANCE_FACTOR
from study.methods.base import Method

Floats = NDArray[np.floating[Any]]


class Workload(Method):
    """A kind of training, and all that the rest of the suite has to know of it.

    Its steps are taken by a class of `study.training.trainers`, which names the workload that it trains and is loaded
    when a training begins, not when a configuration is read. Clips, regularizers, models and optimizers come from the
    variant; seeds, scores, checkpoints and tables from the engine.
    """

    family: ClassVar[str] = "workload"
    reads_labels: ClassVar[bool] = True  # in its steps
    unit: ClassVar[str] = "epoch"  # what `epochs` of a regime counts
    learner: ClassVar[str] = "model"  # who sees `digits_of_one`
    columns: ClassVar[tuple[str, ...]] = ()  # of the table `epochs`, measured by the trainer in each unit
    tables: ClassVar[tuple[str, ...]] = ()  # of its trainings, beside those of every training
    accuracy: ClassVar[str] = "accuracy"  # what the columns of this name hold, in words
    loss_name: ClassVar[str] = "cross-entropy"  # what the columns of losses hold

    @classmethod
    def scores_of_its_own(cls) -> bool:
        """Return whether its columns of accuracy and loss hold something else than those of a classifier."""
        return (cls.accuracy, cls.loss_name) != (Workload.accuracy, Workload.loss_name)

    @property
    def words(self) -> str:
        """Return sentences about the training for the report; empty where there is nothing to say."""
        return ""

    def digits_of_one(self, digits: int) -> int:
        """Return how many of the training digits one learner sees, which bounds the batch size."""
        return digits

    def steps(self, digits: int, batch_size: int) -> int:
        """Return the optimizer steps of one unit; the last, incomplete batch of a pass is dropped."""
        return digits // batch_size

    def chance(self, classes: int) -> float:
        """Return the accuracy at or below which a run has learned nothing."""
        return CHANCE_FACTOR / classes

    def measures(self, tensor: str) -> bool:
        """Return whether statistics of steps are of this parameter tensor."""
        return True

    def data_fault(self, data: str) -> str | None:
        """Return what the data set of a name must be and is not, or None."""
        return None

    def outcomes(self, epochs: Mapping[str, Floats]) -> dict[str, float]:
        """Return columns of the table `runs`, from those of `epochs` [E + 1], whose first row is before training."""
        return {}
