"""Forecasts of what a study costs: core-seconds of each training, and a table before anything runs."""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import pandas as pd

from study.config.errors import Fault
from study.config.study import Study
from study.config.variants import Variant, expand, expand_trials, expand_tuning
from study.models import Model
from study.models.lenet import LeNet
from study.models.mlp import MLP
from study.models.patch_transformer import PatchTransformer
from study.models.row_rnn import RowRNN
from study.workloads.adversarial import Adversarial

# Measured on the reference machine of the README, ten replicates a training, statistics of every step on.
SECONDS_PER_JOB = 3.0  # start-up and work of a job that trains nothing
SECONDS_IN_GRIDS = 9.0  # of a training in grids that are not written out yet: many are slow to write out
SECONDS_PER_START = 5.0  # of the process that trains
SECONDS_OF_PACK = 60.0  # of work in such a process, at most, where a training alone does not take longer
SECONDS_PER_PROGRAM = 1.0  # compiled once for all strengths, rates and seeds
SECONDS_PER_TRAINING = 0.2  # the step traced, tables
SECONDS_PER_RUN = 0.1  # final scores of one replicate
SECONDS_PER_EPOCH = 0.007  # scoring one replicate after an epoch
SECONDS_PER_SCORED_SAMPLES = 0.2  # the same for a thousand samples of a generator
SECONDS_PER_PROBE = 0.1  # of one replicate
SECONDS_PER_LAYER = 0.048e-3  # of a step of one replicate, for each linear layer whatever its size
SECONDS_PER_PRODUCT = 0.0425e-9  # of a step, for each parameter and sample of the batch
SECONDS_PER_STEP: Mapping[type[Model], float] = {  # other nets, at batches of 64
    RowRNN: 3.0e-3,
    LeNet: 8.0e-3,
    PatchTransformer: 4.5e-3,
}
LEAN = 0.75  # a step without statistics, against one with them


def core_seconds(variant: Variant, seeds: int) -> float:
    """Forecast one training's time on one core, in seconds; the observed rate corrects it while the study runs.

    With its share of the start of a process, without the time to compile its program: see `seconds_of`.
    """
    probes = min(variant.statistics.probes, variant.epochs + 1)
    epoch = SECONDS_PER_SCORED_SAMPLES if isinstance(variant.workload, Adversarial) else SECONDS_PER_EPOCH
    evaluation = SECONDS_PER_RUN + epoch * variant.epochs + SECONDS_PER_PROBE * probes
    replicates = seeds * (variant.folds or 1)
    own = SECONDS_PER_TRAINING + replicates * (evaluation + variant.steps * step_seconds(variant))
    return own + SECONDS_PER_START * min(1.0, own / SECONDS_OF_PACK)


class Work(Protocol):
    """A training to forecast: `seconds` of a core, without those that compile its `program`."""

    @property
    def seconds(self) -> float: ...

    @property
    def program(self) -> Hashable: ...


def seconds_of(trainings: Collection[Work]) -> float:
    """Forecast the core-seconds of some trainings, each program compiled once."""
    return sum(one.seconds for one in trainings) + SECONDS_PER_PROGRAM * len({one.program for one in trainings})


def program_of(variant: Variant) -> Hashable:
    """Return what trainings have in common that share a compiled program: all that is no strength, rate or share."""
    settings = variant.model_dump(include=set(OF_PROGRAM))
    return tuple(_without_numbers(settings[name]) for name in OF_PROGRAM)


OF_PROGRAM = ("workload", "data", "model", "loss", "optimizer", "batch_size", "clip", "regularization", "statistics")


