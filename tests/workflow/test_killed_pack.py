"""Several trainings in one job: a killed job loses the one in progress, and what is missing alone is trained."""

import os
import re
import subprocess
import time
from contextlib import suppress

import psutil
import pytest

from tests.checkout import Checkout

pytestmark = pytest.mark.workflow

RUNS = "results/smoke/runs.parquet"


@pytest.fixture
def packed(fresh: Checkout) -> Checkout:
    """A study of four short trainings in one job."""
    fresh.keep_one_regime()
    return fresh


def trained(study: Checkout) -> dict[str, int]:
    """The trainings that are there, each with the time of its last table."""
    return {path.parts[-3]: path.stat().st_mtime_ns for path in study.results.glob("runs/*/*/*/weights.parquet")}


def kill_after_the_first(study: Checkout) -> str:
    """Start the study and kill its job once a training is there; what was printed."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with (study.root / "printed").open("w") as printed:
        process = subprocess.Popen(
            study.command("--cores", "1", "--", RUNS),
            cwd=study.root,
            env=environment,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
    while not trained(study) and process.poll() is None:
        time.sleep(0.02)
    script = re.compile(rf"{re.escape(str(study.root))}/\S*\.train\.py")
    for job in psutil.process_iter(["cmdline"]):
        if script.search(" ".join(job.info["cmdline"] or [])):
            with suppress(psutil.NoSuchProcess):
                job.kill()
    assert process.wait() == 1
    return (study.root / "printed").read_text()


def test_a_killed_pack_keeps_what_is_whole_and_what_is_missing_alone_is_trained(packed: Checkout) -> None:
    printed = kill_after_the_first(packed)
    assert "FAILED train 4 trainings from memorize: baseline, seeds 0-2 to memorize: " in printed
    first = trained(packed)
    assert 1 <= len(first) < 4
    assert packed.planned("--", RUNS) == {"train": 1, "collect": 1}
    printed = packed.snakemake("--cores", "1", "--", RUNS)
    assert f"{4 - len(first)} of 4 trainings (12 runs) to do" in printed
    assert "[4 of 4 trainings, 100% of the training done]" in printed
    whole = trained(packed)
    assert len(whole) == 4
    assert first.items() <= whole.items(), "what was whole is left as it is"
    assert packed.planned("--", RUNS) == {}
    (gone, *_) = packed.results.glob("runs/*/none*none*/0-2/epochs.parquet")
    gone.unlink()
    assert packed.planned()["train"] == 1
    (packed.root / RUNS).unlink()
    packed.snakemake("--cores", "1", "--", RUNS)
    again = trained(packed)
    assert {name for name in again if again[name] != whole[name]} == {gone.parts[-3]}
    packed.snakemake("--cores", "1", "--forcerun", "train", "--", RUNS)
    assert not again.items() & trained(packed).items(), "what is forced is trained again"
