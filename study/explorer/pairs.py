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
