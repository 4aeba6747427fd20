"""Ends without warning, at random moments: what is there is whole, and the same command goes on from it."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import psutil
import pytest

from study.checkpoints import CheckpointError, unpacked
from tests.faults.conftest import RUNS, Job, Told, assert_same, assert_whole, small_study, tables_of
from tests.workflow.conftest import Checkout

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("faults")]  # one worker: they share a finished study


def assert_nothing_half(job: Job, undisturbed: dict[str, pd.DataFrame]) -> bool:
    """The tables that are there are whole, and so is the checkpoint; whether there is one."""
    assert_same(job.results, undisturbed)
    checkpoint = job.folder / "checkpoint"
    if checkpoint.exists():
        with pytest.raises(CheckpointError, match="must be of this training"):  # and not: another checksum
            unpacked(checkpoint.read_bytes(), {})
    return checkpoint.exists()


def test_a_training_killed_at_random_moments(
    job: Job, undisturbed: dict[str, pd.DataFrame], tries: int, moments: random.Random, told: Told
) -> None:
    started = time.perf_counter()
    job.finish()
    length, killed, kept = time.perf_counter() - started, 0, 0
    while killed < 8 * tries:
        process = job.start()
        process.join(moments.uniform(0, length))
        if process.is_alive():
            process.kill()
            process.join()
            killed, kept = killed + 1, kept + assert_nothing_half(job, undisturbed)
        else:
            assert_same(undisturbed, job.results)
            shutil.rmtree(job.folder)
    assert job.finish() == 0
    assert_same(undisturbed, job.results)
    assert {path.suffix for path in job.folder.iterdir()} == {".parquet"}
    what = f"every table and checkpoint there was whole; {kept} times a checkpoint was there"
    told("kill -9 of a training, each time the one that went on", killed, what, "the same job goes on; the same")


# Through Snakemake.


def started(study: Checkout, *arguments: str) -> subprocess.Popen[str]:
    """Snakemake at work on the study, leading a process group of its own."""
    command = [sys.executable, "-m", "snakemake", "--scheduler", "greedy", "--configfile", "config/smoke.yaml"]
    with (study.root / "printed").open("w") as printed:
        return subprocess.Popen(
            [*command, "--cores", "2", *arguments, "--", RUNS],
            cwd=study.root,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=printed,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


def trainings(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The trainings that Snakemake runs now."""
    if not psutil.pid_exists(process.pid):
        return []
    everything = psutil.Process(process.pid).children(recursive=True)
    return [child for child in everything if any(part.endswith(".train.py") for part in _command(child))]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def kill_all(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGKILL)


def kill_snakemake(process: subprocess.Popen[str]) -> None:
    process.kill()


def kill_a_training(process: subprocess.Popen[str]) -> None:
    for child in trainings(process)[:1]:
        child.kill()


def wait(process: subprocess.Popen[str], seconds: float, until: Callable[[], object] = lambda: False) -> None:
    """Until the time has passed, or the condition holds, or the process has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None and not until():
        time.sleep(0.05)


def recover(study: Checkout) -> None:
    """What the README says to do."""
    locked = study.snakemake("--cores", "2", "--", RUNS, expect=1)
    assert "--unlock" in locked
    subprocess.run([sys.executable, "-m", "snakemake", "--unlock"], cwd=study.root, check=True, capture_output=True)
    study.snakemake("--cores", "2", "--", RUNS)


def test_the_whole_study_killed_and_a_second_start_refused(
    study: Checkout, finished_small: Checkout, moments: random.Random, told: Told
) -> None:
    process = started(study)
    wait(process, 300, until=lambda: trainings(process))
    refused = study.snakemake("--cores", "2", "--", RUNS, expect=1)
    assert "Traceback" not in refused
    assert process.poll() is None
    wait(process, moments.uniform(0, 3))
    kill_all(process)
    process.wait()
    assert_same(tables_of(study), tables_of(finished_small))
    recover(study)
    assert_whole(study, finished_small)
    told("a second Snakemake on the same folder", 1, "refused, the first is not disturbed", "nothing to recover")


KILLS = {
    "the whole process group of a study": kill_all,
    "Snakemake alone": kill_snakemake,
    "one training": kill_a_training,
}


@pytest.mark.parametrize("whom", KILLS)
def test_a_study_killed_at_random_moments(
    whom: str, tmp_path: Path, finished_small: Checkout, tries: int, moments: random.Random, told: Told
) -> None:
    if tries < 2:
        pytest.skip("tried by make faults")
    for number in range(tries):
        study = small_study(tmp_path / str(number))
        process = started(study)
        wait(process, 300, until=lambda: trainings(process))  # noqa: B023
        wait(process, moments.uniform(0, 15))
        orphans = trainings(process)
        KILLS[whom](process)
        if whom == "one training":
            process.wait()
            printed = (study.root / "printed").read_text()
            assert "FAILED train" in printed or not orphans
            study.snakemake("--cores", "2", "--", RUNS)
        else:
            process.wait()
            assert_same(tables_of(study), tables_of(finished_small))
            recover(study)
        psutil.wait_procs(orphans, timeout=300)
        assert_whole(study, finished_small)
    what = (
        "FAILED with the name of its log"
        if whom == "one training"
        else "the lock is named; every table there was whole"
    )
    how = "the same command" if whom == "one training" else "`--unlock`, then the same command"
    told(f"kill -9 of {whom}", tries, what, f"{how}; the same")
