"""Write the data dictionary of every table of a study, docs/tables.md: `make tables`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from study.analysis.columns import DICTIONARY
from study.optim.metrics import Metric
from study.results.columns import Column, Table
from study.results.own_metrics import columns_of
from study.results.workload_columns import WORKLOADS

PAGE = Path(__file__).with_name("tables.md")
HEAD = """# Every column of every table

Written by `make tables` from the code that declares the columns. The tables are in `results/<study>/`; `.parquet` is
read by `pandas.read_parquet`, `.csv` by `pandas.read_csv`. Values are stored in base units: shares from 0 to 1, losses
in nats. "Shown" is the unit of the report and of `explorer.html`.
"""


def page() -> str:
    """Return the whole page as Markdown."""
    parts = [_section(name, table) for name, table in DICTIONARY.items()]
    own = [_own(*names, columns) for names, columns in _of_workloads()]
    return "\n".join([HEAD, *parts, *own, _of_metrics()])


class Pattern(Metric):
    """Value of the metric."""


def _of_metrics() -> str:
    """The columns of a metric that a plugin defines, by their pattern."""
    columns = columns_of(Pattern(name="<metric>"))
    head = [
        "## `runs` with metrics of your own",
        "",
        "Six columns for each metric; those of the test set are compared:",
        "",
    ]
    return "\n".join([*head, "| column | meaning | shown |", "|---|---|---|", *map(_row, columns), ""])


def _of_workloads() -> Iterator[tuple[tuple[str, str], tuple[Column, ...]]]:
    for workload, tables in WORKLOADS.items():
        for name, columns in tables.items():
            yield (workload, name), columns


def _own(workload: str, name: str, columns: tuple[Column, ...]) -> str:
    head = [f"## `{name}` of a {workload} training", "", "In addition to the columns above:", ""]
    return "\n".join([*head, "| column | meaning | shown |", "|---|---|---|", *map(_row, columns), ""])


def _section(name: str, table: Table) -> str:
    rows = [_row(column) for column in table.columns]
    head = [f"## `{name}`", "", f"`{table.file}`: one row is {table.row}.", ""]
    return "\n".join([*head, "| column | meaning | shown |", "|---|---|---|", *rows, ""])


def _row(column: Column) -> str:
    return f"| `{column.name}` | {column.meaning} | {column.unit.symbol} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
