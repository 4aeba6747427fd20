"""Regimes: one setting of data, model and training each, with its clips and regularizations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)

from study.clipping.none import NoClipping
from study.config import sweeps, trials, tuning
from study.config.fields import (
    ClippingChoice,
    Combination,
    LossChoice,
    ModelChoice,
    OptimizerChoice,
    ScheduleChoice,
    WorkloadChoice,
    combined_label,
)
from study.config.tuning import Tuning
from study.methods.base import MethodCombination
from study.models import MLP
from study.optim.losses import CrossEntropy
from study.optim.optimizers import SGD
from study.optim.schedules import Constant
from study.parameters import Must, NotBool, PositiveInt, Settings, Share, Text, first_duplicate, listed
from study.regularization.none import NoRegularization
from study.workloads import Supervised

TRAIN_DIGITS: Mapping[str, int] = {"mnist": 60_000, "fashion-mnist": 60_000, "mnist-sample": 1_000}
Grids = BeforeValidator(sweeps.with_grids)


class LabelNoise(Settings):
    """Shares of the training and validation labels that are replaced by wrong ones."""

    title: ClassVar[str] = "label_noise"
    train: Share = 0.0
    validation: Share = 0.0


def _noise_of(value: object, share: ValidatorFunctionWrapHandler) -> float | LabelNoise:
    """Read a share of the training labels, or shares of both parts; a plain number if that says the same."""
    if not isinstance(value, Mapping | LabelNoise):
        return share(value)
    both = LabelNoise.model_validate(value)
    return both if both.validation else both.train


if TYPE_CHECKING:  # a type checker sees what the field holds, pydantic also how it is read
    NoiseShares = float | LabelNoise
else:
    NoiseShares = Annotated[
        Share,
        WrapValidator(_noise_of),
        PlainSerializer(lambda noise: noise.model_dump() if isinstance(noise, LabelNoise) else noise),
        WithJsonSchema(
            {"anyOf": [{"type": "number", "minimum": 0, "exclusiveMaximum": 1}, LabelNoise.model_json_schema()]}
        ),
    ]


class Data(Settings):
    """The data set, its sizes, and the shares of wrong labels."""

    title: ClassVar[str] = "data"
    looks_at: ClassVar[Mapping[str, frozenset[str]]] = {"train_size": frozenset({"validation_size"})}
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
    label_noise: NoiseShares = 0.0

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
    def wrong_labels(self) -> LabelNoise:
        """The shares of wrong labels; a plain number applies to training labels only."""
        return self.label_noise if isinstance(self.label_noise, LabelNoise) else LabelNoise(train=self.label_noise)

    @property
    def trained_on(self) -> int:
        """The number of training digits."""
        return self.train_size or TRAIN_DIGITS[self.name] - self.validation_size


class Regime(Settings):
    """One setting of data, model and training, with its clips and regularizations."""

    title: ClassVar[str] = "regime"
    looks_at: ClassVar[Mapping[str, frozenset[str]]] = dict.fromkeys(  # whether strengths are left out
        ("clips", "regularizations", "pairs"), frozenset({"tuning"})
    )
    description: Text = ""
    workload: WorkloadChoice = Supervised()
    data: Data = Data()
    model: ModelChoice = MLP()
    loss: LossChoice = CrossEntropy()
    optimizer: OptimizerChoice = SGD(lr=0.01)
    schedule: ScheduleChoice = Constant()
    epochs: PositiveInt = 10
    batch_size: PositiveInt = 64
    grid: Annotated[Literal["crossed", "alone"], Must("'crossed' or 'alone'", ("full", True))] = "crossed"
    clips: Annotated[
        tuple[ClippingChoice, ...], Field(min_length=1), Grids, Must("a list of clippings", ([], "many"))
    ] = (NoClipping(),)
    regularizations: Annotated[
        tuple[Combination, ...], Field(min_length=1), Grids, Must("a list of regularizations", ([], "many"))
    ] = ((NoRegularization(),),)
    pairs: Annotated[
        tuple[tuple[ClippingChoice, Combination], ...],
        Must("a list of pairs, each of a clipping and a regularization", ("all", 3)),
    ] = ()
    tuning: Tuning | None = None
    part_of: Annotated[Text, Field(description="Written by a sweep: the regime that it stands in.")] = ""
    at: Annotated[
        dict[str, int | float | str],
        Field(description="Written by a sweep: the value of each of its keys."),
        Must("a mapping from keys to values", (3, "lr")),
    ] = {}  # noqa: RUF012, which pydantic copies

    @classmethod
    def writable(cls) -> list[str]:
        return [*(name for name in super().writable() if name not in ("part_of", "at")), "from", "sweep"]

    @model_validator(mode="before")
    @classmethod
    def _strengths_left_open(cls, raw: Any) -> Any:
        return trials.with_middles(raw)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        self.refuse(
            *_not_a_family("clips", self.clip_labels),
            *_not_a_family("regularizations", self.regularization_labels),
            *self._no_full_batch(),
            *self._refusals(),
            *self._tuning_faults(),
            *self._pair_faults(),
        )
        return self

    def _refusals(self) -> Iterator[tuple[str, str, object]]:
        """Yield the combinations of the grid that make no sense, each reason once."""
        said = set[str]()
        for clip, regularization in self.cells:
            combination = MethodCombination(self.workload, self.model, self.loss, self.optimizer, clip, regularization)
            for reason in combination.conflicts():
                if reason not in said:
                    said.add(reason)
                    pair = f"'{clip.label}' with '{combined_label(regularization)}' on '{self.model.label}'"
                    yield "clips", f"go with every regularization and the model: {reason}", pair

    def _no_full_batch(self) -> Iterator[tuple[str, str, object]]:
        digits = self.data.trained_on
        left = tuning.trained_on(digits, self.tuning.folds if self.tuning else None)
        most = self.workload.digits_of_one(left)
        if not most:
            yield "workload", f"leave each {self.workload.learner} a training digit", f"{left} digits"
        elif self.batch_size > most:
            of_one = f" of one {self.workload.learner}" if most < left else ""
            outside = " outside a fold" if left < digits else ""
            what = f"be at most {most}, the number of training digits{of_one}{outside}"
            yield "batch_size", what, self.batch_size

    def _tuning_faults(self) -> Iterator[tuple[str, str, object]]:
        """Yield unequal budgets, more folds than digits, and keys that no sweep varies."""
        if self.tuning is None:
            return
        if self.tuning.trials:
            yield from self._trial_faults(self.tuning)
        for field, labels in (("clips", self.clip_labels), ("regularizations", self.regularization_labels)):
            if counts := tuning.unequal_budgets(labels):
                yield field, "try every method at the same number of strengths, to be tuned fairly", counts
        if (folds := self.tuning.folds or 1) > self.data.trained_on:
            yield "tuning", f"have at most {self.data.trained_on} folds, the number of training digits", folds
        for key in self.tuning.along:
            if key not in self.at:
                yield "tuning", f"go along keys of the regime's sweep, which are {listed(list(self.at))}", f"'{key}'"

    def _trial_faults(self, tuning: Tuning) -> Iterator[tuple[str, str, object]]:
        """Yield strengths that are given although trials choose them, and ranges that fit no method."""
        combined = [one for several in self.regularizations for one in several]
        paired = [one for clip, several in self.pairs for one in (clip, *several)]
        for field, methods in (("clips", self.clips), ("regularizations", combined), ("pairs", paired)):
            yield from trials.faults(methods, self.optimizer, field)
        yield from trials.wrong_ranges([*self.clips, *combined, *paired], self.optimizer, tuning)

    def _pair_faults(self) -> Iterator[tuple[str, str, object]]:
        """Yield pairs with `none`, and pairs given twice."""
        labels = [f"{clip.label} and {combined_label(several)}" for clip, several in self.pairs]
        for clip, several in self.pairs:
            if "none" in (clip.label, combined_label(several)):
                yield "pairs", "be of methods other than 'none'", f"{clip.label} and {combined_label(several)}"
        if self.pairs and self.grid == "crossed":
            yield "pairs", "be left out of a crossed grid, which has them all", labels
        if twin := first_duplicate(labels):
            yield "pairs", "have each pair once", f"'{twin}' twice"

    @property
    def clip_labels(self) -> list[str]:
        """The labels of the clips, in their order."""
        return [clip.label for clip in self.clips]

    @property
    def regularization_labels(self) -> list[str]:
        """The labels of the regularizers and of their combinations, in their order."""
        return [combined_label(several) for several in self.regularizations]

    @property
    def setting(self) -> str | None:
        """The setting in which strengths are tuned: the sweep and its other axes; None unless tuned `along` a key."""
        along = self.tuning.along if self.tuning else ()
        return sweeps.point_name(self.part_of, {k: v for k, v in self.at.items() if k not in along}) if along else None

    @property
    def cells(self) -> tuple[tuple[ClippingChoice, Combination], ...]:
        """The pairs that are trained: all, or in a grid of methods `alone` those with a `none`, and `pairs`."""
        pairs = product(self.clips, self.regularizations)
        alone = (pair for pair in pairs if self.grid == "crossed" or "none" in (pair[0].label, combined_label(pair[1])))
        return (*alone, *self.pairs)

    @property
    def steps(self) -> int:
        """The number of optimizer steps of one run; an incomplete last batch of an epoch is dropped."""
        return self.epochs * self.workload.steps(self.data.trained_on, self.batch_size)


def _not_a_family(field: str, labels: list[str]) -> Iterator[tuple[str, str, object]]:
    if twin := first_duplicate(labels):
        yield field, "name each method once", f"'{twin}' twice"
    if "none" not in labels:
        yield field, "have 'none' in it, the baseline of every comparison", labels
