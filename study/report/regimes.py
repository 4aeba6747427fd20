"""One regime in values and sentences that a report can print; nothing is estimated here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from study.methods.phrases import phrase
from study.report.format import (
    Effect,
    counted,
    decided_sentences,
    effects,
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
        rows = [
            {
                "alone": gap.words,
                "accuracy gap": gap.interval,
                "p": "" if gap.both_fail else p_text(gap.p_adjusted),
                "test accuracy": test.interval,
                "p ": "" if test.both_fail else p_text(test.p_adjusted),
                "at the best epoch": best.interval if best else "",
                "n": gap.n,
            }
            for family in ("clip", "regularization")
            for gap, test, best in self._rows(family)
        ]
        if all(row["at the best epoch"] in ("", row["test accuracy"]) for row in rows):
            return [{key: value for key, value in row.items() if key != "at the best epoch"} for row in rows]
        return rows

    def _rows(self, family: str) -> Iterator[tuple[Effect, Effect, Effect | None]]:
        best = {effect.label: effect for effect in self.effects(family, "best_test_accuracy")}
        return ((gap, test, best.get(gap.label)) for gap, test in self.both(family))

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
        """Say how many runs failed, and why."""
        runs = self.runs
        lost = runs[failed(runs)]
        if lost.empty:
            return f"No run of {len(runs):,} failed."
        causes = ", ".join(f"{cause} {k}" for cause, k in lost["cause"].value_counts().items())
        return f"{len(lost):,} of {len(runs):,} runs failed ({causes})."

    @property
    def failures(self) -> pd.DataFrame:
        """Counts of failed runs, `sum`, and of all, `size`, by clip and regularizer."""
        runs = self.runs.assign(failed=failed(self.runs))
        return runs.groupby(["clip", "regularization"], sort=False)["failed"].agg(["sum", "size"])

    def losses(self) -> list[dict[str, object]]:
        """Return a row for each variant with a failed run; regularizers that share a clip and a count share a row."""
        cells = self.failures.reset_index()
        unwell = cells[cells["sum"] > 0]
        return [
            {
                "clip": _clip(str(clip)),
                "regularizer": _whichever(part["regularization"], cells[cells["clip"] == clip]),
                "failed runs of each": f"{lost} of {size}",
            }
            for (clip, lost, size), part in unwell.groupby(["clip", "sum", "size"], sort=False)
        ]

    def firing(self) -> list[dict[str, object]]:
        """Return a row for each clip without a regularizer: in which share of the steps it fired."""
        alone = self.runs[(self.runs["regularization"] == "none") & (self.runs["clip"] != "none")]
        groups = alone[alone["clip_rate"].notna()].groupby("clip", sort=False)["clip_rate"]
        return [
            {"clip": _clip(str(clip)), "steps in which it fired": percent(rates.mean()), "seeds": _range(rates)}
            for clip, rates in groups
        ]

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
            return f"For none of {counted(len(found), 'pair')} is a departure from additivity shown."
        meaning = "Above zero, the gap of the pair is larger than both effects together predict, as when each alone"
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
            firing=self.firing(),
            lost=self.lost,
            losses=self.losses(),
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
    firing: list[dict[str, object]]
    lost: str
    losses: list[dict[str, object]]


def _whichever(lost: pd.Series, cells: pd.DataFrame) -> str:
    """Return the regularizers of some variants of a clip, "any" where all that stand beside it are among them."""
    return "any" if len(lost) == len(cells) > 1 else "; ".join(map(_regularizer, lost))


def _clip(label: str) -> str:
    return escaped(phrase("clip", label))


def _regularizer(label: str) -> str:
    return escaped(phrase("regularization", label))


def _range(values: pd.Series[float]) -> str:
    low, high = values.min(), values.max()
    return "all alike" if low == high else f"{percent(low)} to {percent(high)}"


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
