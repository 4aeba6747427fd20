"""Little memory, other clocks, other languages: an error that says so, or the same results."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.checkout import ROOT, Checkout
from tests.faults.conftest import RUNS, Job, Results, Told, assert_same, assert_whole

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("faults")]  # one worker: they share what is undisturbed
SURROUNDINGS = {
    "an ASCII terminal": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "a Turkish terminal at the date line": {"LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Kiritimati"},
}


def test_little_memory(job: Job, tmp_path: Path, told: Told) -> None:
    wide = json.dumps({**json.loads(job.spec), "model": {"name": "mlp", "hidden": [1000]}, "epochs": 1})
    large, calm = Job(wide, job.folder), Job(wide, tmp_path / "calm")
    assert large.finish(memory=20_000_000) == 1
    last = large.said.splitlines()[-1]
    assert "memory" in last.lower()
    assert large.results == {}
    assert large.finish() == calm.finish() == 0
    assert_same(calm.results, large.results)
    found = re.sub(r".*: ", "", last)
    told("a memory limit", 1, f"in the log: `{found}`", "run the job again with more memory; same results")


def test_a_clock_that_is_set_back(job: Job, undisturbed: Results, told: Told) -> None:
    assert job.finish(stop_in=4) == 1
    os.utime(job.folder / "checkpoint", (2e9, 2e9))  # the future
    assert job.finish(clock=-86_400) == 0
    assert_same(undisturbed, job.results)
    told("a clock set back by a day during a training", 1, "no effect", "nothing to recover; same results")


def test_times_of_files_that_are_wrong(trained_study: Checkout, tries: int, told: Told) -> None:
    """As on a machine whose clock went wrong while it trained."""
    if tries < 2:
        pytest.skip("tried by make faults")
    to_do = {}
    for when, shift in (("future", 1e6), ("past", -1e8)):
        for path in trained_study.results.glob("runs/*/*/*/*.parquet"):
            os.utime(path, (time.time() + shift,) * 2)
        to_do[when] = trained_study.trainings_to_do()
    assert to_do == {"future": 0, "past": 0}  # a training is told by the digests in its folder's name
    told("training tables with file times in the future", 1, "nothing is trained again", "nothing to recover")
    told("training tables with file times years ago", 1, "nothing is trained again", "nothing to recover")


@pytest.mark.parametrize("where", SURROUNDINGS)
def test_other_languages_and_time_zones(where: str, job: Job, undisturbed: Results, tries: int, told: Told) -> None:
    if tries < 2 and where != next(iter(SURROUNDINGS)):
        pytest.skip("tried by make faults")
    arguments = f"{job.spec!r}, {job.block!r}, Path({str(job.folder)!r})"
    code = f"from pathlib import Path; from tests.faults.job import run; run({arguments})"
    surroundings = {**os.environ, "OMP_NUM_THREADS": "1", **SURROUNDINGS[where]}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=surroundings, check=True, capture_output=True)
    assert_same(undisturbed, job.results)
    told(
        f"{where}: {', '.join(f'`{k}={v}`' for k, v in SURROUNDINGS[where].items())}",
        1,
        "no effect",
        "nothing to recover; same results",
    )


def test_a_study_in_another_language(study: Checkout, calm: Results, tries: int, told: Told) -> None:
    if tries < 2:
        pytest.skip("tried by make faults")
    study.snakemake("--cores", "2", "--", RUNS, **SURROUNDINGS["an ASCII terminal"], TZ="Pacific/Kiritimati")
    assert_whole(study, calm)
    told("a study on an ASCII terminal at the date line", 1, "no effect", "nothing to recover; same results")
