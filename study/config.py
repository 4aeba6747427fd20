"""What a study is configured by: frozen, typed, checked against each other."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from study import plugins
from study.choices import (
    ClippingChoice,
    Combination,
    LossChoice,
    ModelChoice,
    OptimizerChoice,
    ScheduleChoice,
    combined_label,
)
from study.clipping.none import NoClipping
from study.losses import CrossEntropy
from study.methods import Company
from study.models import MLP
from study.optimizers import SGD
from study.parameters import (
    Flag,
    Must,
    NaturalInt,
    NotBool,
    PositiveInt,
    Settings,
    Share,
    Text,
    first_duplicate,
    listed,
    said,
)
from study.regularization.none import NoRegularization
from study.schedules import Constant

TRAIN_DIGITS: Mapping[str, int] = {"mnist": 60_000, "fashion-mnist": 60_000, "mnist-sample": 1_000}
# By their files: importing them would load matplotlib into every training.
FIGURE_NAMES = tuple(sorted(info.name for info in pkgutil.iter_modules([str(Path(__file__).parent / "figures")])
                     if info.name not in ("layout", "style", "summaries")))  # fmt: skip
Slug = Annotated[
    str,
    Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$"),
    Must("lower-case letters, digits, '-' and '_', at most 40 of them", ("../up", "A b", "", 7)),
]


class Data(Settings):
    """Which digits, how many, and how many of their labels are wrong."""

    title: ClassVar[str] = "data"
    name: Annotated[
        Literal["mnist", "fashion-mnist", "mnist-sample"],
        Must(f"one of {listed(tuple(TRAIN_DIGITS))}", ("imagenet", 3)),
    ] = "mnist"
    train_size: Annotated[
        Annotated[int, Field(ge=10), NotBool] | None,
        Must("a whole number of at least 10, or null for all", (0, 9, -1, 1.5, "all")),
    ] = None
    validation_size: Annotated[int, Field(ge=10), NotBool, Must("a whole number of at least 10", (0, 9, -1, 1.5))] = (
        5_000
    )
    label_noise: Share = 0.0

    @model_validator(mode="after")
    def _enough_digits(self) -> Self:
        digits, least = TRAIN_DIGITS[self.name], 10
        room = digits - self.validation_size
        if room < least:
            must_be = f"be at most {digits - least}, to leave digits of '{self.name}' to train on"
            self.refuse(("validation_size", must_be, self.validation_size))
        elif self.train_size is not None and self.train_size > room:
            must_be = f"be at most {room}, what validation_size leaves of the {digits} of '{self.name}'"
            self.refuse(("train_size", must_be, self.train_size))
        return self

    @property
    def trained_on(self) -> int:
        """The number of training digits."""
        return self.train_size or TRAIN_DIGITS[self.name] - self.validation_size


class Regime(Settings):
    """One setting of data, model and training, and the clips and regularizations that meet in it."""

    title: ClassVar[str] = "regime"
    description: Text = ""
    data: Data = Data()
    model: ModelChoice = MLP()
    loss: LossChoice = CrossEntropy()
    optimizer: OptimizerChoice = SGD(lr=0.01)
    schedule: ScheduleChoice = Constant()
    epochs: PositiveInt = 10
    batch_size: PositiveInt = 64
    grid: Annotated[Literal["crossed", "alone"], Must("'crossed' or 'alone'", ("full", True))] = "crossed"
    clips: Annotated[tuple[ClippingChoice, ...], Field(min_length=1), Must("a list of clippings", ([], "many"))] = (
        NoClipping(),
    )
    regularizations: Annotated[
        tuple[Combination, ...], Field(min_length=1), Must("a list of regularizations", ([], "many"))
    ] = ((NoRegularization(),),)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        self.refuse(
            *_not_a_family("clips", [clip.label for clip in self.clips]),
            *_not_a_family("regularizations", [combined_label(r) for r in self.regularizations]),
            *_no_full_batch(self.batch_size, self.data.trained_on),
            *self._refusals(),
        )
        return self

    def _refusals(self) -> Iterator[tuple[str, str, object]]:
        """Combinations of the grid that make no sense, each reason once."""
        said = set[str]()
        for clip, regularization in self.cells:
            for reason in Company(self.model, self.loss, self.optimizer, clip, regularization).refusals():
                if reason not in said:
                    said.add(reason)
                    pair = f"'{clip.label}' with '{combined_label(regularization)}' on '{self.model.label}'"
                    yield "clips", f"go with every regularization and the model: {reason}", pair

    @property
    def cells(self) -> tuple[tuple[ClippingChoice, Combination], ...]:
        """The pairs that are trained: all, or in a grid of methods alone those of which one is 'none'."""
        pairs = product(self.clips, self.regularizations)
        return tuple(
            pair for pair in pairs if self.grid == "crossed" or "none" in (pair[0].label, combined_label(pair[1]))
        )

    @property
    def steps(self) -> int:
        """Optimizer steps of one run; the last, incomplete batch of an epoch is dropped."""
        return self.epochs * (self.data.trained_on // self.batch_size)


def _not_a_family(field: str, labels: list[str]) -> Iterator[tuple[str, str, object]]:
    if twin := first_duplicate(labels):
        yield field, "name each method once", f"'{twin}' twice"
    if "none" not in labels:
        yield field, "have 'none' in it, the baseline of every comparison", labels


def _no_full_batch(batch_size: int, digits: int) -> Iterator[tuple[str, str, object]]:
    if batch_size > digits:
        yield "batch_size", f"be at most {digits}, the number of training digits", batch_size


class Statistics(Settings):
    """What is measured while training, beside losses and accuracies; none of it changes a result."""

    title: ClassVar[str] = "statistics"
    every_step: Flag = True
    windows: PositiveInt = 200
    probes: NaturalInt = 6
    probe_samples: Annotated[int, Field(ge=2), NotBool, Must("a whole number of at least 2", (0, 1, -5, 2.5))] = 64
    curve_samples: PositiveInt = 1_000


MOST_SEEDS = 10_000


def _seeds(value: object) -> object:
    """A number of seeds n means the seeds 0 to n - 1."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST_SEEDS:
        return tuple(range(value))
    return value


