"""Example parameters for the pictures: chosen for a few methods, found for any other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from study.methods.base import Method

CHOSEN: Mapping[str, Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "clipping": {
            "value": {"bound": 1.0, "low": -0.5},
            "adaptive_unit": {"ratio": 0.5},
            "sign_on_trigger": {"threshold": 1.0, "tensors": "all"},
            "percentile": {"window": 200},
            "ema_tensor": {"ratio": 1.5, "smoothing": 0.9, "warm_up_steps": 25},
            "spike": {"threshold": 8.0, "smoothing": 0.9, "warm_up_steps": 10},
        },
        "regularization": {
            "elastic_net": {"lambda1": 1.0, "lambda2": 1.0},
            "dropout": {"p": 0.5, "input_p": 0.2},
            "augmentation": {"shift": 3.0, "degrees": 20.0},
            "input_noise": {"std": 0.5},
            "label_smoothing": {"smoothing": 0.2},
            "gradient_noise": {"eta": 1.0},
            "weight_averaging": {"decay": 0.95},
            "sam": {"rho": 0.3},
            "gradient_penalty": {"strength": 1.0},
            "jacobian": {"strength": 0.2},
        },
        "optimizer": {
            "sgd": {"lr": 0.1, "momentum": 0.9},
        },
        "schedule": {
            "constant": {"warmup": 20},
        },
    }
)
GENERIC: tuple[Any, ...] = (1.0, 0.5, 0.1, 1, 2, True, "all", [1.0], [1])


def example(method: type[Method]) -> Method | None:
    """The method with the parameters chosen for its picture, or with whatever it admits; None where nothing is."""
    name = str(method.model_fields["name"].default)
    for chosen in (CHOSEN.get(method.family, {}).get(name, {}), {}):
        try:
            return method.model_validate({"name": name, **_generic(method), **chosen})
        except (ValidationError, StopIteration):
            continue
    return None


def _generic(method: type[Method]) -> dict[str, Any]:
    """For each parameter without a default, the first value that it admits."""
    fields = {key: field for key, field in method.model_fields.items() if field.is_required()}
    return {key: next(_admitted(field.annotation, tuple(field.metadata))) for key, field in fields.items()}


def _admitted(annotation: Any, metadata: tuple[Any, ...]) -> Iterator[Any]:
    adapter: TypeAdapter[Any] = TypeAdapter(Annotated[annotation, *metadata] if metadata else annotation)
    for value in (*(get_args(annotation) if get_origin(annotation) is Literal else ()), *GENERIC):
        try:
            adapter.validate_python(value)
        except ValidationError:
            continue
        yield value
