"""Types of configuration fields that hold a method of a family, or several regularizers together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import PlainSerializer, ValidatorFunctionWrapHandler, WithJsonSchema, WrapValidator

from study.claims import Claim
from study.clipping import Clipping
from study.methods.base import entry
from study.models import Model
from study.optim.losses import Loss
from study.optim.metrics import Metric
from study.optim.optimizers import Optimizer
from study.optim.schedules import Schedule
from study.parameters import first_duplicate, must
from study.regularization import Regularization
from study.workloads import Workload


def _one_or_several(value: object, several: ValidatorFunctionWrapHandler) -> tuple[Regularization, ...]:
    """Read one regularizer, or a list of regularizers that act together."""
    if not isinstance(value, list | tuple):
        return (Regularization.parse(value),)
    parsed: tuple[Regularization, ...] = several(value)
    names = [r.name for r in parsed]
    if not parsed or (len(parsed) > 1 and ("none" in names or first_duplicate(names))):
        raise must("a regularization, or a list of different ones without 'none'")
    return parsed


def combined_label(regularization: tuple[Regularization, ...]) -> str:
    """Return the label of regularizers that act together."""
    return " + ".join(one.label for one in regularization)


if TYPE_CHECKING:  # a type checker sees what a field holds, pydantic also how it is read
    ClaimChoice = Claim
    ClippingChoice = Clipping
    LossChoice = Loss
    MetricChoice = Metric
    ModelChoice = Model
    OptimizerChoice = Optimizer
    ScheduleChoice = Schedule
    WorkloadChoice = Workload
    Combination = tuple[Regularization, ...]
else:
    ClaimChoice, ClippingChoice, LossChoice = entry(Claim), entry(Clipping), entry(Loss)
    ModelChoice, OptimizerChoice, ScheduleChoice = entry(Model), entry(Optimizer), entry(Schedule)
    WorkloadChoice, MetricChoice = entry(Workload), entry(Metric)
    _ONE = Regularization.schema_of_family()
    Combination = Annotated[
        tuple[entry(Regularization), ...],
        WrapValidator(_one_or_several),
        PlainSerializer(lambda several: [one.model_dump(mode="json") for one in several]),
        WithJsonSchema({"anyOf": [*_ONE["anyOf"], {"type": "array", "items": _ONE, "minItems": 1}]}),
    ]
