"""A study's configuration: YAML -> one frozen, typed `Study`, or every error at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, ValidationError, model_validator

from study.clipping import Clipping
from study.losses import CrossEntropy, Loss
from study.methods import entry
from study.models import MLP, Model
from study.optimizers import SGD, Optimizer
from study.parameters import (
    Must,
    NaturalInt,
    NotBool,
    PositiveInt,
    Settings,
    Share,
    first_duplicate,
    must,
)
from study.regularization import Regularization

TRAIN_DIGITS: Mapping[str, int] = {"mnist": 60_000, "fashion-mnist": 60_000, "mnist-sample": 1_000}
Slug = Annotated[
    str,
    Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$"),
    Must("lower-case letters, digits, '-' and '_', at most 40 of them", ("../up", "A b", "", 7)),
]


class ConfigError(ValueError):
    """A configuration that cannot be used; `messages` has one line for each thing to mend."""

    def __init__(self, source: str, messages: list[str]) -> None:
        self.messages = messages
        count = "1 error" if len(messages) == 1 else f"{len(messages)} errors"
        super().__init__("\n".join([f"{count} in {source}", *(f"  {line}" for line in messages)]))


class Data(Settings):
    """Which digits, how many, and how many of their labels are wrong."""

    title: ClassVar[str] = "data"
    name: Annotated[Literal["mnist", "fashion-mnist", "mnist-sample"], Must(f"one of {', '.join(TRAIN_DIGITS)}")] = "mnist"
    train_size: Annotated[Annotated[int, NotBool, Field(ge=10)] | None, Must("a whole number of at least 10, or null for all", (0, 9, -1, 1.5, "all"))] = None
    validation_size: Annotated[int, NotBool, Field(ge=10), Must("a whole number of at least 10", (0, 9, -1, 1.5))] = 5_000
    label_noise: Share = 0.0

    @model_validator(mode="after")
    def _enough_digits(self) -> Self:
        room = TRAIN_DIGITS[self.name] - self.validation_size
        if room < (self.train_size or 10):
            what = f"train_size + validation_size of data '{self.name}' must be at most {TRAIN_DIGITS[self.name]}"
            raise must(f"The {what}. Got {self.train_size} + {self.validation_size} instead.")
        return self

    @property
    def trained_on(self) -> int:
        """The number of training digits."""
        return self.train_size or TRAIN_DIGITS[self.name] - self.validation_size


def _several(value: object) -> tuple[Regularization, ...]:
    """One regularizer, or a list of regularizers that act together."""
    items = value if isinstance(value, list | tuple) else [value]
    if not items:
        raise must("a regularization, or a list of at least one")
    parsed = tuple(Regularization.parse(item) for item in items)
    if len(parsed) > 1 and (any(r.name == "none" for r in parsed) or first_duplicate([r.name for r in parsed])):
        raise must("a combination of different regularizations, 'none' not among them")
    return parsed


Clip = entry(Clipping)
Combination = Annotated[
    tuple[entry(Regularization), ...],
    BeforeValidator(_several),
    PlainSerializer(lambda several: [one.model_dump(mode="json") for one in several]),
]


def combined_label(regularization: tuple[Regularization, ...]) -> str:
    """The label of regularizers acting together."""
    return " + ".join(one.label for one in regularization)


class Regime(Settings):
    """One setting of data, model and training, in which every clip meets every regularization."""

    title: ClassVar[str] = "regime"
    description: str = ""
    data: Data = Data()
    model: entry(Model) = MLP()  # type: ignore[valid-type]
    loss: entry(Loss) = CrossEntropy()  # type: ignore[valid-type]
    optimizer: entry(Optimizer) = SGD(lr=0.01)  # type: ignore[valid-type]
    epochs: PositiveInt = 10
    batch_size: PositiveInt = 64
    clips: Annotated[tuple[Clip, ...], Field(min_length=1), Must("a list of clippings", ([], "many"))] = ("none",)  # type: ignore[valid-type]
    regularizations: Annotated[tuple[Combination, ...], Field(min_length=1), Must("a list of regularizations", ([], "many"))] = ("none",)  # type: ignore[assignment]

    @model_validator(mode="after")
    def _baseline_and_no_twins(self) -> Self:
        for field, labels in (
            ("clips", [clip.label for clip in self.clips]),
            ("regularizations", [combined_label(r) for r in self.regularizations]),
        ):
            if twin := first_duplicate(labels):
                raise must(f"The '{field}' parameter of regime must name each method once. Got '{twin}' twice instead.")
            if "none" not in labels:
                raise must(f"The '{field}' parameter of regime must have 'none' in it, the baseline of every comparison. Got {labels} instead.")
        return self

    @model_validator(mode="after")
    def _at_least_one_batch(self) -> Self:
        if self.batch_size > self.data.trained_on:
            raise must(f"The 'batch_size' parameter of regime must be at most {self.data.trained_on}, the number of training digits. Got {self.batch_size} instead.")
        return self

    @property
    def steps(self) -> int:
        """Optimizer steps of one run; the last, incomplete batch of an epoch is dropped."""
        return self.epochs * (self.data.trained_on // self.batch_size)


class Statistics(Settings):
    """What is measured while training, beside losses and accuracies; none of it changes a result."""

    title: ClassVar[str] = "statistics"
    every_step: bool = True
    windows: PositiveInt = 200
    probes: NaturalInt = 10
    probe_samples: Annotated[int, NotBool, Field(ge=2), Must("a whole number of at least 2", (0, 1, -5, 2.5))] = 64
    curve_samples: PositiveInt = 2_000


class Analysis(Settings):
    """How differences are estimated."""

    title: ClassVar[str] = "analysis"
    confidence: Annotated[float, NotBool, Field(gt=0.5, lt=1), Must("a number above 0.5 and below 1", (0.5, 1, 95, "high"))] = 0.95
    resamples: Annotated[int, NotBool, Field(ge=999), Must("a whole number of at least 999", (0, 10, "many"))] = 9_999


def _seeds(value: object) -> object:
    """A number of seeds n means the seeds 0 to n - 1."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return tuple(range(value))
    return value


