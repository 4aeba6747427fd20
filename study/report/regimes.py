"""One regime in values and sentences that a report can print; nothing is estimated here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from study.methods.phrases import phrase
from study.report.format import (
    Effect,
    cell_words,
    counted,
    decided_sentences,
    effects,
    in_words,
    listed,
    number,
    p_text,
    percent,
    with_interval,
)
from study.report.markdown import escaped
from study.results.cells import failed
from study.results.columns import RUNS, SHARE
from study.results.store import Tables

UNITS = {column.name: column.unit for column in RUNS.columns if column.metric}
"""Units of a run's outcomes."""

OTHERS = ("gap_right_accuracy", "memorised", "spike_score", "steps_to_target")
"""Outcomes beside gap and test accuracy of which a section tells what was decided."""


@dataclass(frozen=True)
class RegimeFindings:
    """All that the report says about one regime."""

    name: str
    tables: Tables

    def mean(self, metric: str, clip: str = "none", regularization: str = "none") -> str:
        """A variant's mean over seeds with its interval, in percent, points or nats."""
        rows = self.tables["summary"].query(
            "regime == @self.name and metric == @metric and clip == @clip and regularization == @regularization"
        )
        if rows.empty:
            return "undefined (not trained)"
        (n, mean, low, high), *_ = rows[["n", "mean", "low", "high"]].to_numpy(float).tolist()
        if not n:
            return "undefined (every run diverged)"
        unit = UNITS[metric]
        mean, low, high = (unit.factor * value for value in (mean, low, high))
        return (
            with_interval(mean, low, high, " %") if unit is SHARE else f"{with_interval(mean, low, high)} {unit.symbol}"
        )

    def mean_of(self, column: str) -> str:
        """The baseline's mean of a column of `runs`, over the seeds that have one."""
        runs = self.runs
        alone = runs[(runs["clip"] == "none") & (runs["regularization"] == "none")]
        return percent(float(alone[column].mean()))

    @property
    def baseline(self) -> str:
        """Say how the baseline's runs ended, or why there is nothing to say."""
        runs = self.runs
        alone = runs[(runs["clip"] == "none") & (runs["regularization"] == "none")]
        if alone.empty:
            return "The baseline, without clip and regularizer, is not trained yet: nothing is compared with it."
        if not alone["test_accuracy"].notna().any():
            return "Without clip and regularizer no run ended with an accuracy."
        return (
            f"Without clip and regularizer, training accuracy was {self.mean_of('train_accuracy')}, test accuracy"
            f" {self.mean('test_accuracy')}, the accuracy gap {self.mean('gap_accuracy')}.{self._apart(alone)}"
        )

    def _apart(self, alone: pd.DataFrame) -> str:
        """What the baseline made of the right labels and of the wrong ones, where some are wrong."""
        if "memorised" not in alone or not alone["memorised"].notna().any():
            return ""
        right, wrong = self.mean("gap_right_accuracy"), self.mean("memorised")
        return (
            f" On rightly labelled training digits the gap was {right}; the net reproduced {wrong} of the wrong labels."
        )

    def effects(self, family: str, metric: str) -> list[Effect]:
        """The comparisons of one family in this regime."""
        return effects(self.tables["comparisons"], self.name, family, metric)

    @property
    def besides(self) -> str:
        """Say what was decided about metrics that only some studies have; the table has the gap and test accuracy."""
        found = (
            (metric, [*self.effects("clip", metric), *self.effects("regularization", metric)]) for metric in OTHERS
        )
        return " ".join(line for metric, effects in found for line in decided_sentences(effects, metric))

    def table(self) -> list[dict[str, object]]:
        """Each clip and each regularizer alone: differences of gap and test accuracy, in percentage points."""
        return [
            {
                "alone": gap.words,
                "accuracy gap": gap.interval,
                "p": "" if gap.both_fail else p_text(gap.p_adjusted),
                "test accuracy": test.interval,
                "p ": "" if test.both_fail else p_text(test.p_adjusted),
                "n": gap.n,
            }
            for family in ("clip", "regularization")
            for gap, test in self.both(family)
        ]

    def both(self, family: str) -> Iterator[tuple[Effect, Effect]]:
        """Yield the comparisons of the gap and of test accuracy of each method of a family."""
        test = {effect.label: effect for effect in self.effects(family, "test_accuracy")}
        return ((gap, test[gap.label]) for gap in self.effects(family, "gap_accuracy"))

    @property
    def runs(self) -> pd.DataFrame:
        """The runs of this regime."""
        runs = self.tables["runs"]
        return runs[runs["regime"] == self.name]

    @property
    def lost(self) -> str:
        """Say how many runs diverged and which variants they belong to."""
        runs = self.runs
        lost = runs[failed(runs)]
        if lost.empty:
            return f"No run of {len(runs)} diverged."
        ran, cells = _cells(runs), _cells(lost)
        whole = {cell for cell, k in cells.items() if k == ran[cell]}
        part = [f"{cell_words(c, r)} ({k} of {ran[c, r]})" for (c, r), k in cells.items() if (c, r) not in whole]
        causes = ", ".join(f"{cause} {k}" for cause, k in lost["cause"].value_counts().items())
        text = f"{len(lost)} of {len(runs)} runs diverged ({causes})."
        text += f" Every seed was lost with {'; '.join(_grouped(whole, list(ran)))}." if whole else ""
        return text + (f" Some seeds were lost with {'; '.join(part)}." if part else "")

    @property
    def firing(self) -> str:
        """Say how often each clip fired without a regularizer."""
        alone = self.runs[(self.runs["regularization"] == "none") & (self.runs["clip"] != "none")]
        groups = alone[alone["clip_rate"].notna()].groupby("clip", sort=False)["clip_rate"]
        parts = [
            f"{in_words(str(clip))}: in {percent(rates.mean())} of the steps ({_range(rates)})"
            + (", so it shows nothing about the method at a lower threshold" if (rates == 0).all() else "")
            for clip, rates in groups
        ]
        return "; ".join(parts)

    @property
    def interactions(self) -> str:
        """Say how clips and regularizers combine, against adding their separate effects."""
        found = [e for e in self.effects("interaction", "gap_accuracy") if e.defined]
        if not found:
            return ""
        if not any(e.decidable for e in found):
            pairs = counted(len(found), "pair")
            return f"{counted(found[0].n, 'seed')} cannot decide whether the effects of {pairs} add up."
        decided = [e for e in found if e.decided]
        share = f"{len(decided)} of {len(found)} pairs of a clip and a regularizer"
        if not decided:
            return f"None of {counted(len(found), 'pair')} is shown to have effects that do not add up."
        meaning = "Above zero, the pair leaves a larger gap than the sum of both effects, as when each alone"
        largest = f"The largest deviations: {listed(decided[:3])}"
        return f"For {share} the effects on the accuracy gap do not add up. {largest}. {meaning} removes most of it."

    def section(self) -> RegimeSection:
        """Return all that the report places in the section of this regime."""
        return RegimeSection(
            trained=not self.runs.empty,
            baseline=self.baseline,
            table=self.table(),
            besides=self.besides,
            together=self.interactions,
            firing=self.firing,
            lost=self.lost,
        )


