"""Families of methods (clippings, regularizations, models, optimizers, losses), chosen by name in a configuration."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Self

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from study.methods.ranges import LogRange
from study.parameters import Settings, listed, must, said, suggestion

PLUGIN = "plugin_"  # starts the names of the modules that users' files become


class NameTwice(TypeError):  # noqa: N818, which the loader of users' files turns into an error
    """Two classes of one user's file have one name; the message says which, and where."""


@dataclass(frozen=True)
class MethodCombination:
    """The other methods of a variant that a method is combined with."""

    workload: Any
    model: Any
    loss: Any
    optimizer: Any
    clip: Any
    regularization: tuple[Any, ...]

    def conflicts(self) -> list[str]:
        """Return the reasons why these methods cannot be combined, one line each."""
        methods = (self.workload, self.model, self.loss, self.optimizer, self.clip, *self.regularization)
        return [reason for method in methods if (reason := method.conflict_with(self))]


class Method(Settings):
    """A member of a family: a class with a `name` and frozen, range-checked parameters.

    A direct subclass defines a family (`family = "clipping"`); every class below it that has a default `name` joins
    the family when it is defined. The first line of its docstring says what it does. The catalogue shows its `formula`
    (LaTeX), its `source` (with citations such as `@pascanu2013` of paper/references.bib) and its `waives`: the laws of
    its family that it breaks by design, each with the reason. The tests check that it keeps the others. `search` is the
    parameter by which it is tuned, and where, unless a configuration says otherwise.
    """

    family: ClassVar[str] = ""
    members: ClassVar[dict[str, type[Method]]] = {}
    formula: ClassVar[str] = ""
    source: ClassVar[str] = ""
    waives: ClassVar[Mapping[str, str]] = MappingProxyType({})
    search: ClassVar[LogRange | None] = None
    name: str

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if Method in cls.__bases__:
            cls.members = {}
        elif isinstance(name := cls.model_fields["name"].default, str):
            cls._refuse_twin(cls.members.get(name))
            cls.members[name] = cls

    @classmethod
    def _refuse_twin(cls, other: type[Method] | None) -> None:
        """Raise NameTwice where a user's file has given its name to another class already."""
        if other is not None and other.__module__ == cls.__module__ and cls.__module__.startswith(PLUGIN):
            frame = sys._getframe()
            while frame.f_back is not None and frame.f_globals.get("__name__") != cls.__module__:
                frame = frame.f_back
            first = inspect.getsourcelines(other)[1]
            raise NameTwice(f"{cls.owner()} at line {first} and at line {frame.f_lineno}")

    @classmethod
    def declared(cls) -> Mapping[str, tuple[object, tuple[str, ...]]]:
        """Return the class attributes that a family declares: for each its value, and the values it may have."""
        return {}

    @classmethod
    def owner(cls) -> str:
        return f"{cls.family} '{cls.model_fields['name'].default}'"

    @classmethod
    def parse(cls, entry: object) -> Self:
        """Return the member of the family that a config entry names, `name` or `{name: ..., parameter: ...}`."""
        if isinstance(entry, cls):
            return entry
        given: Mapping[str, Any] = {"name": entry} if isinstance(entry, str) else entry  # type: ignore[assignment]
        if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
            raise must("a name, or a mapping with 'name' and its parameters")
        if given["name"] not in cls.members:
            known = sorted(cls.members)
            raise unknown_name(cls.family, given["name"], known)
        return cls.members[given["name"]].model_validate(given)  # type: ignore[return-value]

    def conflict_with(self, combination: MethodCombination) -> str | None:
        """Return the reason why it cannot be combined with these methods, or None; asked before anything runs."""
        return None

    @classmethod
    def schema_of_family(cls) -> dict[str, Any]:
        """Return the JSON schema of a config entry: any member by name, or with parameters."""
        members = [m.model_json_schema() | {"required": ["name"]} for m in cls.members.values()]
        return {"anyOf": [{"enum": sorted(cls.members)}, *members]}

    @property
    def label(self) -> str:
        """Return a readable, unambiguous label: `name`, `name(0.1)` or `name(a=1, b=2)`, without defaults."""
        set_ = {
            key: getattr(self, key)
            for key, field in type(self).model_fields.items()
            if key != "name" and getattr(self, key) != field.default
        }
        if not set_:
            return self.name
        first = next(key for key in type(self).model_fields if key != "name")
        if list(set_) == [first]:
            return f"{self.name}({compact(set_[first])})"
        return f"{self.name}({', '.join(f'{key}={compact(value)}' for key, value in set_.items())})"


def unknown_name(family: str, name: str, known: list[str]) -> PydanticCustomError:
    """Return the error for a name that no member of the family has."""
    message = f"The 'name' parameter of {family} must be one of {listed(known)}. Got '{name}' instead."
    return said(message + suggestion(name, known))


def compact(value: object) -> str:
    """Return a parameter's value as in a label: the fewest digits that read back the same."""
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    if isinstance(value, tuple):
        return "x".join(compact(item) for item in value)
    if isinstance(value, Method):
        return value.label
    return str(value)


def discover(package: str, path: list[str]) -> None:
    """Import every module of a package, so that each method's file registers its method."""
    for module in pkgutil.iter_modules(path):
        importlib.import_module(f"{package}.{module.name}")


def entry(family: type[Method]) -> Any:
    """Return the type of a config field that holds one member of the family."""
    return Annotated[
        family,
        PlainValidator(family.parse),
        PlainSerializer(lambda method: method.model_dump(mode="json")),
        WithJsonSchema(family.schema_of_family()),
    ]
