"""Base of claims: the statement, its evidence and the smallest difference that matters, set before any results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from study.methods.base import Method
from study.methods.labels import Cell as Cell
from study.methods.labels import method_of
from study.parameters import listed

if TYPE_CHECKING:
    import pandas as pd

    from study.analysis.evidence import Evidence
    from study.config.regime import Regime
    from study.config.study import Study

Expectation = Literal["increase", "not_worse", "same"]
Combine = Literal["all", "any"]
Idle = Literal["same cell", "gaps below zero"]
NEAR = 0.02  # of training accuracy: runs that end so near to the line of failure could as well lie beyond it


class Term(NamedTuple):
    """One trained variant of a contrast: its values by seed, and their weight, negative on the reference side."""

    weight: float
    cell: Cell
    by_seed: pd.Series[float]


@dataclass(frozen=True, eq=False)
class Contrast:
    """Difference that bears on a claim, oriented so that a positive one is as claimed.

    terms: the variants that it compares; quantity: the table and column. unit: words for a positive difference; points:
    whether shares are told in percentage points. expectation: "increase" (above 0, and at least `smallest`),
    "not_worse" (above -smallest) or "same" (within +-smallest). figure: the figure that shows it. reached: what each
    side reached, in words, if that matters. silenced: why nothing is compared, if so.
    """

    key: str
    hypothesis: str
    terms: Sequence[Term]
    unit: str
    smallest: float
    quantity: str
    figure: str = "claims"
    expectation: Expectation = "increase"
    points: bool = False
    reached: str = ""
    silenced: Idle | None = None

    @cached_property
    def differences(self) -> pd.Series[float]:
        """Differences by seed, NaN if a term is undefined."""
        return reduce(add, (term.weight * term.by_seed for term in self.terms))

    @property
    def sides(self) -> tuple[list[Cell], list[Cell]]:
        """The cells on the claimed side, and those on the reference side."""
        return ([one.cell for one in self.terms if one.weight > 0], [one.cell for one in self.terms if one.weight < 0])

    @property
    def same_cell(self) -> bool:
        """True if both sides are the same trained cells, as when tuning chose none: there is nothing to compare."""
        one, other = self.sides
        return one == other

    @property
    def cells(self) -> list[Cell]:
        """The cells of both sides."""
        return [cell for side in self.sides for cell in side]

    @property
    def where(self) -> str:
        """The rows that it comes from: `runs, test_accuracy: regime=.. clip=.. regularization=.. minus ..`."""
        return f"{self.quantity}: {' minus '.join(map(_rows_of, self.sides))}"


def _rows_of(cells: Sequence[Cell]) -> str:
    """Return cells in words, those that share clip and regularization together."""
    regimes: dict[tuple[str, str], list[str]] = {}
    for cell in cells:
        regimes.setdefault(cell[1:], []).append(cell.regime)
    return " plus ".join(Cell(" or ".join(names), *labels).text for labels, names in regimes.items())


class Claim(Method):
    """Claim of the ledger.

    A subclass has a `statement`, a rule that combines contrasts (`combine`: all must hold, or any), and yields the
    contrasts from the evidence. `notes` are sentences always printed with its verdict; `changed` says what of its rule
    was changed after results had been seen. `figures` show its contrasts, besides the figure of claims, which shows
    all. Fields that name regimes, tuned settings, clips and regularizations are listed in `regime_fields` and so on, so
    that a configuration that lacks them is refused before anything runs.
    """

    family: ClassVar[str] = "claim"
    statement: ClassVar[str] = ""
    combine: ClassVar[Combine] = "all"
    regime_fields: ClassVar[tuple[str, ...]] = ()
    setting_fields: ClassVar[tuple[str, ...]] = ()
    takes_sweeps: ClassVar[bool] = False
    changed: ClassVar[str] = ""
    figures: ClassVar[tuple[str, ...]] = ()
    clip_fields: ClassVar[tuple[str, ...]] = ()
    regularization_fields: ClassVar[tuple[str, ...]] = ()

    def contrasts(self, evidence: Evidence) -> Iterator[Contrast]:
        """Yield the differences that decide it."""
        raise NotImplementedError

    def notes(self, evidence: Evidence) -> Iterator[str]:
        """Yield sentences without which its verdict would be overread."""
        yield from ()

    def faults(self, study: Study) -> Iterator[tuple[str, str, object]]:
        """Yield what it names and the study lacks, as (parameter, what it must do, what was given)."""
        settings = {name: list(regimes.values()) for name, regimes in study.tuned_settings.items()}
        for fields, known, kind in (
            (self.regime_fields, _regimes(study, self.takes_sweeps), "regimes"),
            (self.setting_fields, settings, "tuned settings"),
        ):
            for field in fields:
                for name in _several(getattr(self, field)):
                    if name in known:
                        yield from self._absent(name, known[name], kind == "tuned settings")
                    else:
                        yield field, f"name {kind} of the study, which are {listed(list(known))}", f"'{name}'"

    def _absent(self, place: str, regimes: Sequence[Regime], tuned: bool) -> Iterator[tuple[str, str, object]]:
        """Yield methods that are not tried in every regime of a place."""
        for fields, attribute in (
            (self.clip_fields, "clip_labels"),
            (self.regularization_fields, "regularization_labels"),
        ):
            labels = [getattr(regime, attribute) for regime in regimes]
            tried = set.intersection(*({method_of(one) if tuned else one for one in each} for each in labels))
            for field in fields:
                for label in _several(getattr(self, field)):
                    if label not in tried:
                        yield field, f"be tried in '{place}', where there are {listed(sorted(tried))}", f"'{label}'"


def _regimes(study: Study, sweeps: bool) -> dict[str, list[Regime]]:
    """Return the regimes that a name stands for: itself, and with `sweeps` those of a sweep."""
    found: dict[str, list[Regime]] = {}
    for name, regime in study.regimes.items():
        for one in dict.fromkeys((name, regime.part_of or name) if sweeps else (name,)):
            found.setdefault(one, []).append(regime)
    return found


def _several(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
