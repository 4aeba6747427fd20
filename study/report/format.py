"""Comparisons as values and sentences that a report can print; nothing is estimated here."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from study.analysis.comparisons import BOTH_FAIL
from study.analysis.conventions import ALPHA
from study.analysis.conventions import IN_POINTS as IN_POINTS
from study.analysis.power import decidable
from study.methods.phrases import label_phrase, phrase, short_name
from study.report.markdown import escaped
from study.results.scores import BEST
from study.utils.text import number as number
from study.utils.text import p_text as p_text
from study.utils.text import percent as percent

MOST_NAMED = 4  # methods in one sentence
METRIC_NAMES: Mapping[str, str] = {
    "gap_accuracy": "accuracy gap",
    "gap_loss": "cross-entropy gap",
    "test_accuracy": "test accuracy",
    "test_loss": "test cross-entropy",
    "diverged": "rate of divergence",
    "gap_right_accuracy": "accuracy gap on rightly labelled training digits",
    "gap_right_loss": "cross-entropy gap on rightly labelled training digits",
    "memorised": "share of the wrong labels memorised",
    "spike_score": "share of loss spikes",
    "steps_to_target": "number of steps to the target",
    "seconds_to_target": "time to the target",
}


UNITS: Mapping[str, str] = {"steps_to_target": "steps", "seconds_to_target": "s"}


def clear(p_adjusted: Any, low: Any, high: Any) -> Any:
    """Return whether a difference is decided, by the adjusted p and the interval's ends; of numbers or columns."""
    return (p_adjusted < ALPHA) & ((low > 0) | (high < 0))


@dataclass(frozen=True)
class Effect:
    """One row of `comparisons`: a difference with its interval and its adjusted p."""

    label: str
    metric: str
    estimate: float
    low: float
    high: float
    p_adjusted: float
    n: int
    n_undefined: int
    superiority: float
    decidable: bool = True
    both_fail: bool = False

    @property
    def words(self) -> str:
        """Its method, or the two of a pair, in words."""
        return " with ".join(map(in_words, self.label.split(" with ")))

    @property
    def defined(self) -> bool:
        """Return whether there is a difference at all."""
        return math.isfinite(self.estimate)

    @property
    def decided(self) -> bool:
        """The interval leaves zero out and the adjusted p is below .05: the one is approximate, the other coarse."""
        return bool(clear(self.p_adjusted, self.low, self.high))

    @property
    def size(self) -> str:
        """`−12.3 points`."""
        return f"{number(self.scale * self.estimate, sign=True)} {self.unit}"

    @property
    def interval(self) -> str:
        """`−12.3 [−13.1, −11.5]`, or why there is none."""
        if self.both_fail:
            return "both fail"
        value, low, high = (self.scale * one for one in (self.estimate, self.low, self.high))
        return with_interval(value, low, high, signed=True)

    @property
    def scale(self) -> int:
        """Return the factor that turns an accuracy into percentage points."""
        return 100 if self._scored in IN_POINTS else 1

    @property
    def unit(self) -> str:
        """The unit of `size` and `interval`."""
        return "points" if self._scored in IN_POINTS else UNITS.get(self.metric, "nats")

    @property
    def _scored(self) -> str:
        """What is measured, at whichever epoch."""
        return self.metric.removeprefix(BEST)


def with_interval(value: float, low: float, high: float, unit: str = "", signed: bool = False, once: str = "") -> str:
    """`+1.2 [0.8, 1.6]`; the value alone where it has no interval, as of one seed.

    unit: " %" or the like, said after each number; once: " points" or the like, said after the value alone.
    """
    if not math.isfinite(value):
        return "undefined"
    text = f"{number(value, sign=signed)}{unit}{once}"
    return f"{text} [{number(low)}{unit}, {number(high)}{unit}]" if math.isfinite(low) else text


