"""Disks that are full or closed, files that are damaged: said by name, and nothing half is left or read."""

import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from study.results import store
from tests.checkout import Checkout
from tests.faults.conftest import RUNS, Job, Results, Told, assert_same, assert_whole, results_of

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("faults")]  # one worker: they share what is undisturbed


def attempt(*command: str | Path) -> None:
    """A command of the system's that a machine may not have or allow."""
    if not shutil.which(str(command[0])) or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip(f"this machine does not let a test call {command[0]}")


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A disk of 64 kB in place of the folder; what it holds is there afterwards."""
    folder.mkdir()
    attempt("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder)
    try:
        yield
        shutil.copytree(folder, f"{folder}.kept")
    finally:
        subprocess.run(["umount", folder], check=True)
    folder.rmdir()
    Path(f"{folder}.kept").rename(folder)


@contextmanager
def closed(folder: Path) -> Iterator[None]:
    """Nobody writes in the folder, not even root."""
    folder.mkdir()
    attempt("chattr", "+i", folder)
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", folder], check=True)


DISKS: dict[str, tuple[Callable[[Path], AbstractContextManager[None]], str]] = {
    "disk full": (small_disk, "No space left on device"),
    "output folder read-only": (closed, "Operation not permitted"),
}


def assert_said_and_recovered(job: Job, undisturbed: Results, reason: str) -> None:
    """The checkpoint that could not be written ended nothing, the table that could not did; once more, all is well."""
    assert f"The checkpoint '{job.folder}/checkpoint' cannot be written: [Errno" in job.said
    assert "epoch 6 of 6" in job.said
    last = job.said.splitlines()[-1]
    assert str(job.folder) in last
    assert reason in last
    assert_same(job.results, undisturbed)
    assert set(job.results) < set(undisturbed)
    assert job.finish() == 0
    assert_same(undisturbed, job.results)


@pytest.mark.parametrize("fault", DISKS)
def test_a_disk_that_takes_nothing_more(fault: str, job: Job, undisturbed: Results, told: Told) -> None:
    disk, reason = DISKS[fault]
    with disk(job.folder):
        assert job.finish() == 1
    assert_said_and_recovered(job, undisturbed, reason)
    what = (
        f"training went on without checkpoints; the error names the table, with '{reason}'; no table was half written"
    )
    told(fault, 1, what, "run the job again; same results")


def test_a_limit_of_the_size_of_files(job: Job, undisturbed: Results, told: Told) -> None:
    assert job.finish(largest_file=12_000) == 1
    assert_said_and_recovered(job, undisturbed, "File too large")
    told("a file size limit", 1, "as on a full disk, with 'File too large'", "run the job again; same results")


def flipped(path: Path, random: random.Random) -> None:
    """One bit of a file is another, somewhere."""
    content = bytearray(path.read_bytes())
    content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    path.write_bytes(content)


def cut(path: Path, random: random.Random) -> None:
    """A file ends somewhere before its end."""
    os.truncate(path, random.randrange(path.stat().st_size))


@pytest.mark.parametrize("damage", [flipped, cut])
def test_a_damaged_table_is_never_read(
    damage: Callable[[Path, random.Random], None],
    job: Job,
    undisturbed: Results,
    tries: int,
    moments: random.Random,
    told: Told,
) -> None:
    assert job.finish() == 0
    for number in range(50 * tries):
        name = store.TABLES[number % len(store.TABLES)]
        table = shutil.copy(job.tables[name], job.folder / "damaged.parquet")
        damage(table, moments)
        for read in (store.read, lambda path: store.collect([[path]], [1, 3, 4], job.folder / "collected.parquet")):
            with pytest.raises(store.TableError, match=r"damaged\.parquet.*Delete it and run the study again"):
                read(table)
    assert not (job.folder / "collected.parquet").exists()
    word = "a bit flipped in a table" if damage is flipped else "a table truncated"
    told(word, 50 * tries, "refused, with its name and what to do", "delete the table, same command; same results")


@pytest.mark.parametrize("damage", [flipped, cut])
def test_a_damaged_checkpoint_is_left_aside(
    damage: Callable[[Path, random.Random], None],
    job: Job,
    undisturbed: Results,
    tries: int,
    moments: random.Random,
    told: Told,
) -> None:
    assert job.finish(stop_in=3) == 1
    checkpoint = job.folder / "checkpoint"
    whole = checkpoint.read_bytes()
    for _ in range(tries):
        checkpoint.write_bytes(whole)
        damage(checkpoint, moments)
        Path(f"{job.folder}.log").unlink()
        assert job.finish() == 0
        assert f"The checkpoint '{checkpoint}' is left aside: checksum mismatch" in job.said
        assert_same(undisturbed, job.results)
    word = "a bit flipped in a checkpoint" if damage is flipped else "a checkpoint truncated"
    told(word, tries, "ignored, as the log says", "run the job again from its start; same results")


@pytest.mark.parametrize("damage", [flipped, cut])
def test_a_damaged_file_of_digits(
    damage: Callable[[Path, random.Random], None],
    study: Checkout,
    calm: Results,
    tries: int,
    moments: random.Random,
    told: Told,
) -> None:
    if tries < 2:
        pytest.skip("tried by make faults")
    digits = study.root / "study/samples/train-images-idx3-ubyte.gz"
    whole = digits.read_bytes()
    damage(digits, moments)
    printed = study.snakemake("--cores", "2", "--keep-going", "--", RUNS, expect=1)
    assert printed.count("FAILED train") == 2
    assert printed.count("train-images-idx3-ubyte.gz") == 2
    assert "Traceback" not in printed
    digits.write_bytes(whole)
    study.snakemake("--cores", "2", "--", RUNS)
    assert_whole(study, calm)
    word = "a bit flipped in a data file" if damage is flipped else "a data file truncated"
    told(word, 1, "all trainings FAILED, with the name of the file", "restore the file, same command; same results")


def test_a_damaged_table_of_a_study(
    trained_study: Checkout, calm: Results, tries: int, moments: random.Random, told: Told
) -> None:
    if tries < 2:
        pytest.skip("tried by make faults")
    table = min(trained_study.results.glob("runs/memorize/*+none-*/*/runs.parquet"))
    flipped(table, moments)
    printed = trained_study.snakemake("--cores", "2", "--", RUNS, expect=1)
    assert "FAILED collect" in printed
    assert f"The table '{table.relative_to(trained_study.root)}' must be as it was written." in printed
    table.unlink()
    trained_study.snakemake("--cores", "2", "--", RUNS)
    assert_whole(trained_study, calm)
    what = "FAILED collect, with the name of the table"
    told("a bit flipped in a training's table", 1, what, "delete the table, same command; same results")


@pytest.mark.parametrize("fault", DISKS)
def test_a_disk_that_takes_nothing_of_a_study(
    fault: str, study: Checkout, calm: Results, tries: int, told: Told
) -> None:
    if tries < 2:
        pytest.skip("tried by make faults")
    disk, reason = DISKS[fault]
    with disk(study.root / "results"):
        printed = study.snakemake("--cores", "2", "--keep-going", "--", RUNS, expect=1)
    assert reason in printed
    assert "results/smoke" in printed
    assert "Traceback" not in printed
    assert_same(results_of(study), calm)
    study.snakemake("--cores", "2", "--", RUNS)
    assert_whole(study, calm)
    told(
        f"{fault}, during a study",
        1,
        f"'{reason}', with the name of the file",
        "same command; same results",
    )
