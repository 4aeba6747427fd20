"""Data of a regime: the suite's own sets of digits, or a user's files or function."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_serializer,
    model_validator,
)
from pydantic_core import InitErrorDetails

from study.data.base import DataSet
from study.data.examples import Contents, SourceFault
from study.data.own import PACKS, Source, described, described_by, folder_of
from study.methods import plugins
from study.parameters import Must, NotBool, Settings, Share, listed, must, said, shown
from study.utils.timeout import contained

SHIPPED: Mapping[str, Contents] = {
    "mnist": Contents(examples=60_000, tested=10_000, classes=10, inputs=784, image=(28, 28)),
    "fashion-mnist": Contents(examples=60_000, tested=10_000, classes=10, inputs=784, image=(28, 28)),
    "mnist-sample": Contents(examples=1_000, tested=500, classes=10, inputs=784, image=(28, 28)),
}
OR_OWN = "or a new one with the 'path' of your own data"
LEAST = 10
SECONDS = 300.0  # for a user's function to return its examples


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


def _square(value: object) -> object:
    """Read one number as equal height and width; raises ValueError for any number of numbers but two."""
    if isinstance(value, list | tuple) and len(value) != 2:
        raise ValueError
    return (value, value) if isinstance(value, int) and not isinstance(value, bool) else value


def _one_of(name: str) -> str:
    """Return the name of a data set of the suite or of a user; raises an error if it is malformed."""
    if not name or len(name) > 40 or not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise must(f"letters, digits, '-', '_' and '.', at most 40 of them, or one of {listed(tuple(SHIPPED))}")
    return name


Pixels = Annotated[int, Field(ge=1, le=4096), NotBool]
Size = Annotated[tuple[Pixels, Pixels], BeforeValidator(_square)]
OF_SOURCE = ("path", "test", "size", "label", "parameters")
WRITTEN = (*OF_SOURCE, "contents")


class Data(Settings):
    """The data set, its sizes, and the shares of wrong labels.

    name: of the suite's digits, of a user's data set, or any name with a `path`. contents: those of a user's data,
    written when a configuration is read.
    """

    title: ClassVar[str] = "data"
    came_later: ClassVar[Mapping[str, Any]] = {**dict.fromkeys(WRITTEN), "parameters": {}}
    looks_at: ClassVar[Mapping[str, frozenset[str]]] = {
        "name": frozenset({"path"}),
        "path": frozenset({"name", "test", "size", "label"}),
        "test": frozenset({"name", "path"}),
        "train_size": frozenset({"validation_size", "name", *WRITTEN}),
        "validation_size": frozenset({"name", *WRITTEN}),
    }
    path: Annotated[str | None, Must("a path, or null", (3, ["a"]))] = None
    test: Annotated[
        Annotated[float, Field(gt=0, lt=1), NotBool] | str | None,
        Must("a share between 0 and 1, a path, or null", (0, 1, 1.5, ["a"], True)),
    ] = None
    size: Annotated[
        Size | None, Must("a number of pixels up to 4096, or [height, width], or null", (0, -3, "big", [28], [0, 3]))
    ] = None
    label: Annotated[str | None, Must("the name of a column, or null", (3, ["a"]))] = None
    parameters: Annotated[dict[str, Any], Must("a mapping of the data set's parameters", (3, ["a"]))] = {}  # noqa: RUF012
    contents: Annotated[Contents | None, Must("left to the reading of the configuration, which writes it", ())] = None
    name: Annotated[
        str,
        AfterValidator(_one_of),
        Must(f"one of {listed(tuple(SHIPPED))}, {OR_OWN}", ("imagenet", 3)),
        WithJsonSchema({"anyOf": [{"enum": list(SHIPPED)}, {"type": "string"}]}),
    ] = "mnist"
    train_size: Annotated[
        Annotated[int, Field(ge=LEAST), NotBool] | None,
        Must("a whole number of at least 10, or null for all", (0, 9, -1, 1.5, "all")),
    ] = None
    validation_size: Annotated[
        int, Field(ge=LEAST), NotBool, Must("a whole number of at least 10", (0, 9, -1, 1.5))
    ] = 5_000
    label_noise: NoiseShares = 0.0

    @classmethod
    def writable(cls) -> list[str]:
        return ["name", *(name for name in super().writable() if name not in ("name", "contents"))]

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return self.without_later(handler(self))

    @model_validator(mode="after")
    def _described(self, info: ValidationInfo) -> Self:
        if self.contents is not None and info.context is not None:
            self.refuse(("contents", "be left to the reading of the configuration, which writes it", "one"))
        if self.contents is None and (found := self._found()):
            object.__setattr__(self, "contents", found)  # frozen: it is part of what the data are
        return self

    def _found(self) -> Contents | None:
        """Return the contents of a user's data; None for the suite's own. Raises ValidationError for unusable data."""
        if self.path is not None:
            if self.name in SHIPPED or self.name in DataSet.members:
                self.refuse(("name", "be a new one, for data of your own, where 'path' is given", f"'{self.name}'"))
            self._only("parameters")
            try:
                return described(self._source(self.path))
            except SourceFault as fault:
                self.refuse((fault.parameter, fault.must, fault.got))
            except OSError as error:
                self.refuse(("path", f"name files that can be read, and '{PACKS}' must be writable", str(error)))
        if self.name in SHIPPED:
            self._only(*WRITTEN)
            return None
        if self.name not in DataSet.members:
            known = f"be one of {listed((*SHIPPED, *DataSet.members))}, {OR_OWN}"
            self.refuse(("name", known, f"'{self.name}'"))
        self._only("size", "label")
        return self._by_function(DataSet.members[self.name])

    def _source(self, path: str) -> Source:
        test = self._place("test", self.test) if isinstance(self.test, str) else self.test
        return Source(self._place("path", path), test, self.size, self.label)

    def _place(self, key: str, path: str) -> Path:
        """Return a path with the home folder in it, if it starts with one."""
        if "\0" in path:
            self.refuse((key, "be a path without null bytes", shown(path)))
        try:
            return Path(path).expanduser()
        except RuntimeError:
            self.refuse((key, "start with the home folder of a user that there is", f"'{path}'"))
        raise AssertionError  # refused above

    def _only(self, *others: str) -> None:
        """Refuse keys that belong to other data."""
        given = [(key, getattr(self, key)) for key in others if getattr(self, key) not in (None, {})]
        self.refuse(*((key, f"be left out for data '{self.name}'", shown(value)) for key, value in given))

    def _by_function(self, kind: type[Any]) -> Contents:
        try:
            data_set: DataSet = kind.model_validate({"name": self.name, **self.parameters})
        except ValidationError as error:
            lines = [
                InitErrorDetails(type=said(line["msg"]), loc=("parameters", *line["loc"]), input=line["input"])
                for line in error.errors(include_url=False)
            ]
            raise ValidationError.from_exception_data("Data", lines) from None
        share = None if isinstance(self.test, str) else self.test
        if share != self.test:
            self.refuse(("test", f"be a share for data '{self.name}'", f"'{self.test}'"))
        try:
            with contained(SECONDS):
                return described_by(data_set, share)
        except SourceFault as fault:
            if fault.parameter == "name":
                raise self._of_function(data_set, f"{fault.must}. Got {fault.got}") from None
            self.refuse((fault.parameter, fault.must, fault.got))
        except Exception as error:
            got = plugins.reason_of(error) + plugins.line_of(error, data_set)
            raise self._of_function(data_set, f"run. Got {got}") from None
        raise AssertionError  # refused above

    def _of_function(self, data_set: DataSet, wrong: str) -> ValidationError:
        file = plugins.source_of(data_set)
        message = f"The 'examples' method of {data_set.owner()} must {wrong} instead. ({file})"
        line = InitErrorDetails(type=said(message), loc=("name",), input=self.name)
        return ValidationError.from_exception_data("Data", [line])

    @model_validator(mode="after")
    def _enough_examples(self) -> Self:
        held = self.holds
        room, least = held.examples - self.validation_size, max(LEAST, held.classes)
        if self.contents and self.validation_size < least:
            must_be = f"be at least {least}, one a class of '{self.name}'"
            self.refuse(("validation_size", must_be, self.validation_size))
        elif room < least:
            noun = held.noun if self.contents else "digits"
            must_be = f"be at most {held.examples - least}, to leave {noun} of '{self.name}' to train on"
            self.refuse(("validation_size", must_be, self.validation_size))
        elif self.train_size is not None and self.train_size > room:
            must_be = f"be at most {room}, what validation_size leaves of the {held.examples} of '{self.name}'"
            self.refuse(("train_size", must_be, self.train_size))
        elif self.contents and self.train_size is not None and self.train_size < least:
            self.refuse(("train_size", f"be at least {least}, one a class of '{self.name}'", self.train_size))
        return self

    @property
    def holds(self) -> Contents:
        """The contents of the data set."""
        return self.contents or SHIPPED[self.name]

    @property
    def folder(self) -> Path:
        """The folder from which trainings read it, below the working directory."""
        return folder_of(self.contents.digest) if self.contents else Path("data", self.name)

    @property
    def words(self) -> str:
        """Sentence on a user's data for the report; empty for the suite's own."""
        if self.contents is None:
            return ""
        held = self.contents
        kind = f"{held.image[0]} x {held.image[1]} pixels" if held.image else f"{held.inputs} features"
        share = f", {100 * self.test:g} % of each class" if isinstance(self.test, float) else ""
        return f"`{self.name}`: {held.classes} classes, {kind}; {held.tested:,} {held.noun} of the test{share}."

    @property
    def wrong_labels(self) -> LabelNoise:
        """The shares of wrong labels; a plain number applies to training labels only."""
        return self.label_noise if isinstance(self.label_noise, LabelNoise) else LabelNoise(train=self.label_noise)

    @property
    def trained_on(self) -> int:
        """The number of training examples."""
        return self.train_size or self.holds.examples - self.validation_size
