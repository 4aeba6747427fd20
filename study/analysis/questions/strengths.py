"""Choice of a strength: the rule, its cost and regret, and loss or accuracy as the criterion."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from study.analysis.questions.differences import differences
from study.analysis.questions.numbers import Number
from study.analysis.questions.tuned import case_of, tuning_of
from study.analysis.selection import CHOOSERS, candidate_cell
from study.methods.labels import NONE
from study.results.store import Tables

Selector = Callable[[pd.DataFrame], int]
Picks = Mapping[str, pd.DataFrame]
VALIDATION, STANDARD_ERROR, TRAINING = "smallest validation loss", "one standard error", "smallest training loss"
ACCURACY = "largest validation accuracy"
RANDOM = "a candidate other than none at random"
ALL, KIND, METHOD = "all", "kind", "method"
MEAN, LARGEST, TRIED, COST, CHOSEN, AGREE = "mean regret", "largest regret", "strengths", "trainings", "chosen", "agree"
WON, LOST, TAKEN = "better than by training loss", "worse than by training loss", "strengths chosen"
REGRETS = {"regret": ("points", 100), "regret_loss": ("nats", 1)}
"""The columns of `tuning` that hold regrets, the unit in which they are told, and how many of it one is."""


def _by_rule(rule: str) -> Selector:
    def choose(grid: pd.DataFrame) -> int:
        losses, errors = (grid[name].to_numpy(float) for name in ("validation_loss", "validation_se"))
        return CHOOSERS[rule](losses, errors, list(grid["regime"]))

    return choose


SELECTORS: dict[str, Selector] = {
    VALIDATION: _by_rule("minimum"),
    STANDARD_ERROR: _by_rule("one_standard_error"),
    ACCURACY: lambda grid: int(grid["validation_accuracy"].astype(float).fillna(-np.inf).argmax()),
    TRAINING: lambda grid: int(grid["train_loss"].to_numpy(float).argmin()),
}


def best_label(runs: pd.DataFrame, labels: Sequence[str], column: str) -> str:
    """Return the regularization with the best mean of a validation column; nothing if none is defined."""
    means = runs[runs["regularization"].isin(labels)].groupby("regularization", sort=False)[column].mean().dropna()
    if means.empty:
        return ""
    return str(means.idxmax() if column.endswith("accuracy") else means.idxmin())


def grids(tables: Tables) -> list[pd.DataFrame]:
    """Return the candidates of every tuned method, "none" among them."""
    groups = tuning_of(tables).groupby(["setting", "kind", "method"], sort=False)
    return [grid.reset_index(drop=True) for (_, _, method), grid in groups if method != NONE and len(grid) > 1]


def choose_strength(tables: Tables) -> Iterator[Number]:
    """Yield what each rule of choice loses on the test set against the best candidate, and what it costs."""
    if found := grids(tables):
        picks = {name: pd.DataFrame([grid.iloc[choose(grid)] for grid in found]) for name, choose in SELECTORS.items()}
        for name, own in picks.items():
            yield from _regrets(own, name, ALL)
        yield from _regrets(_at_random(found), RANDOM, ALL)
        yield from _by_part(picks)
        yield from _costs(found)
        yield from _agreement(picks)
        yield from _taken(picks)


def _regrets(own: pd.DataFrame, rule: str, part: str, method: str = "") -> Iterator[Number]:
    for column, (unit, scale) in REGRETS.items():
        regrets = scale * own[column].astype(float)
        lost = int(regrets.isna().sum())
        for metric, value in ((MEAN, regrets.mean()), (LARGEST, regrets.max())):
            yield Number(metric, unit, float(value), n=len(own), n_undefined=lost, part=part, by=rule, method=method)


def _at_random(found: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.DataFrame([grid.loc[grid["label"] != NONE, list(REGRETS)].astype(float).mean() for grid in found])


def _by_part(picks: Picks) -> Iterator[Number]:
    """Yield the regrets of two rules by kind, if both exist, and by method, if it was tuned in several settings."""
    first = picks[VALIDATION]
    kinds = list(dict.fromkeys(first["kind"]))
    sizes = first["method"].value_counts(sort=False)
    parts = [(KIND, kind) for kind in kinds if len(kinds) > 1]
    parts += [(METHOD, method) for method in dict.fromkeys(first["method"]) if 1 < sizes[method] < len(first)]
    for part, name in parts:
        for rule in (VALIDATION, ACCURACY):
            own = picks[rule]
            yield from _regrets(own[own[part] == name], rule, part, str(name))


def _costs(found: list[pd.DataFrame]) -> Iterator[Number]:
    """Yield the strengths and trainings of each method's choice, the choice, and the end of the grid it is at."""
    for at, grid in enumerate(found):
        row = grid[grid["chosen"].astype(bool)].iloc[0]
        edge = row["edge"] if isinstance(row["edge"], str) else ""
        for metric, value, word in (
            (TRIED, len(set(grid["label"]) - {NONE}), ""),
            (COST, float(grid["n"].sum()), ""),
            (CHOSEN, row["strength"], edge),
        ):
            one = Number(metric, estimate=float(value), verdict=word, item=at, own=candidate_cell(row))
            yield replace(one, setting=str(row["setting"]), method=str(row["method"]))


def _agreement(picks: Picks) -> Iterator[Number]:
    alike = int((picks[VALIDATION].index == picks[STANDARD_ERROR].index).sum())
    gain = picks[TRAINING]["regret"].to_numpy(float) - picks[VALIDATION]["regret"].to_numpy(float)
    for metric, n in ((AGREE, alike), (WON, int((gain > 0).sum())), (LOST, int((gain < 0).sum()))):
        yield Number(metric, "methods", n, n=len(gain))


def _taken(picks: Picks) -> Iterator[Number]:
    """Yield the range of strengths that the two rules chose for each regularizer, and the number of settings."""
    both = pd.concat([picks[VALIDATION], picks[ACCURACY]])
    both = both[(both["kind"] == "regularization") & (both["label"] != NONE)]
    for method, own in both.groupby("method", sort=False):
        low, high = float(own["strength"].min()), float(own["strength"].max())
        yield Number(TAKEN, low=low, high=high, n=own["setting"].nunique(), method=str(method))


def loss_or_accuracy(tables: Tables) -> Iterator[Number]:
    """Compare the candidate of the best validation accuracy with that of the smallest validation loss, same runs."""
    picks = (tuple(grid.iloc[SELECTORS[rule](grid)] for rule in (ACCURACY, VALIDATION)) for grid in grids(tables))
    return differences(tables["runs"], (case_of(accuracy, loss) for accuracy, loss in picks))