def _distinct(seeds: tuple[int, ...]) -> tuple[int, ...]:
    if first_duplicate(seeds) is not None:
        raise ValueError
    return seeds


def _loaded(paths: tuple[str, ...]) -> tuple[str, ...]:
    try:
        plugins.load(paths)
    except plugins.PluginError as error:
        raise said(f"The 'plugins' parameter of study {error}.") from None
    return paths


class Study(Settings):
    """Everything a study is: regimes x clips x regularizations x seeds, and how they are measured."""

    title: ClassVar[str] = "study"
    name: Slug
    description: Text = ""
    seeds: Annotated[
        tuple[Annotated[NaturalInt, Field(lt=2**31)], ...],
        BeforeValidator(_seeds),
        Field(min_length=1),
        AfterValidator(_distinct),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "integer", "minimum": 1, "maximum": MOST_SEEDS},
                    {
                        "type": "array",
                        "items": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
                        "minItems": 1,
                        "uniqueItems": True,
                    },
                ]
            }
        ),
        Must(
            f"a number of seeds up to {MOST_SEEDS}, or a list of different whole numbers of at least 0, below 2^31",
            (0, -1, 10**9, [], [1, 1], [-1], [2**70], "ten"),
        ),
    ] = tuple(range(10))
    seeds_per_job: PositiveInt = 10
    device: Annotated[Literal["cpu", "cuda"], Must("'cpu' or 'cuda'", ("gpu", 1))] = "cpu"
    plugins: Annotated[
        tuple[str, ...],
        AfterValidator(_loaded),  # before the regimes, which may name the methods
        Must("a list of Python files", ("methods.py", [3])),
    ] = ()
    statistics: Statistics = Statistics()
    figures: Annotated[
        tuple[Literal[FIGURE_NAMES], ...] | None,  # type: ignore[valid-type]
        Must(f"a list of figures out of {listed(FIGURE_NAMES)}, or null for all", ("all", ["pie"], 3)),
    ] = None
    regimes: Annotated[
        dict[Slug, Regime],
        Field(min_length=1),
        Must("a mapping from names (lower-case letters, digits, '-' and '_') to regimes", ({}, [], "all")),
    ]


def json_schema() -> dict[str, Any]:
    """The JSON schema of a config file: of `Study`, and of the `defaults` that regimes start from."""
    schema = Study.model_json_schema()
    schema["properties"]["defaults"] = {"$ref": "#/$defs/Regime"}
    return schema
