"""Engine: many seeds of one variant trained together by one compiled step."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Generator

from study.config.variants import Variant
from study.data import Digits
from study.training.batches import Batches
from study.training.checkpoints import Checkpoint
from study.training.recorder import Recorder
from study.training.records import RunRecord
from study.training.replicates import Replicates
from study.training.trainers import trainer_of
from study.utils.timer import Timer

Report = Callable[[str], None]


def train(
    variant: Variant,
    seeds: Sequence[int],
    digits: Digits,
    report: Report = lambda line: None,
    checkpoint: Checkpoint | None = None,
    watch: Timer | None = None,
) -> list[RunRecord]:
    """Train one model per seed and return their records, in the order of the seeds.

    A seed's record does not depend on the seeds that share the call (wall time aside). A variant with folds trains a
    model per seed and fold. `report`: called with a line per epoch. `checkpoint`: continues an interrupted call to the
    same records, to the last bit; their wall time is that of all calls. `watch`: measures where the time goes.
    """
    started, watch = time.perf_counter(), watch or Timer()
    each = [seed for seed in seeds for _ in range(variant.folds or 1)]
    with watch.part("data"):
        batches = Batches.prepare(digits, variant.data, seeds, variant.device, variant.folds)
    replicates = trainer_of(variant.workload).start(variant, each, batches)
    recorder = Recorder.open(variant, len(each), replicates.parameters, replicates.evaluated())
    recorder.watch = watch
    training = TrainingState(replicates, recorder, batches.orders)
    if checkpoint and checkpoint.resume(training):
        started -= training.seconds
        report(f"goes on after {variant.workload.unit} {recorder.scored} of {variant.epochs}")
    else:
        training.score(batches)
    said = False
    while recorder.goes_on:
        with watch.part("training"):
            replicates.epoch(batches, recorder)
        if replicates.reason and not said:
            report(f"The steps are taken by torch, not by a compiled program: {replicates.reason}")
            said = True
        report(training.score(batches))
        training.seconds = time.perf_counter() - started
        if checkpoint:
            with watch.part("checkpoints"):
                checkpoint.keep(training)
    wall = (time.perf_counter() - started) / len(each)
    with watch.part("statistics and last scores"):
        return recorder.records(each, replicates, replicates.evaluated(), batches, wall)


@dataclass(eq=False)
class TrainingState:
    """State that changes while replicates train, which a checkpoint holds; orders: the streams of batch orders."""

    replicates: Replicates
    recorder: Recorder
    orders: tuple[Generator, ...]
    seconds: float = 0.0

    def score(self, batches: Batches) -> str:
        """Score the replicates after another epoch, or before the first; return a line about it."""
        with self.recorder.watch.part("scoring"):
            parameters = self.replicates.evaluated()
            self.recorder.noted[self.recorder.scored + 1] = self.replicates.noted
            return self.recorder.epoch(self.recorder.scored + 1, self.replicates, parameters, batches)
