"""Choice of strengths: the digits, seeds, candidates and rule by which they are chosen."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from study.methods.labels import method_of
from study.parameters import Must, NaturalInt, NotBool, Positive, Settings, Text, first_duplicate, listed

FIRST_TUNING_SEED = 10_000
MOST_TUNING_SEEDS = 1_000
MOST_TRIALS = 1_024
Metric = Literal[
    "validation_loss", "validation_accuracy", "best_validation_loss", "best_validation_accuracy", "train_loss"
]
METRICS: tuple[str, ...] = get_args(Metric)  # columns of `runs` that choose; none of them sees a test digit
Ends = tuple[Positive, Positive]
Ranges = Annotated[
    dict[Text, Ends],
    Must("a mapping from 'lr' or names of methods to [low, high]", (3, ["lr"])),
]


def _tuning_seeds(value: object) -> object:
    """Read a number n as n seeds from 10,000 on, which the evaluation does not use."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST_TUNING_SEEDS:
        return tuple(range(FIRST_TUNING_SEED, FIRST_TUNING_SEED + value))
    return value


def distinct(values: tuple[object, ...]) -> tuple[object, ...]:
    """Return the values; raises ValueError if one comes twice, which the field puts into words."""
    if first_duplicate(values) is not None:
        raise ValueError
    return values


def seeds_schema(most: int) -> WithJsonSchema:
    """Return the schema of seeds: their number, or a list."""
    seed = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
    seeds = {"type": "array", "items": seed, "minItems": 1, "uniqueItems": True}
    return WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1, "maximum": most}, seeds]})


class Tuning(Settings):
    """Choice of each method's strength by validation scores, on seeds of its own, never on the test set.

    folds: None for hold-out on the validation digits, k for k-fold cross-validation on the training digits. rule:
    "minimum" takes the smallest mean loss; "one_standard_error" the strongest candidate, listed last in the grid, whose
    mean is within one standard error of it, in the same regime (Hastie, Tibshirani & Friedman 2009, section 7.10).
    along: keys of the regime's sweep, such as optimizer.lr, to choose together with the strength.

    trials: None to try the listed strengths; a number to try that many pairs of a learning rate and a strength, the
    same number for every method and for the baseline, quasi-random over logarithmic ranges. design_seed: scrambles
    their Sobol sequence. ranges: [low, high] by method, and "lr", instead of the declared ones. widened: wider ranges,
    for an optimum that was found at an edge, so that a report can say so. metric: the criterion, a mean over the tuning
    seeds.
    """

    title: ClassVar[str] = "tuning"
    folds: Annotated[
        Annotated[int, Field(ge=2, le=20), NotBool] | None,
        Must("a whole number from 2 to 20, or null for hold-out", (1, 0, 21, 2.5, "all", True)),
    ] = None
    rule: Annotated[
        Literal["minimum", "one_standard_error"], Must("'minimum' or 'one_standard_error'", ("best", 1))
    ] = "minimum"
    seeds: Annotated[
        tuple[NaturalInt, ...],
        BeforeValidator(_tuning_seeds),
        Field(min_length=1),
        AfterValidator(distinct),
        seeds_schema(MOST_TUNING_SEEDS),
        Must(
            f"a number of seeds up to {MOST_TUNING_SEEDS}, or a list of different whole numbers of at least 0",
            (0, -1, [], [3, 3], "three"),
        ),
    ] = tuple(range(FIRST_TUNING_SEED, FIRST_TUNING_SEED + 3))
    along: Annotated[tuple[str, ...], Must("a list of keys that the sweep varies", ("lr", [3]))] = ()
    metric: Annotated[Metric, Must(f"one of {listed(METRICS)}", ("test_loss", 3))] = "validation_loss"
    trials: Annotated[
        Annotated[int, Field(ge=2, le=MOST_TRIALS), NotBool] | None,
        Must(f"a whole number from 2 to {MOST_TRIALS}, or null for a grid", (1, 0, 2.5, "many", True)),
    ] = None
    design_seed: NaturalInt = 0
    ranges: Ranges = {}  # noqa: RUF012, which pydantic copies
    widened: Ranges = {}  # noqa: RUF012

    @model_validator(mode="after")
    def _of_trials_or_of_grids(self) -> Self:
        only = {"ranges": self.ranges, "widened": self.widened, "design_seed": self.design_seed}
        if self.trials is None:
            self.refuse(*((key, "be left out without 'trials'", value) for key, value in only.items() if value))
        else:
            self.refuse(*((key, "be left out with 'trials'", list(value)) for key, value in self._of_grids().items()))
        self.refuse(*_wrong_ends("ranges", self.ranges), *_wrong_ends("widened", self.widened))
        return self

    def _of_grids(self) -> Mapping[str, Sequence[str]]:
        """Return the settings that need a grid, whose strengths have an order."""
        given = {"along": self.along, "rule": () if self.rule == "minimum" else (self.rule,)}
        return {key: value for key, value in given.items() if value}


def _wrong_ends(field: str, ranges: Mapping[str, Ends]) -> list[tuple[str, str, object]]:
    must = "go from a smaller to a greater number"
    return [(field, must, f"{[low, high]} for '{name}'") for name, (low, high) in ranges.items() if low >= high]


def trained_on(train_size: int, folds: int | None) -> int:
    """Return the number of digits that one model learns from: all, or those outside the largest fold."""
    return train_size if folds is None else train_size - math.ceil(train_size / folds)


def unequal_budgets(labels: Sequence[str]) -> dict[str, int] | None:
    """Return how many strengths each method would be tried at, if all but 'none' do not have the same number."""
    counts = Counter(method_of(label) for label in labels if label != "none")
    return dict(counts) if len(set(counts.values())) > 1 else None
