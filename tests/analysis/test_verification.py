"""A rerun against the reference: identical, within what seeds explain, or not; of every cell it is said which."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cases import variant
from hypothesis import given
from hypothesis import strategies as st

from study.analysis import verification
from study.analysis.verification import (
    AGREES,
    CELL,
    DIFFERS,
    FINGERPRINTS,
    IDENTICAL,
    METRICS,
    OPEN,
    RUN,
    VerificationError,
    fingerprints,
    main,
    summary,
    verdicts,
)
from study.data import Digits
from study.results import store
from study.results.provenance import GROUPS, Provenance
from study.training import engine, records

HERE = {"commit": "c0ffee", "dirty": False, "source": "engine e1", "packages": "torch 2.0"}
HERE |= {"machine": "cpu A; instructions AVX2", "settings": "threads 1"}
SCORES = [name for name in METRICS if name != "diverged"]
SPREAD = 0.01  # between seeds
CELLS = [("one", clip, regularization) for clip in ("none", "value(1)", "sign") for regularization in ("none", "l1(1)")]


def reference(seeds: int = 10) -> pd.DataFrame:
    """A reference with results of known spread, and fingerprints of its own."""
    rng = np.random.default_rng(4)
    table = pd.DataFrame([(*cell, seed) for cell in CELLS for seed in range(seeds)], columns=RUN)
    table = table.assign(study="example", status="ok", digest=[f"run {i}" for i in range(len(table))], **HERE)
    table[SCORES] = 0.5 + SPREAD * rng.normal(size=(len(table), len(SCORES)))
    table[FINGERPRINTS] = [[f"{i} {name}" for name in FINGERPRINTS] for i in range(len(table))]
    return table


def rerun(table: pd.DataFrame, cell: tuple[str, ...], shift: float, seed: int = 0) -> pd.DataFrame:
    """The same with other luck in one cell, shifted by so many standard deviations."""
    again, here = table.copy(), (table[CELL] == cell).all(axis=1)
    luck = np.random.default_rng(seed).normal(size=(here.sum(), len(SCORES)))
    again.loc[here, SCORES] = 0.5 + SPREAD * (shift + luck)
    again.loc[here, ["content_runs", "content_steps"]] = "moved"
    return again


def said(table: pd.DataFrame) -> dict[tuple[str, ...], str]:
    return {(r["regime"], r["clip"], r["regularization"]): r["verdict"] for r in table.to_dict("records")}


def test_the_same_again_is_bit_identical() -> None:
    table = verdicts(reference(), reference())
    assert said(table) == dict.fromkeys(CELLS, IDENTICAL)
    assert (table["identical"] == 10).all()
    assert (table["p"] == 1).all()


def test_other_luck_agrees_and_another_result_differs_each_in_its_own_cell() -> None:
    again = rerun(rerun(reference(), CELLS[1], 0.0), CELLS[4], 4.0)
    table = verdicts(reference(), again)
    assert said(table) == dict.fromkeys(CELLS, IDENTICAL) | {CELLS[1]: AGREES, CELLS[4]: DIFFERS}
    moved = table.set_index(CELL).loc[[CELLS[4]]].iloc[0]
    assert (moved["identical"], moved["tables"]) == (0, "runs steps")
    assert moved["p_adjusted"] == pytest.approx(6 * moved["p"]), "Holm's method over all cells, the identical ones too"
    pairs = reference().merge(again, on=RUN).query("clip == 'sign' and regularization == 'none'")
    assert moved["largest_difference"] == (pairs["test_accuracy_x"] - pairs["test_accuracy_y"]).abs().max()


def test_runs_that_diverge_instead_differ() -> None:
    again = reference()
    lost = (again[CELL] == CELLS[2]).all(axis=1)
    again.loc[lost, SCORES] = np.nan
    again.loc[lost, ["status", "content_runs"]] = "diverged"
    assert said(verdicts(reference(), again))[CELLS[2]] == DIFFERS


def test_rounding_that_moves_no_result_agrees() -> None:
    again = reference()
    again[SCORES] *= 1 + 1e-7
    again["content_epochs"] = "rounded"
    assert set(said(verdicts(reference(), again)).values()) == {AGREES}


def test_with_too_few_seeds_nothing_is_told() -> None:
    table = verdicts(reference(3), rerun(reference(3), CELLS[0], 50.0))
    assert said(table) == dict.fromkeys(CELLS, IDENTICAL) | {CELLS[0]: OPEN}


def test_some_cells_in_any_order_are_compared_with_their_own() -> None:
    again = reference().query("clip == 'sign'").sample(frac=1, random_state=1)
    assert set(said(verdicts(reference(), again)).values()) == {IDENTICAL}
    assert len(verdicts(reference(), again)) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.assign(digest="of other epochs"),
        lambda table: table.assign(seed=table["seed"] + 1),
        lambda table: table.assign(clip="value(2)"),
    ],
)
def test_what_the_reference_does_not_hold_cannot_be_compared(change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    with pytest.raises(VerificationError, match=r"The reference must hold the runs .* Got one without .*run the study"):
        verdicts(reference(), change(reference()))


@pytest.mark.parametrize(
    ("cell", "shift", "code", "line"),
    [
        (None, 0.0, 0, "6 bit-identical"),
        (CELLS[1], 0.0, 0, "1 agree within what seeds explain"),
        (CELLS[1], 5.0, 1, "one: none x l1(1): differs; 0 of 10 runs identical, others differ in runs steps"),
    ],
)
def test_what_is_printed_and_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], cell: tuple[str, ...] | None, shift: float, code: int, line: str
) -> None:
    again = rerun(reference(), cell, shift) if cell else reference()
    store.write(verdicts(reference(), again), tmp_path / "verdicts.csv")
    assert main(str(tmp_path / "verdicts.csv")) == code
    printed = " ".join(capsys.readouterr().out.split())
    assert line in printed
    assert "Not as in the reference" not in printed
    assert "at most 5%" in printed


def test_too_few_seeds_are_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store.write(verdicts(reference(3), rerun(reference(3), CELLS[0], 0.0)), tmp_path / "verdicts.csv")
    assert main(str(tmp_path / "verdicts.csv")) == 1
    assert "with too few seeds to tell more" in capsys.readouterr().out


def test_another_machine_or_other_packages_are_named_once() -> None:
    again = reference().assign(machine="cpu B; instructions AVX2", packages="torch 2.1", commit="another")
    text = summary(verdicts(reference(), again))
    assert text.count("cpu A -> B") == text.count("torch 2.0 -> 2.1") == 1
    assert "instructions" not in text
    assert "another" not in text


TABLE = pd.DataFrame(
    {
        "study": "example",
        "regime": "one",
        "clip": ["none"] * 4 + ["sign"] * 2,
        "regularization": "none",
        "seed": [0, 0, 1, 1, 0, 0],
        "tensor": ["a", "b"] * 3,
        "step": [1, 2] * 3,
        "loss": np.array([0.5, np.nan, 0.0, 1 / 3, 2.0, np.inf], np.float32),
        "diverged_step": pd.array([1, None, 2, 3, 4, 5], "Int64"),
        "wall_seconds": 1.0,
    }
)


@given(
    row=st.integers(0, 5),
    change=st.sampled_from([("tensor", "c"), ("step", 9), ("loss", 0.25), ("loss", -0.0), ("diverged_step", 9)]),
)
def test_any_change_of_content_changes_the_fingerprint_of_its_run_alone(row: int, change: tuple[str, object]) -> None:
    table = TABLE.copy()
    table.loc[row, change[0]] = change[1]
    changed = fingerprints(table) != fingerprints(TABLE)
    assert changed.to_dict() == {key: key == tuple(TABLE.loc[row, RUN]) for key in changed.index}


def test_only_content_counts() -> None:
    marks = fingerprints(TABLE)
    assert marks.str.fullmatch("[0-9a-f]{16}").all()
    assert marks.nunique() == 3
    others = TABLE.assign(wall_seconds=2.0, study="renamed").astype({"loss": "float64", "step": "int32"})
    pd.testing.assert_series_equal(fingerprints(others), marks)
    pd.testing.assert_series_equal(fingerprints(TABLE[TABLE.columns[::-1]]), marks)
    pd.testing.assert_series_equal(
        fingerprints(TABLE.assign(loss=TABLE["loss"].where(TABLE["loss"].notna(), -np.nan))), marks
    )
    pd.testing.assert_series_equal(fingerprints(TABLE[4:]), marks[2:])
    assert (fingerprints(TABLE.rename(columns={"loss": "losses"})) != marks).all()
    assert fingerprints(TABLE[:0]).empty


@pytest.fixture(scope="module")
def training(digits: Digits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a training, of seeds 0 and 1, without the statistics of steps."""
    folder = tmp_path_factory.mktemp("training")
    v = variant(epochs=1, statistics={"every_step": False, "probes": 0})
    tables = records.tidy("example", engine.train(v, [0, 1], digits))
    store.write_all(tables, {name: folder / f"{name}.parquet" for name in tables}, Provenance.of(v, []).text)
    return folder


