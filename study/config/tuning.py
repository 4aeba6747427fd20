"""How strengths are chosen: on which digits, with which seeds, by which rule, and along which keys of a sweep."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from study.methods.labels import method_of
from study.parameters import Must, NaturalInt, NotBool, Settings, first_duplicate

FIRST_TUNING_SEED = 10_000
MOST_TUNING_SEEDS = 1_000


def _tuning_seeds(value: object) -> object:
    """A number of seeds n means n seeds from 10,000 on, apart from those of the evaluation."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST_TUNING_SEEDS:
        return tuple(range(FIRST_TUNING_SEED, FIRST_TUNING_SEED + value))
    return value


def distinct(values: tuple[object, ...]) -> tuple[object, ...]:
    """The values, if none comes twice; else a ValueError, which the field words."""
    if first_duplicate(values) is not None:
        raise ValueError
    return values


def seeds_schema(most: int) -> WithJsonSchema:
    """How seeds are written: their number, or a list."""
    seed = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
    seeds = {"type": "array", "items": seed, "minItems": 1, "uniqueItems": True}
    return WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1, "maximum": most}, seeds]})


class Tuning(Settings):
    """Each method's strength is chosen by the loss on validation digits, with seeds of its own, never on the test set.

    folds: None for hold-out on the validation digits, k for k-fold cross-validation of the training digits.
    rule: "minimum" takes the smallest mean loss; "one_standard_error" the strongest, listed last in the grid, whose
    mean is within one standard error of it, in the same regime (Hastie, Tibshirani & Friedman 2009, section 7.10).
    along: keys of the regime's sweep, such as optimizer.lr, that are chosen together with the strength.
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


def trained_on(train_size: int, folds: int | None) -> int:
    """Digits that one model learns from: all, or those outside the largest fold."""
    return train_size if folds is None else train_size - math.ceil(train_size / folds)


def unequal_budgets(labels: Sequence[str]) -> dict[str, int] | None:
    """How many strengths each method would be tried at, where that is not the same for all but 'none'."""
    counts = Counter(method_of(label) for label in labels if label != "none")
    return dict(counts) if len(set(counts.values())) > 1 else None
