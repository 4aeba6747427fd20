"""Values by seed that decide claims."""

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
        """Return the evidence in a study's tables, by name; `tuning` may be absent."""
        nothing = pd.DataFrame(columns=["setting", "kind", "method", "chosen"])
        names = ("runs", "epochs", "tensors", "weights")
        return cls(study, **{name: tables[name] for name in names}, tuning=tables.get("tuning", nothing))

    def members(self, name: str) -> list[str]:
        """Return the regimes of a sweep in order, or the regime of this name."""
        swept = [regime for regime, given in self.study.regimes.items() if given.part_of == name]
        return swept or [name]

    def runs_of(self, cell: Cell, column: str) -> pd.Series[float]:
        """Return a column of `runs` by seed; "diverged" is 1 for a run that did not end well, else 0."""
        rows = select(self.runs, cell).set_index("seed").sort_index()
        values = failed(rows) if column == "diverged" else rows[column]
        return values.astype(float)

    def cells(self, name: str) -> list[Cell]:
        """Return the cells of a sweep's members without clip and regularizer."""
        return [Cell(regime) for regime in self.members(name)]

    def setting_of(self, cell: Cell) -> str:
        """Return where a cell was trained: its tuned setting, or its sweep's point, or its regime."""
        regime = self.study.regimes.get(cell.regime)
        return (regime.setting if regime else None) or cell.regime

    def wrong_labels(self, cell: Cell) -> float:
        """Return the share of wrong training labels where a cell was trained."""
        regime = self.study.regimes.get(cell.regime)
        return regime.data.wrong_labels.train if regime else 0.0

    def logged(self, cell: Cell, column: str) -> pd.Series[float]:
        """Return log2 of a column of `runs` by seed."""
        return logarithm(self.runs_of(cell, column), 2)

    def largest_norm(self, cell: Cell) -> pd.Series[float]:
        """Return log10 of the largest gradient norm before the clip; an overflow counts as the largest float32."""
        norms = self.runs_of(cell, "norm_max")
        return logarithm(norms.fillna(LARGEST).clip(lower=SMALLEST, upper=LARGEST), 10)

    def first_to_last(self, cell: Cell) -> pd.Series[float]:
        """Return log10 of the first weight's gradient norm over the last's, after the clip; median over the run."""
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
        """Return log2 of the epochs until a curve first reaches a target, interpolated; if never, one epoch more."""
        rows = select(self.epochs, cell).sort_values("epoch")
        never = self.study.regimes[cell.regime].epochs + 1.0  # also where a run diverged early
        reached = {
            seed: max(crossing(part["epoch"].to_numpy(float), part[column].to_numpy(float), target, never), 0.1)
            for seed, part in rows.groupby("seed")
        }
        return logarithm(pd.Series(reached, dtype=float).sort_index(), 2)

    def gini(self, cell: Cell) -> pd.Series[float]:
        """Return the Gini coefficient of |w| from the bins of `weights`, mean over tensors: 0 equal, 1 all in one."""
        rows = select(self.weights, cell)
        if rows.empty:
            return pd.Series(dtype=float)
        middle = np.sqrt(rows["low"].clip(lower=0) * rows["high"])
        table = rows.assign(middle=middle)[["seed", "tensor", "middle", "share"]]
        each = table.groupby(["seed", "tensor"])[["middle", "share"]].apply(_gini)
        return each.groupby("seed").mean().sort_index()

    def chosen(self, setting: str, kind: str, method: str) -> Cell:
        """Return the strength that tuning chose for a method, possibly "none"; raises KeyError if it was not tuned."""
        candidates = self._candidates(setting, kind, method)
        return candidate_cell(candidates[candidates["chosen"]].iloc[0])

    def best(self, setting: str, kind: str, method: str, by: str = "test_accuracy") -> Cell:
        """Return the strength with the best mean test score, which only the test set could choose.

        by: "test_accuracy" or "test_loss". If no candidate has a score, return the choice of tuning.
        """
        candidates = self._candidates(setting, kind, method)
        found = candidates[candidates["best_on_test" if by == "test_accuracy" else "best_on_test_loss"]]
        return self.chosen(setting, kind, method) if found.empty else candidate_cell(found.iloc[0])

    def chosen_within(self, setting: str, kind: str, method: str, low: float, high: float) -> Cell:
        """Return the strength of the smallest validation loss from `low` to `high`; raises KeyError without one."""
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
        """Return the contrast of a column of `runs` between two cells, the first less the second."""
        terms = [Term(1, more, self.runs_of(more, column)), Term(-1, less, self.runs_of(less, column))]
        points = column.endswith("accuracy") or column in SHARES
        return Contrast(key, hypothesis, terms, unit, smallest, f"runs, {column}", figure, expectation, points)

    def untuned(self, settings: Sequence[str], kind: str, methods: Sequence[str]) -> Iterator[str]:
        """Yield what a method's strengths gain over the baseline in the settings where tuning chose none."""
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
        """Return `+0.31 [0.10, 0.52]`: the points by which a share is greater in one cell, with the mean's interval."""
        differences = 100 * (self.runs_of(own, column) - self.runs_of(other, column)).to_numpy(float)
        defined = differences[np.isfinite(differences)]
        interval = bca_interval(defined)
        mean = float(defined.mean()) if defined.size else np.nan
        return f"{number(mean, sign=True)} [{number(interval.low)}, {number(interval.high)}]"

    def gaps(self, cells: Iterable[Cell]) -> str:
        """Return mean accuracy gaps by regularization: `dropout(0.5) 9.0 %, l2(0.01) 13.7 %, ..`."""
        means = {cell.regularization: self.runs_of(cell, "gap_accuracy").mean() for cell in cells}
        return ", ".join(f"{label} {percent(mean)}" for label, mean in means.items())

    def at_the_line(self, cells: Sequence[Cell]) -> tuple[float, int, int]:
        """Return the training accuracy at which a run fails, how many runs end near it, and of how many."""
        ends = pd.concat([self.runs_of(cell, "train_accuracy") for cell in cells])
        line = CHANCE_FACTOR / CLASSES
        return line, int(((ends - line).abs() <= NEAR).sum()), len(ends)

    def of_wrong_labels(self, settings: Sequence[str]) -> Iterator[str]:
        """Yield a note on what a lower gap means in those of the settings in which training labels are wrong."""
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
        """Return the contrast "the tuned method's accuracy gap is lower than that of the tuned baseline".

        If both gaps are below zero, as when wrong labels were not learned, nothing is compared.
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
        """Return the contrast "the tuned method's test accuracy is higher than that of the tuned baseline"."""
        own, none = self.chosen(setting, kind, method), self.chosen(setting, kind, "none")
        hypothesis = f"test accuracy is higher with {method} as tuned in {setting}"
        key, figure = f"{setting}: {method}, test accuracy", "tuning_curves"
        given = self.between(own, none, "test_accuracy", key, hypothesis, "higher test accuracy", smallest, figure)
        return replace(given, reached=self.reached(own, none, "test_accuracy"))

    def reached(self, own: Cell, none: Cell, column: str) -> str:
        """Return `81.5 %, none 80.2 %`, the means over seeds; "" if both are one cell."""
        if own == none:
            return ""
        one, other = (100 * self.runs_of(cell, column).mean() for cell in (own, none))
        return f"{one:.1f} %, none {other:.1f} %".replace("-", "\N{MINUS SIGN}")

    def accuracy_kept(self, setting: str, kind: str, method: str, margin: float) -> Contrast:
        """Return the contrast "the tuned method's test accuracy is not lower by the margin than the baseline's"."""
        given = self.higher_accuracy(setting, kind, method, margin)
        return replace(
            given, hypothesis=f"test accuracy is not lower with {method} as tuned in {setting}", expectation="not_worse"
        )


def logarithm(values: pd.Series[float], base: float) -> pd.Series[float]:
    """Return the logarithm of each value, by seed."""
    return pd.Series(np.log(values.to_numpy(float)) / np.log(base), index=values.index)


def _gini(part: pd.DataFrame) -> float:
    """Return the coefficient from the Lorenz curve of sorted weights: 1 - sum share x (cumulative before + after)."""
    part = part.sort_values("middle")
    mass = (part["middle"] * part["share"]).cumsum().to_numpy(float)
    if mass[-1] == 0:
        return 0.0
    lorenz = np.concatenate([[0.0], mass / mass[-1]])
    return float(1 - part["share"].to_numpy(float) @ (lorenz[1:] + lorenz[:-1]))
