"""The data dictionary describes the tables as they are: no column without a meaning, none too many."""

import pytest
from cases import variant

from docs import tables as page
from study.analysis.columns import ANALYSES, DICTIONARY
from study.data import Digits
from study.results.columns import TRAININGS
from study.results.provenance import Provenance, provenance_table
from study.training import engine
from study.training.records import tidy


def test_the_tables_of_trainings_have_the_columns_of_the_dictionary(digits: Digits) -> None:
    one = variant(epochs=1, statistics={"windows": 2, "probes": 0})
    found = tidy("example", engine.train(one, [3], digits))
    runs = found["runs"].assign(**Provenance.of(one, []).row)
    for name, table in {**found, "provenance": provenance_table(runs)}.items():
        assert list(table.columns) == TRAININGS[name].names, f"{name}: mend study/results/columns.py, run `make tables`"


@pytest.mark.parametrize("name", DICTIONARY)
def test_every_column_has_a_meaning(name: str) -> None:
    assert [column.name for column in DICTIONARY[name].columns if not column.meaning.endswith(".")] == []
    assert len(set(DICTIONARY[name].names)) == len(DICTIONARY[name].names)


def test_no_meaning_is_of_a_column_that_is_gone() -> None:
    from study.analysis import columns

    known = {name for table in ANALYSES.values() for name in table.names}
    told = {key for name in dir(columns) if name.startswith(("OF_", "COMMON", "RANKED")) for key in vars(columns)[name]}
    assert told - known == set()


def test_the_page_is_that_of_the_code() -> None:
    """After a change of columns: `make tables`."""
    assert page.PAGE.read_text(encoding="utf-8") == page.page()
