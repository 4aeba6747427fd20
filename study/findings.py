"""What the tables say, in values and sentences that a report can print; nothing is estimated here."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:  # as in study/tables.py
    from study.figures.style import Tables

ALPHA = 0.05
MOST_NAMED = 8  # methods in one sentence
METRIC_NAMES: Mapping[str, str] = {
    "gap_accuracy": "accuracy gap",
    "gap_loss": "cross-entropy gap",
    "test_accuracy": "test accuracy",
    "test_loss": "test cross-entropy",
    "diverged": "rate of divergence",
}
IN_POINTS = ("gap_accuracy", "test_accuracy", "diverged")


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

    @property
    def decided(self) -> bool:
        """The interval leaves zero out and the adjusted p is below .05: the one is approximate, the other coarse."""
        return self.p_adjusted < ALPHA and (self.low > 0 or self.high < 0)

    @property
    def nothing(self) -> bool:
        """No seed showed any difference: the method did not act, or acted without effect."""
        return self.n > 0 and self.estimate == self.low == self.high == 0

    @property
    def size(self) -> str:
        """`−12.3 points`."""
        return f"{number(self.scale * self.estimate, sign=True)} {self.unit}"

    @property
    def interval(self) -> str:
        """`−12.3 [−13.1, −11.5]`."""
        low, high = number(self.scale * self.low), number(self.scale * self.high)
        return f"{number(self.scale * self.estimate, sign=True)} [{low}, {high}]"

    @property
    def scale(self) -> int:
        """What an accuracy is multiplied by to be read in percentage points."""
        return 100 if self.metric in IN_POINTS else 1

    @property
    def unit(self) -> str:
        """The unit of `size` and `interval`."""
        return "points" if self.metric in IN_POINTS else "nats"


def number(value: float, sign: bool = False) -> str:
    """A number for people: about three digits, a true minus sign."""
    if not math.isfinite(value):
        return "undefined"
    digits = 1 if abs(value) >= 1 else 2 if abs(value) >= 0.1 else 3
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return text
    return ("−" if value < 0 else "+" if sign else "") + text


def p_text(p: float) -> str:
    """A p value: `.012`, `< .001`, `undefined`."""
    if not math.isfinite(p):
        return "undefined"
    return "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")


def percent(share: float, digits: int = 1) -> str:
    """A share as a percentage."""
    return f"{100 * share:.{digits}f} %".replace("-", "−") if math.isfinite(share) else "undefined"


def effects(comparisons: pd.DataFrame, regime: str, family: str, metric: str) -> list[Effect]:
    """The comparisons of one family, the largest decided ones first."""
    rows = comparisons.query("regime == @regime and family == @family and metric == @metric")
    found = [_effect(family, metric, row) for row in rows.itertuples()]
    return sorted(found, key=lambda e: (not e.decided, -abs(e.estimate) if math.isfinite(e.estimate) else 0))


def _effect(family: str, metric: str, row: object) -> Effect:
    labels = {"clip": "{0.clip}", "regularization": "{0.regularization}"}
    return Effect(
        label=labels.get(family, "{0.clip} with {0.regularization}").format(row),
        metric=metric,
        **{
            name: getattr(row, name)
            for name in ("estimate", "low", "high", "p_adjusted", "n", "n_undefined", "superiority")
        },
    )


def listed(effects: Sequence[Effect]) -> str:
    """`global_norm(0.1)` (−12.3 points), `value(0.01)` (−0.4 points)."""
    return _first(effects, [f"`{effect.label}` ({effect.size})" for effect in effects])


def named(effects: Sequence[Effect]) -> str:
    """`global_norm(0.1)`, `value(0.01)`."""
    return _first(effects, [f"`{effect.label}`" for effect in effects])


def _first(effects: Sequence[Effect], texts: Sequence[str]) -> str:
    """So many as a sentence can hold; the table has them all."""
    rest = f" and {len(effects) - MOST_NAMED} more" if len(effects) > MOST_NAMED else ""
    return ", ".join(texts[:MOST_NAMED]) + rest


def sentences(found: Sequence[Effect], metric: str) -> Iterator[str]:
    """What a family of comparisons shows about one metric: up, down, undecided, no difference at all."""
    name = METRIC_NAMES[metric]
    if up := [e for e in found if e.decided and e.estimate > 0]:
        yield f"The {name} rose with {listed(up)}."
    if down := [e for e in found if e.decided and e.estimate < 0]:
        yield f"The {name} fell with {listed(down)}."
    if undecided := [e for e in found if not e.decided and not e.nothing]:
        yield f"Undecided for the {name}: {listed(undecided)}."
    if nothing := [e for e in found if e.nothing]:
        yield f"The {name} was the same in every seed with {named(nothing)}."


@dataclass(frozen=True)
class RegimeFindings:
    """All that the report says about one regime."""

    name: str
    tables: Tables

    def mean(self, metric: str, clip: str = "none", regularization: str = "none") -> str:
        """A variant's mean over seeds with its interval, in percent or nats."""
        rows = self.tables["summary"].query(
            "regime == @self.name and metric == @metric and clip == @clip and regularization == @regularization"
        )
        if rows.empty:
            return "undefined (not trained)"
        (n, mean, low, high), *_ = rows[["n", "mean", "low", "high"]].to_numpy(float).tolist()
        if not n:
            return "undefined (every run diverged)"
        if metric in IN_POINTS:
            return f"{percent(mean)} [{percent(low)}, {percent(high)}]"
        return f"{number(mean)} nats [{number(low)}, {number(high)}]"

    def mean_of(self, column: str) -> str:
        """The baseline's mean of a column of `runs`, over the seeds that have one."""
        runs = self.runs
        alone = runs[(runs["clip"] == "none") & (runs["regularization"] == "none")]
        return percent(float(alone[column].mean()))

    def effects(self, family: str, metric: str) -> list[Effect]:
        """The comparisons of one family in this regime."""
        return effects(self.tables["comparisons"], self.name, family, metric)

    def text(self, family: str, metric: str) -> str:
        """One family's findings about a metric, in sentences."""
        return " ".join(sentences(self.effects(family, metric), metric))

    def headline(self) -> str:
        """The regime in a sentence or two: the largest decided changes of each family, and what was lost."""
        parts = [part for family in ("clip", "regularization") for part in self._largest(family)]
        text = "; ".join(parts) or "no difference to the baseline was decided"
        lost, runs = int((self.runs["status"] != "ok").sum()), len(self.runs)
        return f"{text}. {lost} of {runs} runs diverged."

    def _largest(self, family: str) -> Iterator[str]:
        subject = {"clip": "of the clips", "regularization": "of the regularizers"}[family]
        for metric, verb, sign in (
            ("test_accuracy", "raised test accuracy", 1),
            ("gap_accuracy", "lowered the gap", -1),
        ):
            decided = [e for e in self.effects(family, metric) if e.decided and sign * e.estimate > 0]
            if decided:
                yield f"{subject}, {len(decided)} {verb}, `{decided[0].label}` most ({decided[0].size})"
            elif self.effects(family, metric):
                yield f"{subject}, none {verb} by a decided amount"

    def table(self) -> list[dict[str, object]]:
        """Each clip and each regularizer alone: differences of gap and test accuracy, in percentage points."""
        return [
            {
                "alone": f"`{gap.label}`",
                "accuracy gap": gap.interval,
                "p": p_text(gap.p_adjusted),
                "test accuracy": test.interval,
                "p ": p_text(test.p_adjusted),
                "n": gap.n,
            }
            for family in ("clip", "regularization")
            for gap, test in self._both(family)
        ]

    def _both(self, family: str) -> Iterator[tuple[Effect, Effect]]:
        test = {effect.label: effect for effect in self.effects(family, "test_accuracy")}
        return ((gap, test[gap.label]) for gap in self.effects(family, "gap_accuracy"))

    @property
    def runs(self) -> pd.DataFrame:
        """The runs of this regime."""
        runs = self.tables["runs"]
        return runs[runs["regime"] == self.name]

    @property
    def lost(self) -> str:
        """How many runs diverged and which variants they belong to."""
        runs = self.runs
        lost = runs[runs["status"] != "ok"]
        if lost.empty:
            return f"None of the {len(runs)} runs diverged."
        ran, cells = _cells(runs), _cells(lost)
        whole = {cell for cell, k in cells.items() if k == ran[cell]}
        part = [f"`{c}` with `{r}` ({k} of {ran[c, r]})" for (c, r), k in cells.items() if (c, r) not in whole]
        causes = ", ".join(f"{cause} {k}" for cause, k in lost["cause"].value_counts().items())
        text = f"{len(lost)} of {len(runs)} runs diverged ({causes})."
        text += f" Every seed was lost for {'; '.join(_grouped(whole, list(ran)))}." if whole else ""
        return text + (f" Some were lost for {'; '.join(part)}." if part else "")

    @property
    def firing(self) -> str:
        """How often each clip fired without a regularizer."""
        alone = self.runs[(self.runs["regularization"] == "none") & (self.runs["clip"] != "none")]
        groups = alone.groupby("clip", sort=False)["clip_rate"]
        parts = [f"`{clip}` in {percent(rates.mean())} of the steps ({_range(rates)})" for clip, rates in groups]
        return "; ".join(parts)

    @property
    def interactions(self) -> str:
        """How clips and regularizers combine, against adding their separate effects."""
        found = self.effects("interaction", "gap_accuracy")
        if not found:
            return ""
        decided = [e for e in found if e.decided]
        share = f"{len(decided)} of {len(found)} pairs of a clip and a regularizer"
        largest = f": the largest, {listed(decided[:3])}" if decided else ""
        return f"{share} depart from additivity in the accuracy gap{largest}."