def _without_numbers(value: Any) -> Hashable:
    if isinstance(value, dict):
        return tuple((name, _without_numbers(one)) for name, one in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(map(_without_numbers, value))
    return None if isinstance(value, float) else value


def trials_seconds(variant: Variant) -> float:
    """Forecast the seconds of the job that trains all trials of a variant with all tuning seeds."""
    tuning = variant.tuned
    return core_seconds(variant, len(tuning.seeds) * (tuning.trials or 0)) if tuning else 0.0


def step_seconds(variant: Variant) -> float:
    """Forecast the seconds of one optimizer step of one replicate."""
    lean = 1.0 if variant.statistics.every_step else LEAN
    if isinstance(variant.workload, Adversarial):
        return lean * _of_two_players(variant, variant.workload)
    holds = variant.data.holds
    return lean * _of_net(variant.model, variant.batch_size, holds.inputs, holds.classes)


def _of_net(model: Model, rows: float, inputs: int, outputs: int) -> float:
    """Forecast the seconds of a step of one net on a number of rows."""
    if isinstance(model, MLP):
        widths = (inputs, *model.hidden, outputs)
        products = sum(a * b for a, b in pairwise(widths)) * rows
        return SECONDS_PER_LAYER * (len(widths) - 1) + SECONDS_PER_PRODUCT * products
    return SECONDS_PER_STEP.get(type(model), SECONDS_PER_STEP[LeNet]) * rows / 64


def _of_two_players(variant: Variant, workload: Adversarial) -> float:
    """Forecast a step of a discriminator on twice the rows and of a generator; gradient penalties add passes."""
    inputs = variant.data.holds.inputs
    rows = 2 + 2 / 3 + sum(2 for one in variant.regularization if one.overrides("data_penalty"))
    generator = MLP(hidden=(*workload.generator[::-1], workload.latent))
    return _of_net(variant.model, rows * variant.batch_size, inputs, 1) + _of_net(
        generator, 4 / 3 * variant.batch_size, inputs, 1
    )


def affordable(core_hours: float) -> int:
    """Return the largest number of trainings to write out for a time; each is then forecast by itself."""
    return int(3600 * core_hours / SECONDS_IN_GRIDS)


def too_dear(study: Study) -> Iterator[Fault]:
    """Yield the fault of a study whose forecast exceeds its `max_core_hours`."""
    trainings = [TrainingCost.of(one, len(study.seeds), tuning=False, needed=True) for one in expand(study)]
    for one in expand_tuning(study):
        tuning = study.regimes[one.regime].tuning
        trainings.append(TrainingCost.of(one, len(tuning.seeds) if tuning else 0, tuning=True, needed=True))
    trainings += [TrainingCost.of_trials(one, needed=True) for one in expand_trials(study)]
    if (hours := math.ceil(_hours(trainings))) > study.max_core_hours:
        must = f"must be at least {hours:,}, the forecast of all that the study trains"
        got = f"Got {study.max_core_hours:g} instead. Raise it, or ask for less."
        yield Fault(("max_core_hours",), f"The 'max_core_hours' parameter of study {must}. {got}")


@dataclass(frozen=True)
class TrainingCost:
    """Cost of one training: its regime, whether it tunes, its runs, their steps, its forecast in core-seconds."""

    regime: str
    tuning: bool
    runs: int
    steps: int
    seconds: float
    needed: bool
    program: Hashable

    @classmethod
    def of(cls, variant: Variant, seeds: int, tuning: bool, needed: bool) -> TrainingCost:
        """Return the cost of a variant with some seeds; `needed`: it is still to be trained."""
        runs = seeds * (variant.folds or 1)
        seconds = core_seconds(variant, seeds)
        return cls(variant.regime, tuning, runs, runs * variant.steps, seconds, needed, program_of(variant))

    @classmethod
    def of_trials(cls, variant: Variant, needed: bool) -> TrainingCost:
        """Return the cost of all trials of a variant."""
        assert variant.tuned is not None  # only tuned variants have trials
        runs = len(variant.tuned.seeds) * (variant.tuned.trials or 0) * (variant.folds or 1)
        seconds = trials_seconds(variant)
        return cls(variant.regime, True, runs, runs * variant.steps, seconds, needed, program_of(variant))


def cost_table(trainings: Sequence[TrainingCost], cores: int, others: int = 0) -> str:
    """Return a table of trainings, runs, steps and core-hours by regime and in all, and of what is left to do.

    others: number of jobs that train nothing (tables, figures, the report); each counts as the start of a job.
    """
    regimes: dict[str, list[TrainingCost]] = {}
    for one in trainings:
        regimes.setdefault(one.regime, []).append(one)
    rows = [_cost_row(name, several) for name, several in regimes.items()]
    rows += [_cost_row("of these, tuning", [one for one in trainings if one.tuning]), _cost_row("all", trainings)]
    left = [one for one in trainings if one.needed]
    table = pd.DataFrame(rows, columns=["regime", "trainings", "runs", "steps", "core-hours"]).to_string(index=False)
    hours = _hours(left) + others * SECONDS_PER_JOB / 3600
    rest = f"To do: {len(left)} of {len(trainings)} trainings"
    rest += f" and up to {others} jobs of tables, figures and the report" if others else ""
    return (
        f"{table}\n\n{rest}, {hours:.2f} core-hours, about {duration(3600 * hours / cores)} on {counted_cores(cores)}."
    )


def _cost_row(name: str, trainings: Sequence[TrainingCost]) -> tuple[str, int, int, str, str]:
    steps, hours = f"{sum(one.steps for one in trainings):,}", f"{_hours(trainings):.2f}"
    return name, len(trainings), sum(one.runs for one in trainings), steps, hours


def _hours(trainings: Sequence[TrainingCost]) -> float:
    return seconds_of(trainings) / 3600


def counted_cores(cores: int) -> str:
    return "1 core" if cores == 1 else f"{cores} cores"


def duration(seconds: float) -> str:
    """Return a time as text: `40 s`, `12 min`, `3 h 20 min`."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
