"""Tables of runs that can be paired: the columns that are compared, and one row for each run."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from pandas.api.types import is_numeric_dtype

from study.analysis.two_studies import CELL, METRICS
from study.results.store import TableError


def check_paired(runs: pd.DataFrame, path: Path | str) -> None:
    """Raise TableError for a table whose runs cannot be paired by seed with those of another, cell by cell."""
    must = f"The table '{path}' must have one row for each run, as 'runs.parquet' of a study has."
    if lacking := [name for name in (*CELL, "seed", *METRICS) if name not in runs]:
        raise TableError(f"{must} Got none with the column '{lacking[0]}' instead.")
    if words := [name for name in METRICS if not is_numeric_dtype(runs[name])]:
        raise TableError(f"{must} Got '{words[0]}' that is no number instead.")
    if (again := runs.duplicated([*CELL, "seed"])).any():
        regime, clip, other, seed = runs.loc[again, [*CELL, "seed"]].iloc[0]
        raise TableError(f"{must} Got two of {regime}: {clip} x {other}, seed {seed} instead.")


def other_settings(a: pd.DataFrame, b: pd.DataFrame) -> str:
    """Say which runs of the same cell and seed have different settings; empty where none is known to."""
    if "digest" not in a or "digest" not in b:
        return ""
    both = a.merge(b, on=[*CELL, "seed"], suffixes=("", "_of_b"))
    differ = both["digest"] != both["digest_of_b"]
    if not differ.any():
        return ""
    regimes = ", ".join(map(str, both.loc[differ, "regime"].unique()))
    count = f"{differ.sum():,} of {len(both):,} runs"
    return f"Settings differ too, in {count} of the same cell and seed: those of {regimes}."
