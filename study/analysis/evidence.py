"""The results that claims are decided by, as values by seed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from study.analysis.selection import candidate_cell
from study.analysis.statistics import bca_interval
from study.claims.base import NEAR, Cell, Contrast, Expectation, Idle, Term
from study.data.digits import CHANCE_FACTOR, CLASSES
from study.results.cells import failed, select
from study.results.scores import crossing
from study.utils.text import number, percent

if TYPE_CHECKING:
    from study.config.study import Study

LARGEST = float(np.finfo(np.float32).max)
SHARES = ("weight_zero", "weight_small")  # columns of runs that are shares, beside the accuracies
SMALLEST = 1e-30  # stands for a norm or a ratio of 0, which has no logarithm


@dataclass(frozen=True, eq=False)
class Evidence:
    """The tables of a study; values that a run lacks are NaN."""

    study: Study
    runs: pd.DataFrame
    epochs: pd.DataFrame
    tensors: pd.DataFrame
    weights: pd.DataFrame
    tuning: pd.DataFrame

    @classmethod
    def of(cls, study: Study, tables: Mapping[str, pd.DataFrame]) -> Evidence:
        """The evidence in a study's tables, by name; `tuning` may be absent."""
        nothing = pd.DataFrame(columns=["setting", "kind", "method", "chosen"])
        names = ("runs", "epochs", "tensors", "weights")
        return cls(study, **{name: tables[name] for name in names}, tuning=tables.get("tuning", nothing))

    def members(self, name: str) -> list[str]:
        """The regimes of a sweep in its order, or the regime of this name."""
        swept = [regime for regime, given in self.study.regimes.items() if given.part_of == name]
        return swept or [name]

    def runs_of(self, cell: Cell, column: str) -> pd.Series[float]:
        """A column of `runs` by seed; "diverged" is 1 for a run that did not end well, else 0."""
        rows = select(self.runs, cell).set_index("seed").sort_index()
        values = failed(rows) if column == "diverged" else rows[column]
        return values.astype(float)

    def cells(self, name: str) -> list[Cell]:
        """The cells without clip and regularizer of a sweep's members."""
        return [Cell(regime) for regime in self.members(name)]

    def setting_of(self, cell: Cell) -> str:
        """Where a cell was trained: its tuned setting, or its sweep's point, or its regime."""
        regime = self.study.regimes.get(cell.regime)
        return (regime.setting if regime else None) or cell.regime

    def wrong_labels(self, cell: Cell) -> float:
        """The share of the training labels that are wrong where a cell was trained."""
        regime = self.study.regimes.get(cell.regime)
        return regime.data.wrong_labels.train if regime else 0.0

    def logged(self, cell: Cell, column: str) -> pd.Series[float]:
        """log2 of a column of `runs` by seed."""
        return logarithm(self.runs_of(cell, column), 2)

    def largest_norm(self, cell: Cell) -> pd.Series[float]:
        """log10 of the largest gradient norm before the clip; one that overflowed counts as the largest float32."""
        norms = self.runs_of(cell, "norm_max")
        return logarithm(norms.fillna(LARGEST).clip(lower=SMALLEST, upper=LARGEST), 10)

    def first_to_last(self, cell: Cell) -> pd.Series[float]:
        """log10 of the norm of the first weight's gradient over the last's, after the clip; median over the run."""
        rows = select(self.tensors, cell)
        weights = [name for name in rows["tensor"].unique() if str(name).endswith("weight")]
        if not weights:
            return pd.Series(dtype=float)
        first, last = (
            rows[rows["tensor"] == name].set_index(["seed", "step"])["norm_after"] for name in (weights[0], weights[-1])
        )
        ratio = (first / last).groupby("seed").median()
        return logarithm(ratio.clip(lower=SMALLEST), 10).sort_index()

    def epochs_to(self, cell: Cell, column: str, target: float) -> pd.Series[float]:
        """log2 of the epochs until a curve first reaches a target, linear in between; never: one more than it had."""
        rows = select(self.epochs, cell).sort_values("epoch")
        never = self.study.regimes[cell.regime].epochs + 1.0  # also where a run diverged early
        reached = {
            seed: max(crossing(part["epoch"].to_numpy(float), part[column].to_numpy(float), target, never), 0.1)
            for seed, part in rows.groupby("seed")
        }
        return logarithm(pd.Series(reached, dtype=float).sort_index(), 2)

    def gini(self, cell: Cell) -> pd.Series[float]:
        """Gini coefficient of |w| over the bins of `weights`, mean over tensors: 0 all equal, 1 all in one."""
        rows = select(self.weights, cell)
        if rows.empty:
            return pd.Series(dtype=float)
        middle = np.sqrt(rows["low"].clip(lower=0) * rows["high"])
        table = rows.assign(middle=middle)[["seed", "tensor", "middle", "share"]]
        each = table.groupby(["seed", "tensor"])[["middle", "share"]].apply(_gini)
        return each.groupby("seed").mean().sort_index()

    def chosen(self, setting: str, kind: str, method: str) -> Cell:
        """The strength that tuning chose for a method, "none" among them; raises KeyError where it was not tuned."""
        candidates = self._candidates(setting, kind, method)
        return candidate_cell(candidates[candidates["chosen"]].iloc[0])

    def best(self, setting: str, kind: str, method: str, by: str = "test_accuracy") -> Cell:
        """The strength of the best mean test score, which only looking at the test set could choose.

        by: "test_accuracy" or "test_loss". Where no candidate has a score it is what tuning chose.
        """
        candidates = self._candidates(setting, kind, method)
        found = candidates[candidates["best_on_test" if by == "test_accuracy" else "best_on_test_loss"]]
        return self.chosen(setting, kind, method) if found.empty else candidate_cell(found.iloc[0])

    def chosen_within(self, setting: str, kind: str, method: str, low: float, high: float) -> Cell:
        """The smallest validation loss among strengths from `low` to `high`; raises KeyError where there is none."""
        candidates = self._candidates(setting, kind, method)
        inside = candidates[candidates["strength"].between(low, high)]
        if inside.empty:
            raise KeyError(f"{method} from {low:g} to {high:g} in {setting}")
        return candidate_cell(inside.sort_values("validation_loss", kind="stable").iloc[0])

    def _candidates(self, setting: str, kind: str, method: str) -> pd.DataFrame:
        rows = self.tuning.query("setting == @setting and kind == @kind and method == @method")
        if rows.empty:
            raise KeyError(f"{method} in {setting}")
        return rows

    def between(
        self,
        more: Cell,
        less: Cell,
        column: str,
        key: str,
        hypothesis: str,
        unit: str,
        smallest: float,
        figure: str = "claims",
        expectation: Expectation = "increase",
    ) -> Contrast:
        """A column of `runs` in one cell less that in another."""
        terms = [Term(1, more, self.runs_of(more, column)), Term(-1, less, self.runs_of(less, column))]
        points = column.endswith("accuracy") or column in SHARES
        return Contrast(key, hypothesis, terms, unit, smallest, f"runs, {column}", figure, expectation, points)

    def untuned(self, settings: Sequence[str], kind: str, methods: Sequence[str]) -> Iterator[str]:
        """Where tuning chose none for a method, what its strengths gain over none all the same, in that regime."""
        for setting, method in product(settings, methods):
            none = self.chosen(setting, kind, method)
            if none.methods:
                continue
            found = self._candidates(setting, kind, method).query("regime == @none.regime and label != 'none'")
            cells = [candidate_cell(row) for _, row in found.iterrows()]
            gains = [
                f"`{one.methods[0]}` {self.gain(one, none, 'test_accuracy')},"
                f" gap {self.gain(one, none, 'gap_accuracy')}"
                for one in cells
            ]
            if gains:
                yield (
                    f"In `{setting}` tuning chose none for `{method}`; without a choice, against none in"
                    f" `{none.regime}`, in points of test accuracy and of the gap: {'; '.join(gains)}."
                )

    def gain(self, own: Cell, other: Cell, column: str) -> str:
        """`+0.31 [0.10, 0.52]`: by how many points a share is greater in one cell, with the interval of the mean."""
        differences = 100 * (self.runs_of(own, column) - self.runs_of(other, column)).to_numpy(float)
        defined = differences[np.isfinite(differences)]
        interval = bca_interval(defined)
        mean = float(defined.mean()) if defined.size else np.nan
        return f"{number(mean, sign=True)} [{number(interval.low)}, {number(interval.high)}]"

    def gaps(self, cells: Iterable[Cell]) -> str:
        """`dropout(0.5) 9.0 %, l2(0.01) 13.7 %, ..`: mean accuracy gaps by regularization."""
        means = {cell.regularization: self.runs_of(cell, "gap_accuracy").mean() for cell in cells}
        return ", ".join(f"{label} {percent(mean)}" for label, mean in means.items())

    def at_the_line(self, cells: Sequence[Cell]) -> tuple[float, int, int]:
        """The training accuracy at which a run has failed, how many runs end near it, and of how many."""
        ends = pd.concat([self.runs_of(cell, "train_accuracy") for cell in cells])
        line = CHANCE_FACTOR / CLASSES
        return line, int(((ends - line).abs() <= NEAR).sum()), len(ends)

    def of_wrong_labels(self, settings: Sequence[str]) -> Iterator[str]:
        """What a lower gap means where training labels are wrong, for those of the settings in which some are."""
        noisy = [name for name in settings if any(self.wrong_labels(Cell(one)) for one in self._regimes_of(name))]
        if noisy:
            named = ", ".join(f"`{name}`" for name in noisy)
            yield (
                f"In {named} some of the training labels are wrong: a gap below zero means that they were not learned,"
                " and of two gaps below zero the lower is no sign of less overfitting."
            )

    def _regimes_of(self, setting: str) -> list[str]:
        return [name for name, given in self.study.regimes.items() if setting in (name, given.setting)]

    def lower_gap(self, setting: str, kind: str, method: str, smallest: float) -> Contrast:
        """The tuned method's accuracy gap is lower than that of "none", tuned likewise.

        Where both gaps are below zero, as where wrong labels were not learned, there is nothing to compare.
        """
        own, none = self.chosen(setting, kind, method), self.chosen(setting, kind, "none")
        hypothesis = f"the accuracy gap is lower with {method} as tuned in {setting}"
        noise = self.wrong_labels(own)
        wrong = f" ({noise:.0%} wrong labels)".replace("%", " %") if noise else ""
        key, figure = f"{setting}: {method}, gap{wrong}", "tuning_curves"
        given = self.between(none, own, "gap_accuracy", key, hypothesis, "lower accuracy gap", smallest, figure)
        below = own != none and all(self.runs_of(cell, "gap_accuracy").mean() < 0 for cell in (own, none))
        silenced: Idle | None = "gaps below zero" if below else None
        return replace(given, reached=self.reached(own, none, "gap_accuracy"), silenced=silenced)

    def higher_accuracy(self, setting: str, kind: str, method: str, smallest: float) -> Contrast:
        """The tuned method's test accuracy is higher than that of "none", tuned likewise."""
        own, none = self.chosen(setting, kind, method), self.chosen(setting, kind, "none")
        hypothesis = f"test accuracy is higher with {method} as tuned in {setting}"
        key, figure = f"{setting}: {method}, test accuracy", "tuning_curves"
        given = self.between(own, none, "test_accuracy", key, hypothesis, "higher test accuracy", smallest, figure)
        return replace(given, reached=self.reached(own, none, "test_accuracy"))

    def reached(self, own: Cell, none: Cell, column: str) -> str:
        """`81.5 %, none 80.2 %`: means over seeds; nothing to tell where both are one cell."""
        if own == none:
            return ""
        one, other = (100 * self.runs_of(cell, column).mean() for cell in (own, none))
        return f"{one:.1f} %, none {other:.1f} %".replace("-", "\N{MINUS SIGN}")

    def accuracy_kept(self, setting: str, kind: str, method: str, margin: float) -> Contrast:
        """The tuned method's test accuracy is not lower by the margin than that of "none"."""
        given = self.higher_accuracy(setting, kind, method, margin)
        return replace(
            given, hypothesis=f"test accuracy is not lower with {method} as tuned in {setting}", expectation="not_worse"
        )


def logarithm(values: pd.Series[float], base: float) -> pd.Series[float]:
    """The logarithm of each value, by seed as given."""
    return pd.Series(np.log(values.to_numpy(float)) / np.log(base), index=values.index)


def _gini(part: pd.DataFrame) -> float:
    """From the Lorenz curve of weights sorted by size: 1 - sum of share x (cumulative before + after)."""
    part = part.sort_values("middle")
    mass = (part["middle"] * part["share"]).cumsum().to_numpy(float)
    if mass[-1] == 0:
        return 0.0
    lorenz = np.concatenate([[0.0], mass / mass[-1]])
    return float(1 - part["share"].to_numpy(float) @ (lorenz[1:] + lorenz[:-1]))