def interval_of(
    row: Mapping[Any, Any] | pd.Series, value: str = "estimate", scale: int = 1, unit: str = "", signed: bool = False
) -> str:
    """`with_interval` of a table's row: its column `value` with `low` and `high`, times `scale`."""
    estimate, low, high = (scale * float(row[key]) for key in (value, "low", "high"))
    return with_interval(estimate, low, high, unit, signed)


def effects(comparisons: pd.DataFrame, regime: str, family: str, metric: str) -> list[Effect]:
    """The comparisons of one family, the largest decided ones first."""
    rows = comparisons.query("regime == @regime and family == @family and metric == @metric")
    found = [_effect(family, metric, row) for row in rows.assign(decidable=decidable(rows)).itertuples()]
    return sorted(found, key=lambda e: (not e.decided, -abs(e.estimate) if math.isfinite(e.estimate) else 0))


def _effect(family: str, metric: str, row: object) -> Effect:
    labels = {"clip": "{0.clip}", "regularization": "{0.regularization}"}
    return Effect(
        label=labels.get(family, "{0.clip} with {0.regularization}").format(row),
        metric=metric,
        **{
            name: getattr(row, name)
            for name in ("estimate", "low", "high", "p_adjusted", "n", "n_undefined", "superiority", "decidable")
        },
        both_fail=row.method == BOTH_FAIL,  # type: ignore[attr-defined]
    )


def in_words(label: str) -> str:
    """`clip to norm 0.1` of a method's label `global_norm(0.1)`, as Markdown; `baseline` of both baselines."""
    return escaped(label_phrase(label))


def clip_words(label: str) -> str:
    """`clip to norm 0.1` of a clip's label, as Markdown; `no clip` of none."""
    return escaped(phrase("clip", label))


def regularizer_words(label: str) -> str:
    """`L2, lambda 0.01` of a regularizer's label, as Markdown; `no regularizer` of none."""
    return escaped(phrase("regularization", label))


def method_named(name: str) -> str:
    """`global norm` of a method without its strength, as Markdown."""
    return escaped(short_name(name))


def cell_words(clip: str, regularization: str) -> str:
    """`clip to norm 0.1 with no regularizer` of a cell's two labels, as Markdown."""
    return escaped(f"{phrase('clip', clip)} with {phrase('regularization', regularization)}")


def listed(effects: Sequence[Effect]) -> str:
    """`clip to norm 0.1 (−12.3 points); clip values at ±0.01 (−0.4 points)`: so many as a sentence can hold."""
    rest = f" and {len(effects) - MOST_NAMED} more" if len(effects) > MOST_NAMED else ""
    named = (f"{effect.words} ({effect.size})" for effect in effects[:MOST_NAMED])
    return "; ".join(named) + rest  # a phrase has commas of its own


def decided_sentences(found: Sequence[Effect], metric: str) -> Iterator[str]:
    """Say with which of some comparisons a metric rose, and with which it fell, by a decided amount."""
    decided = [e for e in found if e.decided]
    directions = {"rose": [e for e in decided if e.estimate > 0], "fell": [e for e in decided if e.estimate < 0]}
    return (f"The {METRIC_NAMES[metric]} {verb} with {listed(some)}." for verb, some in directions.items() if some)


def ends_told(edge: str, named: Callable[[str], str]) -> str:
    """Return at which ends of its ranges a choice lies, in words: "strength: last of 2; learning rate: ..."."""
    ends = (part.partition(": ") for part in edge.split("; ") if part)
    return "; ".join(f"{named(key)}{colon}{end}" for key, colon, end in ends)


def counted(n: int, one: str) -> str:
    """`1 seed`, `1,200 seeds`."""
    return f"{n:,} {one}" if n == 1 else f"{n:,} {one}s"


def several(texts: Sequence[str], most: int = 4) -> str:
    """The first few, and how many more."""
    rest = f"; and {len(texts) - most} more" if len(texts) > most else ""
    return "; ".join(texts[:most]) + rest