def _distinct(seeds: tuple[int, ...]) -> tuple[int, ...]:
    if first_duplicate(seeds) is not None:
        raise ValueError
    return seeds


class Study(Settings):
    """Everything a study is: regimes x clips x regularizations x seeds, and how they are measured."""

    title: ClassVar[str] = "study"
    name: Slug
    title_of_report: str = ""
    seeds: Annotated[
        tuple[NaturalInt, ...],
        BeforeValidator(_seeds),
        Field(min_length=1),
        AfterValidator(_distinct),
        Must("a number of seeds, or a list of different whole numbers of at least 0", (0, -1, [], [1, 1], [-1], "ten")),
    ] = tuple(range(10))
    seeds_per_job: PositiveInt = 10
    device: Annotated[Literal["cpu", "cuda"], Must("'cpu' or 'cuda'", ("gpu", 1))] = "cpu"
    statistics: Statistics = Statistics()
    analysis: Analysis = Analysis()
    regimes: Annotated[dict[Slug, Regime], Field(min_length=1), Must("a mapping from names to regimes", ({}, [], "all"))]


def parse(raw: Mapping[str, Any], source: str = "the configuration") -> Study:
    """The typed study of a raw mapping, whose `defaults` every regime starts from.

    Raises `ConfigError` with one line for each error, as "key: The 'p' parameter of ... must be ... Got ... instead."
    """
    given = {key: value for key, value in raw.items() if key != "defaults"}
    defaults = raw.get("defaults", {})
    if isinstance(defaults, Mapping) and isinstance(given.get("regimes"), Mapping):
        given["regimes"] = {
            name: merge(defaults, regime if regime is not None else {}) for name, regime in given["regimes"].items()
        }
    try:
        return Study.model_validate(given)
    except ValidationError as error:
        raise ConfigError(source, list(dict.fromkeys(_messages(error, raw)))) from None


def merge(base: Mapping[str, Any], over: Any) -> Any:
    """`over` laid on `base`, mapping by mapping; a mapping that names another method replaces the whole of the base's."""
    if not isinstance(over, Mapping):
        return over
    if "name" in over and over["name"] != base.get("name", over["name"]):
        return dict(over)
    both = {k: merge(base[k], v) if isinstance(base.get(k), Mapping) else v for k, v in over.items()}
    return {**base, **both}


def _messages(error: ValidationError, raw: Mapping[str, Any]) -> Iterator[str]:
    for line in error.errors(include_url=False):
        loc = tuple(part for part in line["loc"] if part != "[key]")
        key = ".".join(str(part) for part in _origin(loc, raw))
        yield f"{key}: {line['msg']}" if key else line["msg"]


def _origin(loc: tuple[Any, ...], raw: Mapping[str, Any]) -> tuple[Any, ...]:
    """Where the user wrote it: a regime's key that stands in `defaults` is named there."""
    general = ("defaults", *loc[2:])
    if loc[:1] != ("regimes",) or len(loc) < 3 or _stands(raw, loc):
        return loc
    parent_is_general = len(loc) > 3 and not _stands(raw, loc[:-1]) and _stands(raw, general[:-1])
    return general if _stands(raw, general) or parent_is_general else loc


def _stands(raw: Any, loc: tuple[Any, ...]) -> bool:
    for part in loc:
        try:
            raw = raw[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def json_schema() -> dict[str, Any]:
    """The JSON schema of a config file: of `Study`, and of the `defaults` that regimes start from."""
    schema = Study.model_json_schema()
    schema["properties"]["defaults"] = {"$ref": "#/$defs/Regime"}
    return schema
