"""The example that the documentation shows: its entry is of its code, and follows from the published tables."""

from pathlib import Path

import pytest

from study.challenge.checks import faults
from study.challenge.entry import read_entry
from study.challenge.submission import Submission
from study.challenge.terms import Benchmark
from study.utils.imports import ROOT
from tests.challenge.published import apart

pytestmark = pytest.mark.slow

ENTRIES = sorted(ROOT.glob("docs/entries/*.json"))


@pytest.mark.parametrize("path", ENTRIES, ids=lambda path: path.stem)
def test_an_entry_in_the_documentation_has_no_faults(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    entry, seal = read_entry(path)
    with apart():
        submission = Submission.read(entry.unpack(tmp_path), entry.name, entry.method["params"])
        assert list(faults(entry, seal, submission, Benchmark.open())) == []
    assert "\n".join(entry.code[entry.method["file"]]) == path.with_suffix(".py").read_text()
