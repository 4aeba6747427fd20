"""Tables on disk: whole or not at all, and never read when damaged."""

import math
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study.results import store
from study.results.store import TableError, atomically

ROWS = pd.DataFrame(
    {
        "study": "example",
        "regime": ["one", "one", "two"],
        "clip": "none",
        "regularization": ["none", "l1(0.1)", "none"],
        "seed": [0, 1, 0],
        "status": ["ok", "diverged", "ok"],
        "diverged_step": pd.array([None, 3, None], "Int64"),
        "test_loss": [0.25, math.nan, 1 / 3],
    }
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place for a file that examples write again and again."""
    return tmp_path_factory.mktemp("tables")


@pytest.fixture(scope="module")
def whole(folder: Path) -> bytes:
    store.write(ROWS, folder / "whole.parquet", provenance="made here")
    return (folder / "whole.parquet").read_bytes()


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_a_table_is_read_as_it_was_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "new" / f"runs.{suffix}"
    store.write(ROWS, path)
    found = store.read(path)
    pd.testing.assert_frame_equal(found, ROWS, check_dtype=suffix == "parquet", check_exact=True)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_other_readers_read_a_sealed_file(whole: bytes, folder: Path) -> None:
    found = pd.read_parquet(folder / "whole.parquet")
    pd.testing.assert_series_equal(found["test_loss"], ROWS["test_loss"])
    assert store.read_provenance(folder / "whole.parquet") == "made here"


def refused(path: Path) -> None:
    """Reading says which file and what to do."""
    for reading in (store.read, store.read_provenance):
        with pytest.raises(TableError, match=r"The table '.*' must be .* Got .* instead\. Delete it") as caught:
            reading(path)
        assert str(path) in str(caught.value)


@given(at=st.integers(0, 10**9), mask=st.integers(1, 255))
@settings(max_examples=300)
def test_a_file_with_any_byte_changed_is_refused(whole: bytes, folder: Path, at: int, mask: int) -> None:
    damaged = bytearray(whole)
    damaged[at % len(whole)] ^= mask
    (folder / "damaged.parquet").write_bytes(damaged)
    refused(folder / "damaged.parquet")


@given(length=st.integers(0, 10**9))
def test_a_file_of_any_other_length_is_refused(whole: bytes, folder: Path, length: int) -> None:
    (folder / "cut.parquet").write_bytes(whole[: length % len(whole)])
    refused(folder / "cut.parquet")
    (folder / "cut.parquet").write_bytes(whole + whole[: 1 + length % len(whole)])
    refused(folder / "cut.parquet")


def test_a_file_that_nothing_has_sealed_is_refused(tmp_path: Path) -> None:
    ROWS.to_parquet(tmp_path / "runs.parquet")
    refused(tmp_path / "runs.parquet")


@pytest.mark.parametrize("content", [b"", b"study,seed\n\xff\xfe,1\n", b'study,seed\n"a,1\n', b"a,b\n1,2\n"])
def test_a_csv_that_is_none_of_a_study_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "summary.csv").write_bytes(content)
    with pytest.raises(TableError, match=r"The table '.*summary.csv' must .* Delete it and run the study again"):
        store.read(tmp_path / "summary.csv")


@pytest.mark.parametrize("name", ["runs.parquet", "summary.csv"])
def test_a_file_that_is_not_there_is_not_to_be_deleted(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        TableError, match=r"must be a file that can be read\. Got 'No such file or directory' instead\."
    ):
        store.read(tmp_path / name)


def blocks(folder: Path) -> list[Path]:
    """Two blocks of one variant, their seeds interleaved."""
    one = ROWS.iloc[[0, 0]].assign(seed=[0, 2], test_loss=[0.0, 0.2])
    for name, table in {"0_2": one, "1": one.iloc[:1].assign(seed=1, test_loss=0.1)}.items():
        store.write(table, folder / name / "runs.parquet", provenance=name)
    return [folder / name / "runs.parquet" for name in ("0_2", "1")]


def test_collected_blocks_are_in_the_order_of_their_seeds_and_sealed(tmp_path: Path) -> None:
    store.collect([blocks(tmp_path)], [0, 1, 2], tmp_path / "runs.parquet")
    assert store.read(tmp_path / "runs.parquet")["test_loss"].tolist() == [0.0, 0.1, 0.2]
    store.collect([blocks(tmp_path)], [2, 1], tmp_path / "runs.parquet")
    assert store.read(tmp_path / "runs.parquet")["seed"].tolist() == [1, 2]


def test_a_damaged_block_is_named_and_what_was_collected_stays(tmp_path: Path) -> None:
    first, second = blocks(tmp_path)
    store.collect([[first, second]], [0, 1, 2], tmp_path / "runs.parquet")
    before = (tmp_path / "runs.parquet").read_bytes()
    second.write_bytes(second.read_bytes()[:-1])
    with pytest.raises(TableError, match=r"'.*/1/runs\.parquet'"):
        store.collect([[first, second]], [0, 1, 2], tmp_path / "runs.parquet")
    assert (tmp_path / "runs.parquet").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0_2", "1", "runs.parquet"]


def test_a_column_that_one_variant_alone_has_is_empty_for_the_others(tmp_path: Path) -> None:
    """Workloads have columns of their own."""
    plain = blocks(tmp_path)
    table = store.read(plain[0]).assign(regime="other", epsilon=[3.5, 4.5])
    store.write(table, tmp_path / "other" / "runs.parquet")
    for variants in ([plain, [tmp_path / "other" / "runs.parquet"]], [[tmp_path / "other" / "runs.parquet"], plain]):
        store.collect(variants, [0, 1, 2], tmp_path / "runs.parquet")
        together = store.read(tmp_path / "runs.parquet")
        assert together["epsilon"].dropna().tolist() == [3.5, 4.5]
        assert together.loc[together["epsilon"].isna(), "test_loss"].tolist() == [0.0, 0.1, 0.2]
        assert together["regime"].notna().all()


def half(file: Path) -> None:
    file.write_text("half")
    raise OSError("disk full")


@pytest.mark.parametrize("write", [half, lambda file: file.unlink()])
def test_a_write_that_fails_leaves_the_old_file_and_no_rest(tmp_path: Path, write: Callable[[Path], None]) -> None:
    (tmp_path / "kept").write_text("old")
    with pytest.raises(OSError, match=r"disk full|No such file"):
        atomically(tmp_path / "kept", write)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"kept": "old"}
