"""Published results as `config/published.yaml` states them: numbers, margins and reasons, before anything is run."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationError

from study.config.errors import ConfigError
from study.config.yaml_files import mapping_of
from study.parameters import Inside, Must, NaturalInt, NotBool, Number, Positive, PositiveInt, Settings, Text, Texts
from study.published.equivalence import Summary


class Spread(Settings):
    """A published mean; with a standard deviation, over how many runs, and what was taken from their number for it."""

    title: ClassVar[str] = "published"
    mean: Number
    sd: Annotated[Annotated[float, Field(gt=0), NotBool] | None, Must("a positive number, or null", (-1, 0))] = None
    runs: PositiveInt = 1
    ddof: NaturalInt = 1

    @property
    def summary(self) -> Summary:
        """Return it with the deviation over n - 1."""
        if self.sd is None:
            return Summary(self.mean)
        return Summary(self.mean, self.sd * math.sqrt((self.runs - self.ddof) / (self.runs - 1)), self.runs)


class Truth(Settings):
    """A published result and how it is run again; a subclass says of what kind its number is.

    also: what others found; reason: of a difference, in words; shown: regimes whose runs stand beside it on the page,
    with words for each.
    """

    title: ClassVar[str] = "truth"
    kind: ClassVar[Literal["accuracy", "rounds"]]
    name: Text
    what: Text
    source: Text
    also: Text = ""
    published: Spread
    study: Text
    regimes: Texts
    clip: Text = "none"
    margin: float
    because: Text
    differs: Text
    reason: Text = "unknown"
    shown: Annotated[dict[str, Text], Must("a mapping from regimes to words", ("all", 3))] = {}  # noqa: RUF012, which pydantic copies

    @property
    def width(self) -> float:
        """The margin on the scale on which means are compared."""
        raise NotImplementedError


class Accuracy(Truth):
    """A test accuracy after the last epoch, a share; the margin is a difference."""

    kind: ClassVar[Literal["accuracy", "rounds"]] = "accuracy"
    margin: Inside

    @property
    def width(self) -> float:
        return self.margin


class Rounds(Truth):
    """Rounds until a test accuracy is reached; the margin is a factor, and logarithms are compared."""

    kind: ClassVar[Literal["accuracy", "rounds"]] = "rounds"
    margin: Annotated[float, Field(gt=1, le=10), Must("a factor above 1 and at most 10", (1, 0.5, 11))]
    target: Inside

    @property
    def width(self) -> float:
        return math.log(self.margin)


class Eigenvalues(Settings):
    """Closed forms of the Dirac-GAN, and the largest error that is none."""

    title: ClassVar[str] = "eigenvalues"
    source: Text
    margin: Positive
    because: Text


class Truths(Settings):
    """All published results."""

    title: ClassVar[str] = "published results"
    accuracies: tuple[Accuracy, ...]
    rounds: tuple[Rounds, ...]
    eigenvalues: Eigenvalues

    @property
    def all(self) -> tuple[Truth, ...]:
        """Return those that trainings answer, in their order."""
        return (*self.accuracies, *self.rounds)


def read(path: Path) -> Truths:
    """Return the published results of a YAML file; raises ConfigError with all that is wrong with it."""
    raw = mapping_of(path)
    try:
        return Truths.model_validate(_listed(raw))
    except ValidationError as error:
        raise ConfigError(str(path), _lines(error)) from None


def _listed(raw: Any) -> Any:
    """Return the mapping with each named result as an item of a list that has its name."""
    if not isinstance(raw, dict):
        return raw
    return {
        key: [{"name": name, **one} for name, one in part.items()] if key in ("accuracies", "rounds") else part
        for key, part in raw.items()
    }


def _lines(error: ValidationError) -> Iterable[str]:
    for line in error.errors(include_url=False):
        yield f"{'.'.join(map(str, line['loc']))}: {line['msg']}"
