"""Choices of tuning, by validation loss as used and by validation accuracy as an alternative."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from study.analysis.questions.differences import Case, differences
from study.analysis.questions.numbers import Number
from study.analysis.regimes import REGIMES
from study.analysis.selection import candidate_cell
from study.results.store import Tables

LR = "optimizer.lr"
BY_LOSS, BY_ACCURACY = "chosen", "chosen_by_accuracy"
BOTH_WAYS = (BY_LOSS, BY_ACCURACY)
"""The columns of `tuning` that say what was chosen, the one that tuning goes by first."""

RATE_GIVEN, RATE_TUNED = "rate given", "rate tuned"
COLUMNS = ["setting", "kind", "method", "regime", "label", "strength", *BOTH_WAYS]


def regimes_of(tables: Tables) -> pd.DataFrame:
    """Return each regime's place in its sweep; empty for a study without such a table."""
    return tables.get("regimes", pd.DataFrame(columns=list(REGIMES)))


def tuning_of(tables: Tables) -> pd.DataFrame:
    """Return the candidates of tuning; empty if a study tunes nothing."""
    return tables.get("tuning", pd.DataFrame(columns=COLUMNS))


def chosen(tables: Tables, by: str = BY_LOSS) -> pd.DataFrame:
    """Return the choices of tuning, with `rates`, the number of learning rates tried, 0 if they are not swept."""
    tuning, regimes = tuning_of(tables), regimes_of(tables)
    rates = regimes[regimes["axis"] == LR].set_index("regime")["number"]
    at = tuning.assign(rate=tuning["regime"].map(rates))
    among = at.groupby(["setting", "kind", "method"])["rate"].transform("nunique")
    return tuning.assign(rates=among)[tuning[by].astype(bool)]


def none_of(choices: pd.DataFrame, row: pd.Series) -> pd.Series:
    """Return the baseline's choice in the setting of a choice."""
    same = (choices["setting"] == row["setting"]) & (choices["kind"] == row["kind"]) & (choices["method"] == "none")
    return choices[same].iloc[0]


def against_none(tables: Tables, by: str) -> Iterator[tuple[pd.Series, Case]]:
    """Yield each method and the baseline, as chosen in the same setting."""
    choices = chosen(tables, by)
    for _, row in choices[choices["method"] != "none"].iterrows():
        part = RATE_TUNED if row["rates"] > 1 else RATE_GIVEN
        yield row, case_of(row, none_of(choices, row), part, by)


def case_of(row: pd.Series, other: pd.Series, part: str = "", by: str = "") -> Case:
    """Return the case of two candidates of tuning, the first in its setting."""
    return Case(candidate_cell(row), candidate_cell(other), part, by, str(row["setting"]), str(row["method"]))


def tuned(tables: Tables) -> Iterator[Number]:
    """Compare every tuned method with the tuned baseline, by both ways of choosing; in parts by kind and rate."""
    cases = (
        replace(case, part=part_of(str(row["kind"]), case.part))
        for by in BOTH_WAYS
        for row, case in against_none(tables, by)
    )
    return differences(tables["runs"], cases)


def part_of(kind: str, rate: str) -> str:
    """Return the part of `tuned` with the clips, or the regularizers, by how their learning rate was set."""
    return f"{kind}, {rate}"
