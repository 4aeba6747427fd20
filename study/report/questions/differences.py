"""Differences between two cells in words: one, several by verdict, and those by accuracy beside those by loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from study.analysis.questions.differences import METRICS, NOTHING, matters
from study.analysis.questions.numbers import Number
from study.report.format import number, p_text, several, with_interval

WORDS: Mapping[str, str] = {"better": "better", "worse": "worse", "same": "the same", "undecided": "undecided"}
ESTIMATE = attrgetter("estimate")
Found = Sequence[tuple[str, Number]]
"""Differences, each with the words for what is compared where."""


def text(one: Number, unit: str = "") -> str:
    """`+1.2 [0.8, 1.6]`, with p where that leaves it undecided, and the pairs left out; or why none.

    unit: " points" or the like, said after the value.
    """
    if one.verdict in NOTHING:
        return one.verdict
    lost = one.n_undefined or 0
    left = f" ({lost} of {(one.n or 0) + lost} seeds undefined)" if lost else ""
    return f"{with_interval(one.estimate, one.low, one.high, signed=True, once=unit)}{_by_p(one)}{left}"


def _by_p(one: Number) -> str:
    """Why it is undecided although its interval leaves zero out."""
    return f", p {p_text(one.p)}" if one.verdict == "undecided" and (one.low > 0 or one.high < 0) else ""


def sized(one: Number) -> str:
    """`+1.2 points [0.8, 1.6]`."""
    return text(one, f" {one.unit}")


def compared(found: Found) -> Found:
    """Return the differences between two different cells of which at least one trains."""
    return [(name, one) for name, one in found if one.verdict not in NOTHING]


def tally(found: Found) -> str:
    """Count the differences by verdict and name them: "2 better (a: +1.2 points [..]; b: ..); 1 undecided (..)"."""
    parts = []
    for verdict, word in WORDS.items():
        own = [f"{name}: {sized(one)}" for name, one in found if one.verdict == verdict]
        if own:
            first = found[0][1]
            within = f" within {number(matters(first.metric))} {first.unit}" if verdict == "same" else ""
            parts.append(f"{len(own)} {word}{within} ({several(own)})")
    return "; ".join(parts) or "nothing to compare"


def counted(found: Sequence[Number]) -> dict[str, object]:
    """The columns of a table that counts verdicts; they add up to what was compared."""
    return {word: sum(one.verdict == verdict for one in found) for verdict, word in WORDS.items()}


@dataclass(frozen=True)
class Both:
    """Comparisons by test accuracy and by test loss, and what all of them come to."""

    accuracy: list[tuple[str, Number]] = field(default_factory=list)
    loss: list[tuple[str, Number]] = field(default_factory=list)
    conclusions: tuple[str, str] = ("nothing", "nothing")

    @classmethod
    def of(cls, numbers: Sequence[Number], names: Mapping[int, str]) -> Both:
        """From the rows of a part, each item with its name."""
        accuracy, loss = (
            [(names[one.item], one) for one in numbers if one.metric == metric and one.item is not None]
            for metric in METRICS
        )
        whole = {one.metric: one.verdict for one in numbers if one.item is None}
        return cls(accuracy, loss, (whole.get(METRICS[0], "nothing"), whole.get(METRICS[1], "nothing")))

    def alike(self, other: Both) -> bool:
        """Return whether another way of choosing compares the same cells, or others with the same numbers."""
        return _numbers(self) == _numbers(other)

    @property
    def any(self) -> bool:
        """Return whether anything was compared."""
        return bool(compared(self.accuracy) or compared(self.loss))

    @property
    def same_cells(self) -> list[str]:
        """Return the cells that were compared with themselves."""
        return [name for name, one in self.accuracy if one.verdict == "same cell"]

    def lead(self, words: Mapping[str, str]) -> str:
        """The conclusion in `words`, once where both metrics agree, else for each."""
        accuracy, loss = (words[one] for one in self.conclusions)
        return f"{accuracy}." if accuracy == loss else f"By test accuracy: {accuracy}. By test loss: {loss}."

    def phrase(self, words: Mapping[str, str]) -> str:
        """Return the wording for use within a sentence."""
        accuracy, loss = (words[one] for one in self.conclusions)
        if accuracy == loss:
            return f"{accuracy}, by test accuracy and by test loss"
        return f"by test accuracy {accuracy}, by test loss {loss}"

    @property
    def span(self) -> str:
        """The means by test accuracy of what was compared: `+3.3 to +7.6 points`."""
        means = [
            number(one.estimate, sign=True) for one in sorted((d for _, d in compared(self.accuracy)), key=ESTIMATE)
        ]
        return f"{' to '.join(dict.fromkeys([means[0], means[-1]]))} points" if means else ""

    @property
    def tallies(self) -> str:
        """Say what was found by each metric."""
        return f"By test accuracy: {tally(self.accuracy)}. By test loss: {tally(self.loss)}."


def columns(both: Sequence[Number]) -> dict[str, object]:
    """The columns of a table for one comparison by accuracy and by loss."""
    accuracy, loss = (next(one for one in both if one.metric == metric) for metric in METRICS)
    return {"accuracy (points)": text(accuracy), "loss (nats)": text(loss)}


def _numbers(both: Both) -> list[str]:
    return [repr((one.estimate, one.low, one.high, one.p, one.n)) for _, one in both.accuracy + both.loss]
