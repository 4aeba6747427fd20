"""Verification of a rerun: whether it is bit-identical, agrees up to the variation between seeds, or differs.

The reference is a table of runs: their results, provenance, and a fingerprint of each run's rows in each of the study's
tables. All columns are compared except the study's name and the wall time. Columns that are newer than the reference
are left out of the comparison, and reported.
"""

from __future__ import annotations

import hashlib
import sys
import textwrap
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from study.analysis.conventions import ALPHA
from study.analysis.permutation import one_distribution_p, smallest_p
from study.analysis.statistics import holm
from study.results import provenance, store

Floats = NDArray[np.float64]
NO_COLUMNS: Mapping[str, Collection[str]] = MappingProxyType({})
CELL = ["regime", "clip", "regularization"]
RUN = [*CELL, "seed"]
NOT_CONTENT = ("study", "wall_seconds")
FINGERPRINTS = [f"content_{name}" for name in store.TABLES]
COLUMNS = [f"columns_{name}" for name in store.TABLES]
METRICS = ("train_loss", "train_accuracy", "test_loss", "test_accuracy", "diverged")
IDENTICAL, AGREES, DIFFERS, OPEN = "bit-identical", "agrees", "differs", "cannot be told"


class VerificationError(ValueError):
    """Error of a rerun that cannot be compared; says why and what to do."""


def fingerprints(table: pd.DataFrame) -> pd.Series:
    """Return 16 hex digits over the content of each run of a table, by regime, clip, regularization and seed.

    Columns count by name, rows in order; numbers as the bits of float64 with all NaN alike, whatever the type in which
    a file stores them.
    """
    content = table[_content(table)]
    numbers = content.select_dtypes(["number", "bool"])
    values = numbers.to_numpy(np.float64, na_value=np.nan)
    values[np.isnan(values)] = np.nan
    texts = content.drop(columns=numbers.columns).astype("str").to_numpy()
    head = repr((list(numbers), list(content))).encode()

    def of(rows: NDArray[np.intp]) -> str:
        parts = head, values[rows].astype("<f8").tobytes(), repr(texts[rows].tolist()).encode()
        return hashlib.sha256(b"".join(parts)).hexdigest()[:16]

    groups = table.groupby(RUN, sort=False).indices
    marks = [(*key, of(np.asarray(rows))) for key, rows in groups.items() if isinstance(key, tuple)]
    return pd.DataFrame(marks, columns=[*RUN, "content"]).set_index(RUN)["content"]


def reference(
    trainings: Iterable[Path], seeds: Sequence[int], covered: Mapping[str, Collection[str]] = NO_COLUMNS
) -> pd.DataFrame:
    """Return the reference table of some folders of trainings: one row for each run of the `seeds`.

    Its columns `columns_<table>` list what the fingerprints cover: all columns of a table, or those of them in
    `covered`.
    """
    return pd.concat([_of_training(folder, seeds, covered) for folder in trainings], ignore_index=True)


def _of_training(folder: Path, seeds: Sequence[int], covered: Mapping[str, Collection[str]]) -> pd.DataFrame:
    runs = provenance.runs_of(folder / "runs.parquet")
    for name, column, columns in zip(store.TABLES, FINGERPRINTS, COLUMNS, strict=True):
        table = store.read(folder / f"{name}.parquet")
        left_out = [one for one in _content(table) if one not in covered.get(name, table)]
        rows = fingerprints(table.drop(columns=left_out))
        runs = runs.join(rows.rename(column), on=RUN)  # none for a run without rows in the table
        runs = runs.assign(**{columns: " ".join(_content(table))})
    return runs[runs["seed"].isin(seeds)].drop(columns="wall_seconds")


def columns_of(reference: pd.DataFrame) -> dict[str, list[str]]:
    """Return the columns that the fingerprints of a reference cover, by table, as far as it says.

    An older reference, which does not say, covers its own columns of `runs`.
    """
    own = [*provenance.COLUMNS, *FINGERPRINTS, *COLUMNS]
    found = {"runs": [name for name in _content(reference) if name not in own]}
    told = {name: column for name, column in zip(store.TABLES, COLUMNS, strict=True) if column in reference}
    return found | {name: str(reference[column].iloc[0]).split() for name, column in told.items()}


def _content(table: pd.DataFrame) -> list[str]:
    """Return the columns that are compared, sorted."""
    return sorted(name for name in map(str, table) if name not in (*store.KEYS, *NOT_CONTENT))


