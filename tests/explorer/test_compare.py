"""The command that compares two studies: what cannot be paired or written is said, and no table is written over."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from study.analysis.two_studies import METRICS
from study.explorer import compare
from study.results import store


def runs() -> pd.DataFrame:
    cells = {"study": "s", "regime": "r", "clip": "none", "regularization": "none", "status": "ok"}
    return pd.DataFrame({**cells, "seed": range(6)} | dict.fromkeys(METRICS, 0.5))


@pytest.fixture
def studies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the runs of the studies `a` and `b`."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        store.write(runs(), tmp_path / "results" / name / "runs.parquet")
    return tmp_path / "results"


@pytest.mark.usefixtures("studies")
def test_differences_are_printed_and_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare.main(["a", "results/b/runs.parquet", "--metric", "test_loss", "--to", "both.csv"]) == 0
    assert "test_loss, a minus results/b/runs.parquet, nats" in capsys.readouterr().out.replace("\n", " ")
    assert len(pd.read_csv("both.csv")) == len(METRICS)


def test_runs_of_one_name_that_were_trained_otherwise_are_told(
    studies: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store.write(runs().assign(digest="one"), studies / "a/runs.parquet")
    store.write(runs().assign(digest=["one"] * 4 + ["two"] * 2), studies / "b/runs.parquet")
    assert compare.main(["a", "b"]) == 0
    said = "Settings differ too, in 2 of 6 runs of the same cell and seed: those of r."
    assert said in capsys.readouterr().out
    assert compare.main(["a", "a"]) == 0
    assert "Settings differ" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda table: table.drop(columns="test_loss"), "Got none with the column 'test_loss' instead."),
        (lambda table: table.drop(columns="clip"), "Got none with the column 'clip' instead."),
        (lambda table: table.assign(test_loss="low"), "Got 'test_loss' that is no number instead."),
        (lambda table: pd.concat([table, table.tail(1)]), "Got two of r: none x none, seed 5 instead."),
    ],
)
def test_a_table_that_is_none_of_runs_is_said(
    studies: Path,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[pd.DataFrame], pd.DataFrame],
    said: str,
) -> None:
    store.write(damage(runs()), studies / "b/runs.parquet")
    assert compare.main(["a", "b"]) == 1
    printed = capsys.readouterr()
    assert printed.err == f"The table 'b' must have one row for each run, as 'runs.parquet' of a study has. {said}\n"
    assert not printed.out


@pytest.mark.parametrize(
    ("names", "to", "said"),
    [
        (("a", "none"), "both.csv", "Got no 'results/none/runs.parquet' for 'none'."),
        (("", "a"), "both.csv", "A study must have its table of runs."),
        (("a", "b"), "results/a/runs.parquet", "must end with '.csv'. Got 'results/a/runs.parquet' instead."),
        (("a", "b"), "results/a/runs.parquet/both.csv", "must be one that can be read and written. Got 'File exists'"),
    ],
)
def test_a_wrong_name_or_path_is_said_and_nothing_written_over(
    studies: Path, capsys: pytest.CaptureFixture[str], names: tuple[str, str], to: str, said: str
) -> None:
    before = (studies / "a/runs.parquet").read_bytes()
    assert compare.main([*names, "--to", to]) == 1
    assert said in capsys.readouterr().err
    assert (studies / "a/runs.parquet").read_bytes() == before
