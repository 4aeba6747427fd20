"""Regimes: one setting of data, model and training each, with its clips and regularizations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from study.clipping.none import NoClipping
from study.config import sweeps, trials, tuning
from study.config.data import Data
from study.config.fields import (
    ClippingChoice,
    Combination,
    LossChoice,
    MetricChoice,
    ModelChoice,
    OptimizerChoice,
    ScheduleChoice,
    WorkloadChoice,
    combined_label,
)
from study.config.metrics import TuningByAnyMetric, wrong_names
from study.config.tuning import Tuning
from study.methods.base import MethodCombination
from study.models.mlp import MLP
from study.optim.losses import CrossEntropy
from study.optim.optimizers import SGD
from study.optim.schedules import Constant
from study.parameters import Must, PositiveInt, Settings, Text, first_duplicate, listed, shown
from study.regularization.none import NoRegularization
from study.workloads import Supervised

Grids = BeforeValidator(sweeps.with_grids)


class Regime(Settings):
    """One setting of data, model and training, with its clips and regularizations."""

    title: ClassVar[str] = "regime"
    came_later: ClassVar[Mapping[str, Any]] = {"metrics": ()}
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
    metrics: Annotated[tuple[MetricChoice, ...], Must("a list of metrics that plugins define", ("f1", 3))] = ()
    tuning: TuningByAnyMetric | None = None
    part_of: Annotated[Text, Field(description="Written by a sweep: the regime that it stands in.")] = ""
    at: Annotated[
        dict[str, int | float | str],
        Field(description="Written by a sweep: the value of each of its keys."),
        Must("a mapping from keys to values", (3, "lr")),
    ] = {}  # noqa: RUF012, which pydantic copies

    @classmethod
    def writable(cls) -> list[str]:
        return [*(name for name in super().writable() if name not in ("part_of", "at")), "from", "sweep"]

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return self.without_later(handler(self))

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
            *self._batch_of_one(),
            *self._unfit_data(),
            *self._refusals(),
            *self._unreadable(),
            *wrong_names(self.metrics),
            *self._no_classes(),
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
                    yield "clips", f"go with the workload, every regularization and the model: {reason}", pair

    def _unfit_data(self) -> Iterator[tuple[str, str, object]]:
        if must := self.workload.data_fault(self.data.name):
            yield "data", f"{must} where the workload is '{self.workload.name}'", f"'{self.data.name}'"

        wrong = self.data.wrong_labels
        if not self.workload.reads_labels and (wrong.train or wrong.validation):
            must = f"leave out 'label_noise' where the workload is '{self.workload.name}', whose steps read no labels"
            yield "data", must, shown(self.data.model_dump(include={"label_noise"})["label_noise"])

    def _unreadable(self) -> Iterator[tuple[str, str, object]]:
        """A model or regularizers made for images other than those that there are."""
        image, wanted = self.data.holds.image, self.model.reads
        there = f"{image[0]} x {image[1]} pixels" if image else "no images"
        if wanted and image != wanted:
            must = f"be one for examples of '{self.data.name}', which are {there}"
            yield "model", must, f"'{self.model.name}' for {wanted[0]} x {wanted[1]} pixels"
        for one in dict.fromkeys(one.name for several in self.regularizations for one in several if one.of_squares):
            if image is None or image[0] != image[1]:
                must = f"leave out '{one}', which turns square images, where '{self.data.name}' has {there}"
                yield "regularizations", must, self.regularization_labels

    def _no_classes(self) -> Iterator[tuple[str, str, object]]:
        if self.metrics and self.workload.scores_of_its_own():
            names = [one.name for one in self.metrics]
            yield "metrics", f"be left out for workload '{self.workload.name}', which has scores of its own", names

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

    def _batch_of_one(self) -> Iterator[tuple[str, str, object]]:
        if self.model.normalizes_batches and self.batch_size == 1:
            yield "batch_size", "be at least 2 for batch normalization, which takes a variance of it", self.batch_size

    def _tuning_faults(self) -> Iterator[tuple[str, str, object]]:
        """Yield unequal budgets, more folds than digits, and keys that no sweep varies."""
        if self.tuning is None:
            return
        if wrong := self.tuning.unmeasured(self.metrics):
            yield "tuning", wrong, f"'{self.tuning.metric}'"
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
        for field, cells in (("clips", [(clip,) for clip in self.clips]), ("regularizations", self.regularizations)):
            if twin := first_duplicate([" + ".join(one.name for one in several) for several in cells]):
                yield field, "name each method once where trials choose its strength", f"'{twin}' twice"
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
    def crosses(self) -> bool:
        """Return whether every clip meets every regularizer, and there is such a pair."""
        labels = self.clip_labels, self.regularization_labels
        return self.grid == "crossed" and all(any(one != "none" for one in several) for several in labels)

    @property
    def maps_rates(self) -> bool:
        """Return whether it is a point of a sweep of the learning rate alone, with clips to the norm at thresholds."""
        thresholds = {one.label for one in self.clips if one.name == "global_norm"}
        return set(self.at) == {"optimizer.lr"} and len(thresholds) > 1

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
