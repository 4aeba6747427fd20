"""Grid of a study: variants (what is trained) and runs (a variant and a seed), each with an identity."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

from study.config.data import OF_SOURCE, Data
from study.config.fields import (
    ClippingChoice,
    Combination,
    LossChoice,
    MetricChoice,
    ModelChoice,
    OptimizerChoice,
    ScheduleChoice,
    WorkloadChoice,
)
from study.config.metrics import TuningByAnyMetric
from study.config.regime import Regime
from study.config.study import Statistics, Study
from study.config.trials import at_point, design
from study.config.tuning import Tuning, trained_on
from study.methods.base import Method
from study.optim.schedules import Constant
from study.parameters import PositiveInt, Settings
from study.workloads import Supervised


class Variant(Settings):
    """All settings that determine a training except its seed; equal digests mean equal results on one machine type.

    tuned: the trials by which its learning rate and strengths are still to be chosen; the present values are
    placeholders.
    """

    title: ClassVar[str] = "variant"
    came_later: ClassVar[Mapping[str, Any]] = {
        "schedule": Constant(),
        "folds": None,
        "tuned": None,
        "workload": Supervised(),
        "metrics": (),
    }
    regime: str
    workload: WorkloadChoice = Supervised()
    data: Data
    model: ModelChoice
    loss: LossChoice
    optimizer: OptimizerChoice
    schedule: ScheduleChoice = Constant()
    epochs: PositiveInt
    batch_size: PositiveInt
    clip: ClippingChoice
    regularization: Combination
    metrics: tuple[MetricChoice, ...] = ()
    statistics: Statistics
    device: str = "cpu"
    folds: int | None = None
    tuned: TuningByAnyMetric | None = None

    @property
    def clip_label(self) -> str:
        return _label(self.clip, self.tuned)

    @property
    def regularization_label(self) -> str:
        return " + ".join(_label(one, self.tuned) for one in self.regularization)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of all fields, 64 hex digits."""
        dumped = self.without_later(self.model_dump(mode="json"))
        for key in OF_SOURCE:  # a user's data are what they hold, wherever they lie
            dumped["data"].pop(key, None)
        text = json.dumps(dumped, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def slug(self) -> str:
        """Readable folder name, made unique by the digest."""
        name = f"{self.clip_label}+{self.regularization_label}".replace(")", "").replace(" + ", "+")
        return f"{re.sub(r'[^A-Za-z0-9_.=+]+', '-', name)[:80]}-{self.digest[:10]}"

    @property
    def steps(self) -> int:
        """The number of optimizer steps of one run."""
        return self.epochs * self.workload.steps(trained_on(self.data.trained_on, self.folds), self.batch_size)


def _label(method: Method, tuned: Tuning | None) -> str:
    """Return the label of a method, or its name while its strength is still to be chosen."""
    return f"{method.name}(tuned)" if tuned and method.search else method.label


@dataclass(frozen=True)
class RunSpec:
    """One run: a variant, a seed, and in cross-validation a fold."""

    variant: Variant
    seed: int
    fold: int | None = None

    @property
    def digest(self) -> str:
        fold = "" if self.fold is None else f"/{self.fold}"
        return hashlib.sha256(f"{self.variant.digest}/{self.seed}{fold}".encode()).hexdigest()


def expand(study: Study) -> tuple[Variant, ...]:
    """Return every variant of a study: the cells of clips x regularizations of each regime."""
    return tuple(variant for name, regime in study.regimes.items() for variant in _grid(study, name, regime))


def expand_tuning(study: Study) -> tuple[Variant, ...]:
    """Return every variant that tuning over grids tries: each method of a tuned regime alone, only scored."""
    lean = study.statistics.model_copy(update={"every_step": False, "probes": 0})
    return tuple(
        variant
        for name, regime in study.regimes.items()
        if regime.tuning and not regime.tuning.trials
        for variant in _grid(study, name, regime, statistics=lean, folds=regime.tuning.folds)
        if "none" in (variant.clip_label, variant.regularization_label)
    )


def expand_trials(study: Study) -> tuple[Variant, ...]:
    """Return every variant whose strengths trials choose, only scored; `trials` gives those trials."""
    return tuple(
        scored_only(variant) for name, regime in study.tried_regimes.items() for variant in _grid(study, name, regime)
    )


def scored_only(variant: Variant) -> Variant:
    """Return a variant as its trials are trained: without statistics, and on the folds of its tuning."""
    assert variant.tuned is not None  # only tuned variants have trials
    lean = variant.statistics.model_copy(update={"every_step": False, "probes": 0})
    return _changed(variant, statistics=lean, folds=variant.tuned.folds)


def trials(variant: Variant) -> tuple[Variant, ...]:
    """Return the trials of a variant, in order.

    Raises ValueError for a variant that is not tuned by trials.
    """
    if variant.tuned is None or variant.tuned.trials is None:
        raise ValueError(f"The variant '{variant.slug}' must be tuned by trials.")
    return tuple(trial(variant, index) for index in range(variant.tuned.trials))


def trial(variant: Variant, index: int) -> Variant:
    """Return one trial of a variant, with its learning rate and strengths at a point of the design."""
    tuning = variant.tuned
    assert tuning is not None  # only tuned variants have trials
    point = design(tuning.trials or 0, tuning.design_seed)[index].tolist()
    optimizer, clip, *regularization = at_point(
        (variant.optimizer, variant.clip, *variant.regularization), tuning, point
    )
    return _changed(variant, optimizer=optimizer, clip=clip, regularization=regularization, tuned=None)


def _changed(variant: Variant, **changes: Any) -> Variant:
    """Return a variant with other fields; pydantic's own copy would keep the digest."""
    own = {field: getattr(variant, field) for field in Variant.model_fields}
    return Variant.model_validate({**own, **changes})


def _grid(study: Study, name: str, regime: Regime, **others: Any) -> Iterator[Variant]:
    fields = Regime.model_fields.keys() & Variant.model_fields.keys()
    tuned = regime.tuning if regime.tuning and regime.tuning.trials else None
    shared = {field: getattr(regime, field) for field in fields} | {"statistics": study.statistics, "tuned": tuned}
    shared |= others
    for clip, regularization in regime.cells:
        yield Variant(
            regime=name,
            clip=clip,
            regularization=regularization,
            device=study.device,
            **shared,
        )


@dataclass(frozen=True)
class Block:
    """Seeds that one job trains together; `name` is a file name such as `0-9` or `0-2_7`."""

    seeds: tuple[int, ...]

    @property
    def name(self) -> str:
        runs: list[list[int]] = []
        for seed in sorted(self.seeds):
            if runs and seed == runs[-1][-1] + 1:
                runs[-1].append(seed)
            else:
                runs.append([seed])
        return "_".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)

    @classmethod
    def parse(cls, name: str) -> Self:
        """Return the block of a name; raises ValueError for any other text."""
        seeds: list[int] = []
        for part in name.split("_"):
            first, _, last = part.partition("-")
            seeds.extend(range(int(first), int(last or first) + 1))
        block = cls(tuple(seeds))
        if block.name != name:
            raise ValueError(f"'{name}' is not the name of a block of seeds")
        return block


def blocks_named(names: Iterable[str]) -> list[Block]:
    """Return the blocks among some names of folders; any other name, as of a copy made by hand, is passed over."""
    found = list[Block]()
    for name in names:
        with suppress(ValueError):
            found.append(Block.parse(name))
    return found


def plan_blocks(seeds: Sequence[int], done: Iterable[Block], size: int) -> tuple[Block, ...]:
    """Return blocks that cover the seeds: existing ones where they help, new ones of at most `size` for the rest.

    More seeds thus train only the new ones, and fewer seeds train nothing.
    """
    wanted, chosen = set(seeds), list[Block]()
    for block in sorted(done, key=lambda b: (-len(wanted.intersection(b.seeds)), b.seeds)):
        if missing_from(wanted, chosen).intersection(block.seeds):
            chosen.append(block)
    rest = sorted(missing_from(wanted, chosen))
    fresh = [Block(tuple(rest[i : i + size])) for i in range(0, len(rest), size)]
    return tuple(sorted([*chosen, *fresh], key=lambda block: block.seeds))


def missing_from(wanted: set[int], chosen: Iterable[Block]) -> set[int]:
    """Return the seeds that no block covers."""
    return wanted.difference(*(block.seeds for block in chosen))
