"""Write the data dictionary of every table of a study, docs/tables.md: `make tables`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from study.analysis.columns import DICTIONARY
from study.results.columns import Column, Table

PAGE = Path(__file__).with_name("tables.md")
HEAD = """# Every column of every table

Written by `make tables` from the code that declares the columns. The tables are in `results/<study>/`; `.parquet` is
read by `pandas.read_parquet`, `.csv` by `pandas.read_csv`. Values are stored in base units: shares from 0 to 1, losses
in nats. "Shown" is the unit of the report and of `explorer.html`.
"""


def page() -> str:
    """Return the whole page as Markdown."""
    return "\n".join([HEAD, *(_section(name, table) for name, table in DICTIONARY.items())])


def _section(name: str, table: Table) -> str:
    rows = [_row(column) for column in table.columns]
    head = [f"## `{name}`", "", f"`{table.file}`: one row is {table.row}.", ""]
    return "\n".join([*head, "| column | meaning | shown |", "|---|---|---|", *rows, ""])


def _row(column: Column) -> str:
    return f"| `{column.name}` | {column.meaning} | {column.unit.symbol} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
