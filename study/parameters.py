"""Typed, frozen settings whose every error says which parameter of what must be what, and what it got."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.functional_validators import ModelWrapValidatorHandler
from pydantic_core import InitErrorDetails, PydanticCustomError


@dataclass(frozen=True)
class Must:
    """What a parameter must be, in words, and values that are not: one declaration for messages, docs and tests."""

    be: str
    refused: tuple[Any, ...] = ()


def _no_bool(value: object) -> object:
    """YAML reads `yes` and `no` as booleans, and Python takes a boolean for a number."""
    if isinstance(value, bool):
        raise PydanticCustomError("boolean", "a number")
    return value


NotBool = BeforeValidator(_no_bool)
NOT_NUMBERS = ("much", True, float("nan"), float("inf"), [1])

Number = Annotated[float, NotBool, Must("a number", NOT_NUMBERS)]
Positive = Annotated[float, Field(gt=0), NotBool, Must("a positive number", (-1, 0, *NOT_NUMBERS))]
NonNegative = Annotated[float, Field(ge=0), NotBool, Must("a number of at least 0", (-1, *NOT_NUMBERS))]
Share = Annotated[float, Field(ge=0, lt=1), NotBool, Must("a number from 0 to below 1", (-0.1, 1, 2, *NOT_NUMBERS))]
PositiveInt = Annotated[int, Field(ge=1), NotBool, Must("a whole number of at least 1", (0, -3, 1.5, "many", True))]
NaturalInt = Annotated[int, Field(ge=0), NotBool, Must("a whole number of at least 0", (-1, 1.5, "many", True))]
Flag = Annotated[bool, Must("true or false", ("perhaps", 2))]
Text = Annotated[str, Must("a text", (3, ["words"]))]
Texts = Annotated[tuple[Text, ...], Field(min_length=1), Must("a list of texts", ("words", 3, [3], []))]


def suggestion(word: object, known: Sequence[str]) -> str:
    """A 'did you mean' for a near-miss, else nothing."""
    near = difflib.get_close_matches(str(word), known, n=1)
    return f" Did you mean '{near[0]}'?" if near else ""


class Settings(BaseModel):
    """A frozen group of parameters; unknown ones are refused, all errors come at once and in one form.

    Raises `pydantic.ValidationError`, each of whose lines reads
    "The 'max_norm' parameter of clipping 'global_norm' must be a positive number. Got -1 instead."
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    title: ClassVar[str] = ""

    @classmethod
    def owner(cls) -> str:
        """Whose parameters these are, as named in an error."""
        return cls.title or cls.__name__.lower()

    @model_validator(mode="wrap")
    @classmethod
    def _reword(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(value)
        except ValidationError as error:
            lines = [cls._line(dict(line)) for line in error.errors(include_url=False)]
            raise ValidationError.from_exception_data(cls.__name__, lines) from None

    @classmethod
    def _line(cls, line: dict[str, Any]) -> InitErrorDetails:
        loc, kind = tuple(line["loc"]), line["type"]
        message = line["msg"] if kind == "parameter" else cls._message(loc, kind, line)
        return InitErrorDetails(type=said(message), loc=loc, input=line["input"])

    @classmethod
    def _message(cls, loc: tuple[Any, ...], kind: str, line: dict[str, Any]) -> str:
        if not loc:
            return f"The {cls.owner()} section must be a mapping of parameters. Got {line['input']!r} instead."
        start = f"The '{loc[0]}' parameter of {cls.owner()}"
        if kind in ("extra_forbidden", "invalid_key"):
            known = [name for name in cls.model_fields if name != "name" or cls.title]
            return f"{start} is not known; it has {listed(known)}.{suggestion(loc[0], known)}"
        wanted = cls._wanted(str(loc[0]), kind, line["msg"])
        if kind == "missing":
            return f"{start} must be {wanted}. Got nothing instead."
        return f"{start} must be {wanted}. Got {line['input']!r} instead."

    @classmethod
    def fault(cls, name: str, what: str, got: object) -> str:
        """The one form of an error: whose parameter, what it must, what it got."""
        return f"The '{name}' parameter of {cls.owner()} must {what}. Got {got} instead."

    @classmethod
    def refuse(cls, *faults: tuple[str, str, object]) -> None:
        """Raise one error for each fault found across parameters: (parameter, what it must, what it got)."""
        lines = [
            InitErrorDetails(type=said(cls.fault(name, what, got)), loc=(name,), input=got)
            for name, what, got in faults
        ]
        if lines:
            raise ValidationError.from_exception_data(cls.__name__, lines)

    @classmethod
    def _wanted(cls, name: str, kind: str, message: str) -> str:
        if kind == "must":  # a validator of ours said it in full
            return message
        field = cls.model_fields.get(name)
        musts = [item.be for item in (field.metadata if field else ()) if isinstance(item, Must)]
        return musts[0] if musts else message[:1].lower() + message[1:]


def must(be: str) -> PydanticCustomError:
    """The error of a validator: what the parameter must be."""
    return PydanticCustomError("must", "{be}", {"be": be})


def said(message: str) -> PydanticCustomError:
    """The error whose message is complete as it is."""
    return PydanticCustomError("parameter", "{message}", {"message": message})


def listed(names: Sequence[str]) -> str:
    """The names in quotes, with commas."""
    return ", ".join(f"'{name}'" for name in names) or "none"


def first_duplicate(items: Sequence[Any], key: Callable[[Any], str] = str) -> str | None:
    """The first key that comes twice, or None."""
    keys = [key(item) for item in items]
    return next((k for i, k in enumerate(keys) if k in keys[:i]), None)
