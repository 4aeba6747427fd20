"""Ends without warning, at random moments: what is there is whole, and the same command goes on from it."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import psutil
import pytest

from study.training.checkpoints import CheckpointError, unpacked
from tests.checkout import Checkout
from tests.faults.conftest import RUNS, Job, Results, Told, assert_same, assert_whole, results_of

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("faults")]  # one worker: they share what is undisturbed


def assert_nothing_half(job: Job, undisturbed: Results) -> bool:
    """The tables that are there are whole, and so is the checkpoint; whether there is one."""
    assert_same(job.results, undisturbed)
    checkpoint = job.folder / "checkpoint"
    if checkpoint.exists():
        with pytest.raises(CheckpointError, match="must be of this training"):  # and not: another checksum
            unpacked(checkpoint.read_bytes(), {})
    return checkpoint.exists()


def test_a_training_killed_at_random_moments(
    job: Job, undisturbed: Results, tries: int, moments: random.Random, told: Told
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
    what = f"every table and checkpoint was whole; {kept} of {killed} kills left a checkpoint to resume from"
    told("kill -9 of a training, and of each restart", killed, what, "the job continues; same results")


# Through Snakemake.


def started(study: Checkout) -> subprocess.Popen[str]:
    """Snakemake at work on the study, leading a process group of its own."""
    with (study.root / "printed").open("w") as printed:
        return subprocess.Popen(
            study.command("--cores", "2", "--", RUNS),
            cwd=study.root,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=printed,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


def trainings(study: Checkout) -> list[psutil.Process]:
    """The trainings of the study that run now, whoever started them."""
    scripts = re.compile(rf"{re.escape(str(study.root))}/\S*\.train\.py")
    return [p for p in psutil.process_iter(["cmdline"]) if scripts.search(" ".join(p.info["cmdline"] or []))]


def wait(process: subprocess.Popen[str], seconds: float, until: Callable[[], object] = lambda: False) -> None:
    """Until the time has passed, or the condition holds, or the process has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None and not until():
        time.sleep(0.05)


def unlock(study: Checkout) -> None:
    """What the README says to do."""
    subprocess.run([sys.executable, "-m", "snakemake", "--unlock"], cwd=study.root, check=True, capture_output=True)


def test_a_study_killed_and_a_second_start_refused(
    study: Checkout, calm: Results, moments: random.Random, told: Told
) -> None:
    process = started(study)
    wait(process, 300, until=lambda: trainings(study))
    refused = study.snakemake("--cores", "2", "--", RUNS, expect=1)
    assert "--unlock" in refused
    assert "Traceback" not in refused
    assert process.poll() is None
    wait(process, moments.uniform(0, 3))
    if process.poll() is None:  # on a quick machine it may have come to its end
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert_same(results_of(study), calm)
    unlock(study)
    study.snakemake("--cores", "2", "--", RUNS)
    assert_whole(study, calm)
    told("a second Snakemake on the same folder", 1, "refused; the first is not disturbed", "nothing to recover")


def kill_all(process: subprocess.Popen[str], study: Checkout) -> bool:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    unlock(study)
    return True


def kill_snakemake(process: subprocess.Popen[str], study: Checkout) -> bool:
    process.kill()
    process.wait()
    unlock(study)
    return True


def kill_a_training(process: subprocess.Popen[str], study: Checkout) -> bool:
    for training in (found := trainings(study)[:1]):
        training.kill()
    assert process.wait() == len(found)
    assert ("FAILED train" in (study.root / "printed").read_text()) == bool(found)
    return bool(found)


KILLS = {
    "the whole process group of a study": (kill_all, "every table was whole", "`--unlock`, same command"),
    "Snakemake alone": (
        kill_snakemake,
        "every table was whole; running trainings went on beside those of the next start",
        "`--unlock`, same command",
    ),
    "one training of a study": (kill_a_training, "FAILED, with the name of its log", "the same command"),
}
LONGEST = 20.0  # seconds, about what the study takes


@pytest.mark.parametrize("whom", KILLS)
def test_a_study_killed_at_random_moments_until_it_is_done(
    whom: str, study: Checkout, calm: Results, tries: int, moments: random.Random, told: Told
) -> None:
    if tries < 2:
        pytest.skip("tried by make faults")
    kill, what, how = KILLS[whom]
    killed = whole = 0
    while killed < tries or not whole:
        process = started(study)
        wait(process, moments.uniform(0, LONGEST) if killed < tries else 900)
        if process.poll() is None:
            killed += kill(process, study)
            assert_same(results_of(study), calm)
        else:
            assert process.returncode == 0, (study.root / "printed").read_text()
            psutil.wait_procs(trainings(study), timeout=300)
            assert_whole(study, calm)
            whole += 1
            shutil.rmtree(study.results)
    told(f"kill -9 of {whom}, again and again", killed, what, f"{how}; {whole} studies finished, same results")