@dataclass(frozen=True)
class RegimeSection:
    """Sentences and the table of a regime's section; empty where there is nothing to say.

    besides: what else was decided of clips alone and of regularizers alone; together: about pairs of both.
    """

    trained: bool
    baseline: str
    table: list[dict[str, object]]
    besides: str
    together: str
    firing: str
    lost: str


def _grouped(lost: set[tuple[str, str]], cells: list[tuple[str, str]]) -> Iterator[str]:
    """Lost cells by clip, with the regularizers named only where some survived."""
    for clip in dict.fromkeys(clip for clip, _ in cells):
        of_clip = [regularizer for c, regularizer in cells if c == clip]
        gone = [regularizer for regularizer in of_clip if (clip, regularizer) in lost]
        if gone == of_clip:
            yield f"{_clip(clip)}, whatever the regularizer"
        elif gone:
            yield f"{_clip(clip)} and {' or '.join(_regularizer(one) for one in gone)}"


def _clip(label: str) -> str:
    return escaped(phrase("clip", label))


def _regularizer(label: str) -> str:
    return escaped(phrase("regularization", label))


def _cells(runs: pd.DataFrame) -> Counter[tuple[str, str]]:
    """How many runs each variant has."""
    return Counter(zip(runs["clip"], runs["regularization"], strict=True))


def _range(values: pd.Series[float]) -> str:
    low, high = values.min(), values.max()
    return "every seed" if low == high else f"{percent(low)} to {percent(high)} by seed"


def weights_rows(runs: pd.DataFrame, regimes: Mapping[str, str]) -> list[dict[str, str]]:
    """Weights at the end by regime and regularizer, without a clip; of regimes with a regularizer alone.

    regimes: their names in words, by name.
    """
    parts = [_weights(runs, *regime) for regime in regimes.items()]
    return [row for part in parts if len(part) > 1 for row in part]


def _weights(runs: pd.DataFrame, regime: str, words: str) -> list[dict[str, str]]:
    """Exact zeros, small ones, the largest weight and the norm."""
    rows = runs[(runs["regime"] == regime) & (runs["clip"] == "none")]
    columns = ["weight_zero", "weight_small", "weight_max", "weight_norm"]
    means = rows.groupby("regularization", sort=False)[columns].mean()
    return [
        {
            "regime": words,
            "regularizer": _regularizer(str(label)),
            "exactly zero": percent(row["weight_zero"]),
            "below 0.001": percent(row["weight_small"]),
            "largest": number(row["weight_max"]),
            "norm": number(row["weight_norm"]),
        }
        for label, row in means.iterrows()
    ]
