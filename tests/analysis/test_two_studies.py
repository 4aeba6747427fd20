"""Two studies beside each other: what they share, paired by seed, and what is in one alone."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.analysis import two_studies
from study.analysis.two_studies import METRICS, compare_studies
from study.results import store


def runs(cells: dict[tuple[str, str, str], float], seeds: int = 8) -> pd.DataFrame:
    """Runs whose every metric is the cell's number plus a luck that all cells of a seed share."""
    luck = np.random.default_rng(0).normal(size=seeds)
    return pd.DataFrame(
        [
            {"regime": regime, "clip": clip, "regularization": other, "seed": seed, "study": "s", "status": "ok"}
            | dict.fromkeys(METRICS, value + luck[seed])
            for (regime, clip, other), value in cells.items()
            for seed in range(seeds)
        ]
    )


SHARED, ALONE = ("r", "none", "none"), ("r", "value(1)", "none")


def test_shared_cells_are_compared_by_seed_and_others_named() -> None:
    found = compare_studies(runs({SHARED: 1.0, ALONE: 2.0}), runs({SHARED: 0.25, ("q", "none", "none"): 0.0}))
    assert found.only_a == [ALONE]
    assert found.only_b == [("q", "none", "none")]
    assert list(found.differences["metric"]) == list(METRICS)
    assert found.differences["estimate"].to_numpy() == pytest.approx(0.75)
    assert (found.differences["p"] == 2 / 2**8).all()


@given(st.integers(1, 8), st.integers(1, 8))
def test_pairs_are_the_seeds_that_both_have(a: int, b: int) -> None:
    found = compare_studies(runs({SHARED: 0.0}).query("seed < @a"), runs({SHARED: 0.0}).query("seed < @b"))
    assert (found.differences["n"] == min(a, b)).all()
    assert (found.differences["estimate"] == 0).all()


def test_swapping_the_studies_turns_the_sign() -> None:
    one, other = runs({SHARED: 1.0}), runs({SHARED: 0.5}, seeds=6)
    there, back = compare_studies(one, other).differences, compare_studies(other, one).differences
    assert there["estimate"].to_numpy() == pytest.approx(-back["estimate"].to_numpy())
    assert there["low"].to_numpy() == pytest.approx(-back["high"].to_numpy())


def test_the_command_prints_and_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, cells in (("a", {SHARED: 0.9, ALONE: 0.5}), ("b", {SHARED: 0.8})):
        store.write(runs(cells), tmp_path / "results" / name / "runs.parquet")
    assert two_studies.main(["a", "b", "--to", "both.csv"]) == 0
    printed = capsys.readouterr().out
    assert "+10.00" in printed
    assert "In a alone: 1\n  r: value(1) x none\nIn b alone: nothing" in printed
    assert len(pd.read_csv("both.csv")) == len(METRICS)
    assert two_studies.main(["a", "c"]) == 1
    assert "Got no 'results/c/runs.parquet' for 'c'." in capsys.readouterr().err
