"""Facts that a method declares: name, meaning, formula, source, parameters, laws."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from study.methods.base import Method, compact
from study.methods.laws import CLIPPING_LAWS, REGULARIZATION_LAWS
from study.parameters import Must
from study.regularization import Regularization

LAWS: Mapping[str, Mapping[str, str]] = {"clipping": CLIPPING_LAWS, "regularization": REGULARIZATION_LAWS}
OF_PENALTIES = ("slope", "penalty_form", "slope_at_zero", "biases_exempt")
NOT_SAID = "no description"


@dataclass(frozen=True)
class Parameter:
    """One parameter: what it must be, in words, and its default, or that it must be given."""

    name: str
    be: str
    default: str


@dataclass(frozen=True)
class Facts:
    """One method, in words."""

    name: str
    family: str
    summary: str
    details: tuple[str, ...]  # the other paragraphs of the docstring
    formula: str
    source: str
    parameters: tuple[Parameter, ...]
    waived: Mapping[str, str]  # law in words -> reason
    kept: int  # how many of the laws that apply to it are kept


def facts(method: type[Method]) -> Facts:
    """The facts of a registered method."""
    summary, *details = paragraphs(method)
    laws = concerned(method)
    return Facts(
        name=str(method.model_fields["name"].default),
        family=method.family,
        summary=summary,
        details=tuple(details),
        formula=" ".join(method.formula.split()),
        source=" ".join(method.source.split()),
        parameters=tuple(parameter(key, field) for key, field in method.model_fields.items() if key != "name"),
        waived={law: reason for law, reason in method.waives.items() if law in LAWS.get(method.family, {})},
        kept=len(laws.keys() - method.waives.keys()),
    )


def concerned(method: type[Method]) -> dict[str, str]:
    """The laws of its family that can concern a method: those of penalties only one with a penalty."""
    laws = dict(LAWS.get(method.family, {}))
    if issubclass(method, Regularization):
        if not method.overrides("penalty"):
            laws = {law: words for law, words in laws.items() if law not in OF_PENALTIES}
        if not method.overrides("update"):
            laws.pop("minimises", None)
    return laws


def paragraphs(method: type[Method]) -> list[str]:
    """The paragraphs of the docstring, each as one line; lists keep their lines."""
    text = inspect.cleandoc(method.__dict__.get("__doc__") or "") or NOT_SAID.capitalize() + "."
    return [_joined(paragraph) for paragraph in re.split(r"\n\s*\n", text)]


def _joined(paragraph: str) -> str:
    lines = paragraph.splitlines()
    listed = any(re.match(r"\s*([-*]|\d+\.)\s", line) for line in lines)
    return "\n".join(lines) if listed else " ".join(line.strip() for line in lines)


def parameter(name: str, field: FieldInfo) -> Parameter:
    """One parameter of a method."""
    return Parameter(name, admissible(field), "must be given" if field.is_required() else shown(field.default))


def admissible(field: FieldInfo) -> str:
    """Return the admissible values of a parameter, in the words of its errors."""
    musts = [item.be for item in (*field.metadata, *_nested(field.annotation)) if isinstance(item, Must)]
    return musts[0] if musts else str(getattr(field.annotation, "__name__", field.annotation))


def _nested(annotation: Any) -> tuple[Any, ...]:
    """The metadata of annotations within a union."""
    parts = get_args(annotation) if get_origin(annotation) is not None else ()
    return tuple(item for part in parts for item in getattr(part, "__metadata__", ()))


def shown(value: object) -> str:
    """A default as one writes it in a configuration."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, tuple | list):
        return f"[{', '.join(shown(item) for item in value)}]"
    if isinstance(value, Method):
        return value.label
    return compact(value)
