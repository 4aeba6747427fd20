"""Two cells of a study compared by one rule: better, worse, the same, undecided, or nothing to compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter

import numpy as np
import pandas as pd

from study.analysis.power import OF_INTEREST
from study.analysis.statistics import ALPHA, bca_interval, sign_flip_p
from study.report.format import IN_POINTS, number, p_text, several

CELL = ["regime", "clip", "regularization"]
WORDS: Mapping[str, str] = {"better": "better", "worse": "worse", "same": "the same", "undecided": "undecided"}
NOTHING = ("same cell", "both fail", "no pairs")
"""What is not a comparison: a cell with itself, two of which neither trains, none with numbers for both."""


@dataclass(frozen=True, eq=False)
class Difference:
    """One cell less another, paired by seed, in percentage points or nats, with the 95 % BCa interval of the mean.

    `nothing` says why there is nothing to compare, if so. `lost`: pairs left out since one of the two has no number.
    """

    pairs: tuple[float, ...]
    metric: str = "test_accuracy"
    nothing: str = ""
    lost: int = 0

    @classmethod
    def between(cls, own: pd.DataFrame, other: pd.DataFrame, metric: str = "test_accuracy") -> Difference:
        """The runs of one cell less those of another, over the seeds in which both have a number."""
        less = own.set_index("seed")[metric].astype(float) - other.set_index("seed")[metric].astype(float)
        scale, found = 100 if metric in IN_POINTS else 1, less[np.isfinite(less)].sort_index()
        return cls(tuple(scale * found), metric, _nothing(own, other, found.empty), len(less) - len(found))

    @property
    def matters(self) -> float:
        """Smaller differences are called none."""
        return OF_INTEREST[self.metric] * (100 if self.metric in IN_POINTS else 1)

    @property
    def unit(self) -> str:
        return "points" if self.metric in IN_POINTS else "nats"

    @cached_property
    def interval(self) -> tuple[float, float]:
        """Its ends; undefined for fewer than two seeds."""
        found = bca_interval(self.pairs)
        return found.low, found.high

    @property
    def mean(self) -> float:
        return float(np.mean(self.pairs)) if self.pairs else float("nan")

    @cached_property
    def verdict(self) -> str:
        """same: the interval lies within what matters; better or worse: it leaves zero out, and the exact test agrees.

        What is not compared has `nothing` for its verdict; all else is undecided.
        """
        if self.nothing:
            return self.nothing
        low, high = self.interval
        if low > -self.matters and high < self.matters:
            return "same"
        if self.p >= ALPHA or not (low > 0 or high < 0):
            return "undecided"
        return "better" if (low > 0) == (self.metric == "test_accuracy") else "worse"

    @cached_property
    def p(self) -> float:
        """Of the exact sign-flip test."""
        return sign_flip_p(self.pairs, np.random.default_rng(len(self.pairs)))[0]

    @property
    def _by_p(self) -> str:
        """Why it is undecided although its interval leaves zero out."""
        low, high = self.interval
        return f", p {p_text(self.p)}" if self.verdict == "undecided" and (low > 0 or high < 0) else ""

    @property
    def compared(self) -> bool:
        return self.verdict not in NOTHING

    @property
    def text(self) -> str:
        """`+1.2 [0.8, 1.6]`, with p where that leaves it undecided, and the pairs left out; or why none."""
        if self.nothing:
            return self.nothing
        low, high = self.interval
        left = f" ({self.lost} of {len(self.pairs) + self.lost} seeds undefined)" if self.lost else ""
        return f"{number(self.mean, sign=True)} [{number(low)}, {number(high)}]{self._by_p}{left}"

    @property
    def sized(self) -> str:
        """`+1.2 points [0.8, 1.6]`."""
        return self.nothing or self.text.replace(" [", f" {self.unit} [", 1)


MEAN = attrgetter("mean")
Found = Sequence[tuple[str, Difference]]
"""Differences, each with the words for what is compared where."""


def _nothing(own: pd.DataFrame, other: pd.DataFrame, empty: bool) -> str:
    if not own.empty and not other.empty:
        if (own[CELL].iloc[0] == other[CELL].iloc[0]).all():
            return "same cell"
        if all((runs["status"] != "ok").mean() > 0.5 for runs in (own, other)):
            return "both fail"
    return "no pairs" if empty else ""


def compared(found: Found) -> Found:
    """Those in which two different cells are compared of which one at least trains."""
    return [(name, one) for name, one in found if one.compared]


def tally(found: Found) -> str:
    """How many differences have which verdict, and which: "2 better (a, +1.2 points [..]; b, ..), 1 undecided (..)"."""
    parts = []
    for verdict, word in WORDS.items():
        own = [f"{name}, {one.sized}" for name, one in found if one.verdict == verdict]
        if own:
            within = f" within {number(_first(found).matters)} {_first(found).unit}" if verdict == "same" else ""
            parts.append(f"{len(own)} {word}{within} ({several(own)})")
    return "; ".join(parts) or "nothing to compare"


def _first(found: Found) -> Difference:
    """One of them, for what they share."""
    return found[0][1]


def conclusion(differences: Iterable[Difference]) -> str:
    """One word for all that were compared.

    nothing: none was; better, worse, same, undecided: all of them; some better, some worse: beside others that are the
    same or undecided; mixed: some better and some worse; open: some the same and the others undecided.
    """
    counts = Counter(one.verdict for one in differences if one.compared)
    if len(counts) < 2:
        return next(iter(counts), "nothing")
    if counts["better"] and counts["worse"]:
        return "mixed"
    return "some better" if counts["better"] else "some worse" if counts["worse"] else "open"


def counted(differences: Sequence[Difference]) -> dict[str, object]:
    """The columns of a table that counts verdicts; they add up to what was compared."""
    return {word: sum(one.verdict == verdict for one in differences) for verdict, word in WORDS.items()}


@dataclass(frozen=True)
class Both:
    """The same comparisons by test accuracy and by test loss."""

    accuracy: list[tuple[str, Difference]] = field(default_factory=list)
    loss: list[tuple[str, Difference]] = field(default_factory=list)

    def add(self, name: str, own: pd.DataFrame, other: pd.DataFrame) -> dict[str, object]:
        """One more comparison, and its columns in a table."""
        accuracy, loss = (Difference.between(own, other, metric) for metric in ("test_accuracy", "test_loss"))
        self.accuracy.append((name, accuracy))
        self.loss.append((name, loss))
        return {"accuracy (points)": accuracy.text, "loss (nats)": loss.text}

    def alike(self, other: Both) -> bool:
        """Whether another way of choosing compares the same cells."""
        return [one.pairs for _, one in self.accuracy + self.loss] == [
            one.pairs for _, one in other.accuracy + other.loss
        ]

    @property
    def any(self) -> bool:
        """Whether anything was compared."""
        return bool(compared(self.accuracy) or compared(self.loss))

    @property
    def same_cells(self) -> list[str]:
        """What was compared with itself."""
        return [name for name, one in self.accuracy if one.verdict == "same cell"]

    @property
    def conclusions(self) -> tuple[str, str]:
        """That by accuracy and that by loss."""
        return conclusion(one for _, one in self.accuracy), conclusion(one for _, one in self.loss)

    def lead(self, words: Mapping[str, str]) -> str:
        """The conclusion in `words`, once where both metrics agree, else for each."""
        accuracy, loss = (words[one] for one in self.conclusions)
        return f"{accuracy}." if accuracy == loss else f"By test accuracy: {accuracy}. By test loss: {loss}."

    def phrase(self, words: Mapping[str, str]) -> str:
        """The same within a sentence."""
        accuracy, loss = (words[one] for one in self.conclusions)
        if accuracy == loss:
            return f"{accuracy}, by test accuracy and by test loss"
        return f"{accuracy} by test accuracy, {loss} by test loss"

    @property
    def span(self) -> str:
        """The means by test accuracy of what was compared: `+3.3 to +7.6 points`."""
        means = [number(one.mean, sign=True) for one in sorted((d for _, d in compared(self.accuracy)), key=MEAN)]
        return f"{' to '.join(dict.fromkeys([means[0], means[-1]]))} points" if means else ""

    @property
    def tallies(self) -> str:
        """What was found by each metric."""
        return f"By test accuracy: {tally(self.accuracy)}. By test loss: {tally(self.loss)}."
