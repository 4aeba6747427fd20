"""The smoke study on a real SLURM: a job cancelled, one hanging, the submitter killed, and the tables all the same."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pandas as pd
import psutil
import pytest
import yaml

from study.results import store
from tests.checkout import ROOT, Checkout
from tests.workflow import cluster

pytestmark = [pytest.mark.slurm, pytest.mark.workflow]

Found = TypeVar("Found")
TABLES = [f"{name}.parquet" for name in store.TABLES] + ["comparisons.csv", "summary.csv", "ranking.csv", "regimes.csv"]
PROFILE = (
    *("--workflow-profile", "workflow/profiles/slurm", "--slurm-init-seconds-before-status-checks", "1"),
    *("--", *(f"results/smoke/{name}" for name in TABLES)),
)


@pytest.fixture(scope="session")  # as is the finished study, which need not be made where there is no SLURM
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[cluster.Cluster]:
    if reason := cluster.install():
        pytest.skip(f"no SLURM here: {reason}")
    with cluster.running(tmp_path_factory.mktemp("slurm"), cpus=2) as started:
        yield started


@pytest.fixture
def submitted(fresh: Checkout) -> Iterator[Checkout]:
    """A copy in which nothing has run; what its lost jobs leave running, as no real cluster would, is ended."""
    yield fresh
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cwd() == str(fresh.root):
                process.kill()


def test_the_profile_has_configurations_checked_as_the_default_does() -> None:
    ours, default = (
        yaml.safe_load((ROOT / folder / "config.yaml").read_text())
        for folder in ("workflow/profiles/slurm", "profiles/default")
    )
    assert {name: ours[name] for name in default} == default


def test_jobs_lost_on_a_cluster_cost_nothing_but_their_time(
    slurm: cluster.Cluster, submitted: Checkout, finished_once: tuple[Checkout, str]
) -> None:
    printed = submitted.root / "printed.txt"
    with printed.open("w") as output:
        environment = {**os.environ, **slurm.environment, "OMP_NUM_THREADS": "1"}
        submitter = subprocess.Popen(
            submitted.command(*PROFILE), cwd=submitted.root, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        cancelled, _ = wait_for(lambda: next(iter(under_way(submitted).items()), None), printed)
        slurm.ask("scancel", cancelled)
        hung, process = wait_for(
            lambda: next((x for x in under_way(submitted).items() if x[0] != cancelled), None), printed
        )
        os.kill(process, signal.SIGSTOP)
        slurm.ask("scontrol", "update", f"JobId={hung}", "TimeLimit=1")  # minutes; SLURM knows no shorter limit
        wait_for(lambda: lost(cancelled, "CANCELLED", printed), printed)
        name = wait_for(lambda: lost(hung, "TIMEOUT", printed), printed)
        _, again = wait_for(lambda: sent(name, printed, times=2), printed)
        assert slurm.ask("squeue", "--noheader", f"--jobs={again}", "--format=%l %m %C").split() == [
            "20:00",
            "6000M",
            "1",
        ]
    finally:
        submitter.kill()
        submitter.wait()
    wait_for(lambda: not slurm.jobs(), printed)
    trained = written(submitted)
    assert len(trained) == 8 * len(store.TABLES), "jobs go on without the Snakemake that submitted them"
    submitted.snakemake("--unlock")
    submitted.snakemake(*PROFILE, **slurm.environment)
    assert trained.items() <= written(submitted).items(), "what they left is taken as it is"
    for name in TABLES:
        assert_same(submitted.results / name, finished_once[0].results / name)


def under_way(checkout: Checkout) -> dict[str, int]:
    """The SLURM jobs that are in the middle of a training, an epoch done, each with its process."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b".train.py" not in (process / "cmdline").read_bytes() or not (process / "cwd").samefile(checkout.root):
                continue
            logs = [path for fd in (process / "fd").iterdir() if "/logs/smoke/train/" in (path := os.readlink(fd))]
            job = re.search(rb"SLURM_JOB_ID=(\d+)", (process / "environ").read_bytes())
        except OSError:
            continue  # it ended meanwhile
        if job and any("epoch 1 " in Path(log).read_text() for log in logs):
            found[job[1].decode()] = int(process.name)
    return found


def lost(job: str, status: str, printed: Path) -> str | None:
    """The name of the training whose loss is told, once it is; its log of the cluster must say why."""
    told = re.search(rf"FAILED (train .*) \(SLURM job {job}: {status}\); its logs: (\S+), (\S+)", printed.read_text())
    if told is None:
        return None
    assert {"CANCELLED": "CANCELLED AT", "TIMEOUT": "DUE TO TIME LIMIT"}[status] in (
        printed.parent / told[3]
    ).read_text()
    return told[1]


def sent(name: str, printed: Path, times: int) -> list[str] | None:
    """The SLURM jobs of a training, once it was submitted so many times."""
    jobs = re.findall(rf"sent   {re.escape(name)}, as SLURM job (\d+)", printed.read_text())
    return jobs if len(jobs) == times else None


def wait_for(what: Callable[[], Found | None], printed: Path, seconds: float = 900) -> Found:
    """What comes true within the time; fails with what was printed."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.1)
    pytest.fail(f"not within {seconds} s:\n{printed.read_text()}")


def written(checkout: Checkout) -> dict[Path, int]:
    """The tables of trainings, and when they were written."""
    return {path: path.stat().st_mtime_ns for path in checkout.results.glob("runs/*/*/*/*.parquet")}


def assert_same(path: Path, reference: Path) -> None:
    """Equal to the last bit, but for the time it took."""
    if path.suffix == ".csv":
        assert path.read_bytes() == reference.read_bytes(), path.name
    else:
        ours, theirs = (
            pd.read_parquet(file).drop(columns="wall_seconds", errors="ignore") for file in (path, reference)
        )
        pd.testing.assert_frame_equal(ours, theirs, check_exact=True, obj=path.name)
