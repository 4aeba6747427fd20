"""Typed, frozen settings: each error names the parameter and its owner, what must hold, and the value given."""

from __future__ import annotations

import datetime
import difflib
import re
import reprlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.functional_validators import ModelWrapValidatorHandler
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError


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
Inside = Annotated[float, Field(gt=0, lt=1), NotBool, Must("a number between 0 and 1", (-0.1, 0, 1, *NOT_NUMBERS))]
MOST = 2**31 - 1
Whole = Annotated[int, Field(le=MOST), NotBool]
PositiveInt = Annotated[Whole, Field(ge=1), Must("a whole number of at least 1", (0, -3, 1.5, "many", True))]
NaturalInt = Annotated[Whole, Field(ge=0), Must("a whole number of at least 0", (-1, 1.5, "many", True))]
Flag = Annotated[bool, Must("true or false", ("perhaps", 2))]
Text = Annotated[str, Must("a text", (3, ["words"]))]
Texts = Annotated[tuple[Text, ...], Field(min_length=1), Must("a list of texts", ("words", 3, [3], []))]


def suggestion(word: object, known: Sequence[str]) -> str:
    """A 'did you mean' for a near-miss, in whatever case, else nothing."""
    lower = {name.lower(): name for name in known if name != word}
    near = difflib.get_close_matches(str(word)[:MOST_LETTERS].lower(), lower, n=1)
    return f" Did you mean '{lower[near[0]]}'?" if near else ""


MOST_LETTERS, MOST_SHOWN = 120, 400  # of a text in an error, and of a whole value


class _Brief(reprlib.Repr):
    """`repr` of what may be huge: mappings in their order, long things cut."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 4
        self.maxlist = self.maxtuple = self.maxdict = 12
        self.maxstring = self.maxlong = self.maxother = MOST_LETTERS

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        if x and level <= 0:
            return "{...}"
        items = list(x.items())[: self.maxdict]
        shown = [f"{self.repr1(key, level - 1)}: {self.repr1(value, level - 1)}" for key, value in items]
        return "{" + ", ".join([*shown, *(["..."] if len(x) > len(items) else [])]) + "}"

    def repr_float(self, x: float, level: int) -> str:
        return repr(x)

    def repr_int(self, x: int, level: int) -> str:
        return f"a number of {x.bit_length()} bits" if x.bit_length() > 1_000 else super().repr_int(x, level)

    def repr_date(self, x: datetime.date, level: int) -> str:
        return f"the date {x}"

    repr_datetime = repr_date


def shown(value: object) -> str:
    """A value as it is shown in an error."""
    text = _Brief().repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


def not_text(value: object) -> str:
    """What to do where YAML made something else of a text, else nothing."""
    if isinstance(value, bool):
        return " YAML reads yes, no, on and off as true and false; quotes make a text of them."
    return " Quotes make a text of it." if isinstance(value, datetime.date) else ""


class Settings(BaseModel):
    """A frozen group of parameters; unknown ones are refused, all errors come at once and in one form.

    Raises `pydantic.ValidationError`, each of whose lines reads
    "The 'max_norm' parameter of clipping 'global_norm' must be a positive number. Got -1 instead."
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    title: ClassVar[str] = ""
    # What a check across parameters looks at beside the one that it names, and what stands for a wrong one meanwhile.
    looks_at: ClassVar[Mapping[str, frozenset[str]]] = MappingProxyType({})
    stand_ins: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    came_later: ClassVar[Mapping[str, Any]] = MappingProxyType({})  # parameters, and their defaults

    def without_later(self, dumped: Mapping[str, Any]) -> dict[str, Any]:
        """Return its dumped parameters without those that came later and are at their defaults.

        What ran or was frozen before they came keeps its identity.
        """
        later = {key for key, default in self.came_later.items() if key in dumped and getattr(self, key) == default}
        return {key: value for key, value in dumped.items() if key not in later}

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
            found = [*error.errors(include_url=False)]
            if isinstance(value, Mapping):
                found += cls._hidden(value, handler, {line["loc"][0] for line in found if line["loc"]})
            lines = [cls._line(dict(line)) for line in found if not _empty_by_errors(line, found)]
            raise ValidationError.from_exception_data(cls.__name__, lines) from None

    @classmethod
    def _hidden(cls, value: Mapping[Any, Any], handler: Callable[[Any], Any], bad: set[Any]) -> list[ErrorDetails]:
        """What checks across parameters find once those that are wrong are left out."""
        found, dropped = list[ErrorDetails](), set[Any]()
        while bad:
            dropped |= bad
            kept = {key: each for key, each in value.items() if key not in dropped}
            try:
                handler({**{key: cls.stand_ins[key] for key in dropped & cls.stand_ins.keys()}, **kept})
                break
            except ValidationError as error:
                lines = [line for line in error.errors(include_url=False) if line["loc"]]
                new = [line for line in lines if line["loc"][0] not in dropped]
                found += [line for line in new if not dropped & cls.looks_at.get(str(line["loc"][0]), frozenset())]
                bad = {line["loc"][0] for line in new}
        return found

    @classmethod
    def _line(cls, line: dict[str, Any]) -> InitErrorDetails:
        loc, kind = tuple(line["loc"]), line["type"]
        message = line["msg"] if kind == "parameter" else cls._message(loc, kind, line)
        return InitErrorDetails(type=said(message), loc=loc, input=line["input"])

    @classmethod
    def _message(cls, loc: tuple[Any, ...], kind: str, line: dict[str, Any]) -> str:
        got = line["input"]
        if not loc:
            return f"The {cls.owner()} section must be a mapping of parameters. Got {shown(got)} instead."
        start = f"The '{loc[0]}' parameter of {cls.owner()}"
        if kind in ("extra_forbidden", "invalid_key"):
            known = cls.writable()
            return f"{start} is not known; it has {listed(known)}.{suggestion(loc[0], known)}"
        wanted = cls._wanted(str(loc[0]), kind, line["msg"])
        if kind == "missing":
            return f"{start} must be {wanted}. Got nothing instead."
        return f"{start} must be {wanted}. Got {shown(got)} instead.{hint(kind, got, wanted)}"

    @classmethod
    def writable(cls) -> list[str]:
        """The parameters that a configuration may give."""
        return [name for name in cls.model_fields if name != "name" or cls.title]

    @classmethod
    def fault(cls, name: str, what: str, got: object) -> str:
        """The one form of an error: whose parameter, what it must, what it got."""
        quoted = re.fullmatch("'([^']*)'", str(got))
        near = suggestion(quoted[1], re.findall("'([^']*)'", what)) if quoted else ""
        return f"The '{name}' parameter of {cls.owner()} must {what}. Got {got} instead.{near}"

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


def _empty_by_errors(line: ErrorDetails, others: Sequence[ErrorDetails]) -> bool:
    """Whether a list is too short only since what is in it is wrong."""
    within = (other["loc"][: len(line["loc"])] for other in others if len(other["loc"]) > len(line["loc"]))
    return line["type"] == "too_short" and line["loc"] in within


def hint(kind: str, got: object, wanted: str) -> str:
    """What was probably meant: the nearest of the values that there are, or a text that YAML took for another thing."""
    if kind == "less_than_equal" and isinstance(got, int) and got > MOST:
        return f" It may be at most {MOST}."
    if isinstance(got, str):
        return suggestion(got, re.findall("'([^']*)'", wanted))
    return not_text(got) if kind in ("literal_error", "must", "string_type") else ""


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
