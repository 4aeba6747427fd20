"""Ranking of a method among the published ones, by the suite's own gains and leaderboard."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from study.analysis import verification
from study.analysis.gains import gains, leaderboard
from study.challenge.plan import Plan, Training
from study.challenge.terms import DRAWN, Benchmark, Method, read_runs
from study.report.publish import RUNS as PUBLISHED
from study.report.publish import small_csv
from study.results import store

RANKED_BY = ("best_test_accuracy", "best_test_loss")
KEYS = ("regime", "clip", "regularization", "clip_method", "regularization_method", "seed")
SCORES = (*RANKED_BY, "test_accuracy", "test_loss")
COLUMNS = (*KEYS, "status", *SCORES, "content")
"""The columns of an entry's runs: scores to five digits as published, and a fingerprint of all that was recorded."""


@dataclass(frozen=True)
class Ranking:
    """Gains of all methods on the workloads and on the drawn seeds, and the order on the workloads."""

    gains: pd.DataFrame
    board: pd.DataFrame

    @classmethod
    def of(cls, benchmark: Benchmark, workloads: Sequence[str], runs: pd.DataFrame) -> Ranking:
        """Return the ranking of an entry's runs, columns `COLUMNS`, among the published ones.

        The baseline and the methods on the workloads are as published, so that nothing but the entry is trained there.
        p values are adjusted with the entry among the methods.
        """
        own = runs.assign(study=benchmark.study.name)
        evaluated, drawn = own[own["regime"] != DRAWN], own[own["regime"] == DRAWN]
        entered = _is(drawn, (evaluated["clip_method"].iloc[0], evaluated["regularization_method"].iloc[0]))
        # Published methods first: of two with the very same runs the later one counts as the copy.
        on_workloads = _in_order(pd.concat([benchmark.runs, evaluated], ignore_index=True), workloads)
        both = pd.concat([on_workloads, drawn[~entered], drawn[entered]], ignore_index=True)
        found = gains(both, benchmark.study, seed=0, metrics=RANKED_BY)
        board = leaderboard(on_workloads, found[found["regime"] != DRAWN], benchmark.study, seed=0)
        return cls(found, board)

    def of_method(self, method: Method) -> pd.DataFrame:
        """Return the rows of gains of a method."""
        return self.gains[_is(self.gains, method)]

    def place(self, method: Method) -> dict[str, object]:
        """Return the row of a method in the leaderboard."""
        row = self.board[_is(self.board, method)].iloc[0]
        return {str(key): row[key] for key in row.index}


def _in_order(runs: pd.DataFrame, workloads: Sequence[str]) -> pd.DataFrame:
    """Return the runs of some workloads, in their order."""
    return pd.concat([runs[runs["regime"] == name] for name in workloads], ignore_index=True)


def _is(table: pd.DataFrame, method: Method) -> pd.Series:
    return (table["clip_method"] == method[0]) & (table["regularization_method"] == method[1])


def runs_of(plan: Plan, trainings: Iterable[Training], drawn: bool = False) -> pd.DataFrame:
    """Return the runs of trainings as an entry holds them, columns `COLUMNS`."""
    found = [_in_form(store.read(plan.task(one).tables["runs"]), one) for one in trainings]
    table = pd.concat(found, ignore_index=True)
    return table.assign(regime=DRAWN) if drawn else table


def _in_form(runs: pd.DataFrame, one: Training) -> pd.DataFrame:
    marks = verification.fingerprints(runs).rename("content")
    runs = runs.join(marks, on=verification.RUN)
    text = small_csv(runs[runs["seed"].isin(one.seeds)], (*KEYS, "status", *SCORES, "content"))
    return read_runs(io.StringIO(text))


def reproduced(benchmark: Benchmark, plan: Plan) -> list[str]:
    """Return the published runs of the baseline that this machine trained otherwise, one in words each."""
    found = []
    for one in plan.repeated:
        here = store.read(plan.task(one).tables["runs"])
        here = read_runs(io.StringIO(small_csv(here, PUBLISHED)))
        keys = ["regime", "clip", "regularization", "seed"]
        pairs = here[here["seed"].isin(one.seeds)].merge(benchmark.runs, on=keys, suffixes=("_here", ""), how="left")
        for row in pairs.to_dict("records"):
            different = [key for key in RANKED_BY if not _same(row[key], row[f"{key}_here"])]
            found += [
                f"'{row['regime']}', seed {row['seed']}: {key} {row[f'{key}_here']:.5g} here, {row[key]:.5g} published"
                for key in different[:1]
            ]
    return found


def _same(a: float, b: float) -> bool:
    return bool(a == b or (np.isnan(a) and np.isnan(b)))