def _grouped(lost: set[tuple[str, str]], cells: list[tuple[str, str]]) -> Iterator[str]:
    """Lost cells by clip, with the regularizers named only where some survived."""
    for clip in dict.fromkeys(clip for clip, _ in cells):
        of_clip = [regularizer for c, regularizer in cells if c == clip]
        gone = [regularizer for regularizer in of_clip if (clip, regularizer) in lost]
        if gone == of_clip:
            yield f"`{clip}`, whatever the regularizer"
        elif gone:
            yield f"`{clip}` with {', '.join(f'`{regularizer}`' for regularizer in gone)}"


def _cells(runs: pd.DataFrame) -> Counter[tuple[str, str]]:
    """How many runs each variant has."""
    return Counter(zip(runs["clip"], runs["regularization"], strict=True))


def _range(values: pd.Series[float]) -> str:
    low, high = values.min(), values.max()
    return "every seed" if low == high else f"{percent(low)} to {percent(high)} by seed"


def weights_text(runs: pd.DataFrame, regime: str) -> list[dict[str, str]]:
    """Weights at the end by regularizer, without a clip: exact zeros, small ones, the largest, the norm."""
    rows = runs[(runs["regime"] == regime) & (runs["clip"] == "none")]
    columns = ["weight_zero", "weight_small", "weight_max", "weight_norm"]
    means = rows.groupby("regularization", sort=False)[columns].mean()
    return [
        {
            "regularizer": f"`{label}`",
            "exactly zero": percent(row["weight_zero"]),
            "below 0.001": percent(row["weight_small"]),
            "largest": number(row["weight_max"]),
            "norm": number(row["weight_norm"]),
        }
        for label, row in means.iterrows()
    ]