def test_the_reference_of_trainings(training: Path, tmp_path: Path) -> None:
    made = verification.reference([training], [1])
    assert made["seed"].tolist() == [1]
    assert "wall_seconds" not in made
    assert made[["content_runs", "content_epochs", "content_weights"]].notna().all(axis=None)
    assert made[["content_steps", "content_tensors"]].isna().all(axis=None), "such a study has none"
    assert set(GROUPS) < set(made)
    store.write(made, tmp_path / "runs.parquet")
    table = verdicts(store.read(tmp_path / "runs.parquet"), made)
    assert table["verdict"].tolist() == [IDENTICAL]


def test_a_column_that_came_after_the_reference_is_left_out_and_said_to_be(tmp_path: Path, digits: Digits) -> None:
    """A reference of before differs from a rerun in nothing else than a column that its runs did not have."""
    v = variant(epochs=1)
    block = tmp_path / "0-1"
    for name, table in records.tidy("example", engine.train(v, [0, 1], digits)).items():
        store.write(table, block / f"{name}.parquet", Provenance.of(v, []).text)
    new = verification.reference([block], [0, 1])
    older = new.drop(columns=["clip_method", "clip_strength", *verification.COLUMNS])
    covered = verification.columns_of(older)
    assert "clip_method" not in covered["runs"]
    before = verification.reference([block], [0, 1], covered)
    assert (before["content_runs"] != new["content_runs"]).all()
    old = older.assign(content_runs=before["content_runs"])
    table = verdicts(old, verification.reference([block], [0, 1], verification.columns_of(old)))
    assert set(table["verdict"]) == {IDENTICAL}
    assert "Not compared, since the reference lacks these columns: runs: clip_method, clip_strength." in summary(table)
