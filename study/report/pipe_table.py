"""Tables in Markdown, with the widths of their columns."""

from __future__ import annotations

import re

import pandas as pd

from study.report.markdown import unbroken

LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")
MARKS = re.compile(r"[*`\\]")
WIDEST = 28  # characters of a column that others of the table leave room for
PAGE = 105  # characters of a table's row that a page of the PDF has room for


def pipe_table(rows: list[dict[str, object]] | pd.DataFrame) -> str:
    """Rows as Markdown; the dashes under the names give pandoc the widths of a table that is wider than a page."""
    table = pd.DataFrame(rows)
    lines = table.to_markdown(index=False, disable_numparse=True).splitlines()
    widths = _widths([[str(name), *map(str, table[name])] for name in table])
    return "\n".join([*lines[:1], f"|{'|'.join(':' + '-' * width for width in widths)}|", *lines[2:]])


def _widths(columns: list[list[str]]) -> list[int]:
    """The characters of each column, whose first cell is its name and may take several lines.

    A column has its longest word, then its share of what its cells ask for up to `WIDEST`, then of what its name asks
    for. What is left goes to the longer ones, by the mean length of their cells.
    """
    columns = [[unbroken(MARKS.sub("", LINK.sub(r"\1", cell))) for cell in cells] for cells in columns]
    lengths = [[len(cell) for cell in cells[1:]] or [0] for cells in columns]
    widths = [2.0 + max(len(word) for cell in cells for word in cell.split(" ")) for cells in columns]
    widths = _grown(widths, [2 + min(max(own), WIDEST) for own in lengths])
    widths = _grown(widths, [2 + len(cells[0]) for cells in columns])
    longer = [max(0.0, sum(own) / len(own) - WIDEST) * (max(own) > WIDEST) for own in lengths]
    left = max(0.0, PAGE - sum(widths)) / (sum(longer) or 1)
    return [round(width + left * part) for width, part in zip(widths, longer, strict=True)]


def _grown(widths: list[float], wanted: list[int]) -> list[float]:
    """Widths that have got the same share of what each is wanted to be wider, as the page has room for."""
    more = [max(0.0, wish - width) for width, wish in zip(widths, wanted, strict=True)]
    share = min(1.0, max(0.0, PAGE - sum(widths)) / (sum(more) or 1))
    return [width + share * part for width, part in zip(widths, more, strict=True)]