def verdicts(reference: pd.DataFrame, again: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each cell of the rerun `again`: how it agrees with the reference.

    A cell whose runs are not all bit-identical "differs" if `one_distribution_p`, by Holm's method over all cells that
    were run again, is at most `ALPHA`; otherwise it "agrees", unless the seeds are too few for any p to reach it.
    Raises VerificationError if the reference has other variants or seeds.
    """
    pairs = again.merge(reference, on=[*RUN, "digest"], suffixes=("_again", ""), how="left", indicator=True)
    if (pairs["_merge"] != "both").any():
        missing = pairs.loc[pairs["_merge"] != "both", RUN].iloc[0]
        raise VerificationError(
            f"The reference must hold the runs that are made again. Got one without {missing.to_dict()} as configured "
            "now instead: run the study, which writes its reference anew, or take the configuration of the reference."
        )
    table = pd.DataFrame([_compared(cell) for _, cell in pairs.groupby(CELL, sort=False)])
    table["p_adjusted"] = holm(table["p"])
    table["not_compared"] = _not_compared(reference, again)
    table["verdict"] = [_verdict(row, len(table)) for row in table.to_dict("records")]
    return table


def _not_compared(reference: pd.DataFrame, again: pd.DataFrame) -> str:
    """Return the columns of the rerun that the reference lacks: `runs: clip_method, clip_strength; ..`."""
    there, here = columns_of(reference), columns_of(again)
    new = {name: [one for one in here[name] if one not in there[name]] for name in here if name in there}
    return "; ".join(f"{name}: {', '.join(columns)}" for name, columns in new.items() if columns)


def _compared(cell: pd.DataFrame) -> dict[str, object]:
    """Return the row of a cell from its pairs of runs."""
    same = pd.DataFrame(
        {
            table: cell[mark].fillna("") == cell[f"{mark}_again"].fillna("")
            for table, mark in zip(store.TABLES, FINGERPRINTS, strict=True)
        }
    )
    return {
        "study": cell["study"].iloc[0],
        **{key: cell[key].iloc[0] for key in CELL},
        "runs": len(cell),
        "identical": int(same.all(axis=1).sum()),
        "tables": " ".join(same.columns[~same.all()]),
        "largest_difference": (cell["test_accuracy"] - cell["test_accuracy_again"]).abs().max(),
        "p": 1.0 if same.all(axis=None) else one_distribution_p(_metrics(cell, ""), _metrics(cell, "_again")),
        "elsewhere": _elsewhere(cell),
    }


def _metrics(cell: pd.DataFrame, suffix: str) -> Floats:
    """Return the tested results [n, m]."""
    measured = {name: cell[f"{name}{suffix}"] for name in METRICS if name != "diverged"}
    table = pd.DataFrame(measured).assign(diverged=cell[f"status{suffix}"] != "ok")
    return table.to_numpy(np.float64, na_value=np.nan)


def _elsewhere(cell: pd.DataFrame) -> str:
    """Return the facts of provenance in which the reference and the rerun differ."""
    found: dict[str, None] = {}
    for row in cell.to_dict("records"):
        again: dict[Hashable, object] = {group: row[f"{group}_again"] for group in provenance.GROUPS}
        for fact, (there, here) in provenance.differences(row, again).items():
            found[f"{fact} {there} -> {here}"] = None
    return "; ".join(found)


def _verdict(row: dict[Hashable, Any], cells: int) -> str:
    if row["identical"] == row["runs"]:
        return IDENTICAL
    if row["p_adjusted"] <= ALPHA:
        return DIFFERS
    return OPEN if cells * smallest_p(row["runs"], row["runs"]) > ALPHA else AGREES


def summary(table: pd.DataFrame) -> str:
    """Return the verdicts as text for a terminal."""
    counts = table["verdict"].value_counts()
    lines = [
        f"{len(table)} cells of the study {table['study'].iloc[0]}, {table['runs'].sum()} runs, trained again:",
        *(f"{counts.get(verdict, 0):5d} {words}" for verdict, words in WORDS.items()),
        *(_line(row) for row in table.to_dict("records") if row["verdict"] != IDENTICAL),
    ]
    elsewhere = dict.fromkeys(fact for text in table["elsewhere"] for fact in text.split("; ") if fact)
    if elsewhere:
        lines += ["Not as in the reference (there -> here):", *(f"  {difference}" for difference in elsewhere)]
    if left_out := table["not_compared"].iloc[0]:
        lines.append(f"Not compared, since the reference lacks these columns: {left_out}.")
    return "\n".join([*lines, *textwrap.wrap(RULE.format(cells=len(table)), 100)])


WORDS = {
    IDENTICAL: "bit-identical, in all tables",
    AGREES: "agree within what seeds explain",
    DIFFERS: "differ by more than seeds explain",
    OPEN: "not identical, with too few seeds to tell more",
}
RULE = (
    "The rule: a cell that is not bit-identical differs if an exact rank test of its runs against the reference's, of "
    f"all results at once, gives p <= {ALPHA} by Holm's method over the {{cells}} cells; so if all cells come from the "
    f"reference's distribution, the chance that any is wrongly said to differ is at most {ALPHA:.0%}."
)


def _line(row: dict[Hashable, Any]) -> str:
    return (
        f"  {row['regime']}: {row['clip']} x {row['regularization']}: {row['verdict']}; {row['identical']} of "
        f"{row['runs']} runs identical, others differ in {row['tables']}; test accuracy moves by up to "
        f"{100 * row['largest_difference']:.2f} points; adjusted p {row['p_adjusted']:.3g}"
    )


def main(path: str) -> int:
    """Print the verdicts of a table; return 0 if every cell is identical or agrees."""
    table = store.read(path)
    words = {name: table[name].astype(object).fillna("") for name in ("tables", "elsewhere", "not_compared")}
    print(summary(table.assign(**words)))
    return int(not set(table["verdict"]) <= {IDENTICAL, AGREES})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
