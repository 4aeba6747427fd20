"""Frozen texts of claims are read in plain words, and each of them is still there to be read."""

import pytest

from study.results.claims_words import CLOSE, READ, plain
from tests.published_tables import table

TEXTS = [
    str(text)
    for column in ("statement", "changed", "notes")
    for text in table("paper", "claims")[column].dropna().unique()
]


@pytest.mark.parametrize("frozen", READ)
def test_each_frozen_text_stands_in_the_published_ledger_and_is_read_otherwise(frozen: str) -> None:
    holding = [text for text in TEXTS if frozen in text]
    assert holding
    assert all(READ[frozen] in plain(text) and frozen not in plain(text) for text in holding)


def test_the_note_on_runs_close_to_failing_keeps_its_numbers() -> None:
    (note,) = [text for text in TEXTS if CLOSE.search(text)]
    assert plain(note) == (
        "A run counts as failed at a training accuracy of 20 % or less. Within 2 points of that ended 2 of 160 runs in"
        " `decades`, 8 of 40 runs in `deep_exploding`, 4 of 40 runs in `recurrent`, so a small difference can change"
        " their count."
    )


def test_another_text_is_left_as_it_is() -> None:
    assert plain("L1 makes weights sparse.") == "L1 makes weights sparse."
