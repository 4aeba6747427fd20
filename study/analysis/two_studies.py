"""Comparison of two studies cell by cell: differences in shared cells, and the cells of only one.

python -m study.analysis.two_studies A B [--to FILE.csv]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from study.analysis.comparisons import estimates, row_generator
from study.analysis.statistics import holm
from study.methods.labels import Cell
from study.results import store

CELL = list(Cell._fields)
METRICS = ("test_accuracy", "test_loss", "gap_accuracy", "best_test_accuracy", "best_test_loss")
COLUMNS = (*CELL, "metric", "n", "n_undefined", "estimate", "sd", "low", "high", "p", "p_adjusted", "method")
POINTS = {metric: 100.0 if "accuracy" in metric else 1.0 for metric in METRICS}


@dataclass(frozen=True, eq=False)
class TwoStudies:
    """Differences in the cells that two studies share, and the cells of only one.

    differences: a row for each shared cell and metric, A minus B over the seeds that both have, columns `COLUMNS`;
    p_adjusted is Holm's over the cells of a metric. only_a, only_b: cells as (regime, clip, regularization).
    """

    differences: pd.DataFrame
    only_a: list[Cell]
    only_b: list[Cell]


def compare_studies(a: pd.DataFrame, b: pd.DataFrame, seed: int = 0) -> TwoStudies:
    """Compare two tables of runs, paired by seed in each cell that both have."""
    cells_a, cells_b = (
        {Cell(*map(str, key)): group.set_index("seed") for key, group in runs.groupby(CELL, sort=False)}
        for runs in (a, b)
    )
    shared = [cell for cell in cells_a if cell in cells_b]
    rows = [row for cell in shared for row in _cell(cell, cells_a[cell], cells_b[cell], seed)]
    table = pd.DataFrame(rows, columns=[name for name in COLUMNS if name != "p_adjusted"])
    adjusted = table.groupby("metric")["p"].transform(lambda p: holm(p.to_numpy()))
    return TwoStudies(
        table.assign(p_adjusted=adjusted)[list(COLUMNS)],
        [cell for cell in cells_a if cell not in cells_b],
        [cell for cell in cells_b if cell not in cells_a],
    )


def _cell(cell: Cell, a: pd.DataFrame, b: pd.DataFrame, seed: int) -> Iterator[dict[str, object]]:
    seeds = a.index.intersection(b.index).sort_values()
    for metric in METRICS:
        terms = np.stack([a.loc[seeds, metric].to_numpy(np.float64), -b.loc[seeds, metric].to_numpy(np.float64)])
        found = estimates(terms, row_generator(seed, metric, *cell))
        yield {**cell._asdict(), "metric": metric, **found}


def runs_named(name: str) -> pd.DataFrame:
    """Read the runs of a study by its name, or of a table's file; raises FileNotFoundError where there are none."""
    path = Path(name) if name.endswith(".parquet") else Path("results", name, "runs.parquet")
    if not path.exists():
        raise FileNotFoundError(f"A study must have its table of runs. Got no '{path}' for '{name}'.")
    return store.read(path)


def shown(found: TwoStudies, a: str, b: str, metric: str) -> Table:
    """Return a table of the differences in one metric."""
    scale, unit = POINTS[metric], "points" if POINTS[metric] == 100 else "nats"
    table = Table(title=f"{metric}, {a} minus {b}, {unit}", title_justify="left")
    table.add_column("regime: clip x regularization", overflow="fold")
    for column in ("difference", "95 % interval", "adjusted p", "seeds"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in found.differences[found.differences["metric"] == metric].to_dict("records"):
        numbers = (scale * float(row[key]) for key in ("estimate", "low", "high"))
        estimate, low, high = (f"{number:+.2f}" if np.isfinite(number) else "-" for number in numbers)
        p = f"{row['p_adjusted']:.3g}" if np.isfinite(row["p_adjusted"]) else "-"
        cell = f"{row['regime']}: {row['clip']} x {row['regularization']}"
        table.add_row(cell, estimate, f"[{low}, {high}]", p, str(row["n"]))
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the comparison of two studies; with --to, write all metrics as CSV."""
    parser = argparse.ArgumentParser(prog="study.analysis.two_studies", description="Compare two studies.")
    parser.add_argument("a", help="a study's name, or a table of runs")
    parser.add_argument("b", help="the other one")
    parser.add_argument("--metric", choices=METRICS, default="test_accuracy", help="what is printed")
    parser.add_argument("--to", type=Path, help="a CSV file for the differences in all metrics")
    given = parser.parse_args(arguments)
    try:
        found = compare_studies(runs_named(given.a), runs_named(given.b))
    except (FileNotFoundError, store.TableError) as error:
        print(error, file=sys.stderr)
        return 1
    console = Console()
    if found.differences.empty:
        console.print("The two studies have no cell in common.", style="bold")
    else:
        console.print(shown(found, given.a, given.b, given.metric))
    for name, only in ((given.a, found.only_a), (given.b, found.only_b)):
        cells = [f"  {regime}: {clip} x {other}" for regime, clip, other in only]
        console.print(f"In {name} alone: {len(cells) or 'nothing'}", *cells, sep="\n")
    if given.to:
        store.write(found.differences, given.to)
    return 0


if __name__ == "__main__":
    sys.exit(main())
