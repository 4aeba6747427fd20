"""Trainings of workloads for their tests: what takes their steps, after the last epoch or round."""

from collections.abc import Callable
from typing import Any

from study.config.variants import Variant
from study.data import Digits
from study.training.batches import Batches
from study.training.recorder import Recorder
from study.training.trainers import trainer_of


def trained(
    v: Variant, seeds: list[int], digits: Digits, way: Callable[[Any], Any] | None = None
) -> tuple[Any, Recorder]:
    """The trainer of a variant's workload at the end, and its recorder.

    way: makes of the trainer's update what takes the steps; the compiled program does unless it is given.
    """
    batches = Batches.prepare(digits, v.data, seeds, "cpu")
    models = trainer_of(v.workload).start(v, seeds, batches)
    if way is not None:
        models.way = way(models.update)
    recorder = Recorder.open(v, len(seeds), models.parameters)
    for _ in range(v.epochs):
        models.epoch(batches, recorder)
    return models, recorder
