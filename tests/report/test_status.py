"""What a report says of the kind of its study, and what a study tuned by trials lacks."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from study.config.read import parse
from study.config.study import Study
from study.report.missing import missing_rows
from study.report.status import history_rows, protocol_rows, status_text
from study.results.protocol import freeze

REGIME = {
    "data": {"name": "mnist-sample", "train_size": 100, "validation_size": 100},
    "batch_size": 20,
    "grid": "alone",
    "clips": ["none", "global_norm"],
    "tuning": {"trials": 3, "seeds": 1},
}


def study(**changes: Any) -> Study:
    return parse({"name": "a", "seeds": 2, "regimes": {"x": REGIME}, **changes})


def test_an_exploratory_study_says_so_and_one_that_says_nothing_gets_no_sentence() -> None:
    assert status_text(study(status="exploratory")).startswith(
        "Exploratory: settings and rules were revised after results"
    )
    assert status_text(study()) == ""


def test_a_confirmatory_study_is_read_as_exploratory_without_its_lock(tmp_path: Path) -> None:
    asked = study(status="confirmatory")
    assert "read it as exploratory" in status_text(asked)
    frozen = freeze(asked, tmp_path / "a.lock")
    text = (tmp_path / "a.lock").read_text()
    assert f"by protocol 1, frozen as {frozen.digest}" in status_text(asked, text)
    assert protocol_rows(text) == []
    second = freeze(study(status="confirmatory", primary="test_loss"), tmp_path / "a.lock", "another metric")
    rows = protocol_rows((tmp_path / "a.lock").read_text())
    assert [(row["protocol"], row["digest"], row["replaced for"]) for row in rows] == [
        (1, frozen.digest, "another metric"), (2, second.digest, ""),
    ]  # fmt: skip


def test_the_ledger_of_an_exploratory_study_shows_its_earlier_verdicts() -> None:
    rows = history_rows(study(status="exploratory"), {"exploding": "supported", "of_my_own": "undecided"})
    assert [row["claim"] for row in rows] == ["`exploding`", "`of_my_own`"]
    assert len(rows[0]) == 2 + 5, "five versions were published"
    assert rows[0]["version 1 (2026-11-23)"] == "undecided"
    assert set(rows[1].values()) == {"`of_my_own`", "not asked", "undecided"}
    assert history_rows(study(), {"exploding": "supported"}) == []
    assert history_rows(study(status="exploratory"), {"of_my_own": "undecided"}) == []


@pytest.mark.parametrize(("seeds", "lacking"), [((0, 1), []), ((0,), ["seeds 1"])])
def test_what_trials_chose_is_not_missing_whatever_its_strength(seeds: tuple[int, ...], lacking: list[str]) -> None:
    labels = [("none", "none"), ("global_norm", "global_norm(0.07)")]
    rows = [
        {"regime": "x", "clip": label, "regularization": "none", "clip_method": name, "regularization_method": "none",
         "seed": seed}
        for name, label in labels
        for seed in ((0, 1) if name == "none" else seeds)
    ]  # fmt: skip
    assert [row["missing"] for row in missing_rows(study(), {"runs": pd.DataFrame(rows)})] == lacking
