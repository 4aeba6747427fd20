"""Tables in Markdown: what the widths of their columns promise a reader."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from study.report.markdown import unbroken
from study.report.pipe_table import PAGE, pipe_table

WORDS = st.lists(st.text("abc", min_size=1, max_size=8), max_size=9).map(" ".join)
TABLES = st.integers(1, 5).flatmap(lambda n: st.lists(st.lists(WORDS, min_size=n, max_size=n), min_size=1, max_size=6))


def widths(table: str) -> list[int]:
    return [len(dashes) for dashes in re.findall(r":(-+)", table.splitlines()[1])]


@settings(max_examples=100, derandomize=True, deadline=None)
@given(TABLES)
def test_no_word_is_broken_and_a_page_is_filled_no_further(cells: list[list[str]]) -> None:
    rows = [{f"c{n}": cell for n, cell in enumerate(row)} for row in cells]
    found = widths(pipe_table(rows))
    longest = [max(len(word) for row in cells for word in row[n].split(" ")) for n in range(len(cells[0]))]
    assert all(width >= word + 2 for width, word in zip(found, longest, strict=True))
    assert sum(found) <= max(PAGE, sum(max(word, 2) + 2 for word in longest)) + len(found)


def test_an_interval_is_not_broken_for_the_name_of_another_column() -> None:
    row = {"mean rank": "1.5 [1.5, 1.5]", "not distinguishable from it": "clip to norm 0.1",
           "better, worse than the baseline": "0, 1", "of": "6 regularizers", "first": "elastic net, L1 0.001, L2 0.01",
           "regime": "tutorial", "test accuracy": "96.0 %"}  # fmt: skip
    assert widths(pipe_table([row]))[0] >= len("1.5 [1.5, 1.5]"), "its own cells come before others' names"


def test_longer_texts_get_what_short_columns_leave() -> None:
    row = {"hypothesis": "a clip helps " * 5, "verdict": "**undecided**", "gain": "digits +0.1 [0.0, 0.2] points " * 9}
    hypothesis, verdict, gain = widths(pipe_table([row]))
    assert verdict == len("undecided") + 2
    assert gain > hypothesis > verdict


def test_intervals_and_percentages_stay_on_a_line() -> None:
    text = unbroken("+1.2 [−0.8, 1.6] of 5 % [a, b]")
    assert text.replace("\N{NO-BREAK SPACE}", "~") == "+1.2 [−0.8,~1.6] of 5~% [a, b]"
