"""What the faults meet: a training as a job, a small study in a folder of its own, and the table of what was seen."""

import multiprocessing
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import pandas as pd
import pytest
from cases import SMALL

from study.config.variants import Variant
from study.results import store
from tests.checkout import Checkout
from tests.faults.job import run

TABLE_HEAD = """# What happens when something fails

`make faults` caused each of these faults and wrote this page: how often each was tried, what happened, and how
the study recovered. "Same results" means that every table equals that of an undisturbed study to the last bit, wall
times aside. Where something is killed, a try is one kill at a random moment; a study killed "again and again" is
continued after each kill until it has finished, and then another one is started.

| fault | tries | what happened | recovery |
|---|---|---|---|
"""
Told = Callable[[str, int, str, str], None]


@pytest.fixture
def told(record_property: Callable[[str, object], None]) -> Told:
    """Enters a line in the table of faults: the fault, times tried, what happened, how it recovered."""
    return lambda *line: record_property("fault", line)


@pytest.fixture
def tries(request: pytest.FixtureRequest) -> int:
    """How often a fault at a random moment is tried."""
    return int(request.config.getoption("--tries"))


@pytest.fixture
def moments() -> random.Random:
    """The random moments: others in each run, so that in time all are met."""
    return random.Random()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Write the table of faults, if every fault that was tried was got over; of some, their lines alone are new."""
    file, failed = config.getoption("--fault-table"), terminalreporter.stats.get("failed", [])
    reports = sorted(terminalreporter.stats.get("passed", []), key=lambda report: report.location[:2])
    lines = {
        value[0]: f"| {' | '.join(map(str, value))} |\n"
        for report in reports
        if report.when == "call"
        for name, value in report.user_properties
        if name == "fault"
    }
    if file and not failed:
        kept = lines_of(Path(file)) if config.getoption("keyword") else {}
        Path(file).write_text(TABLE_HEAD + "".join((kept | lines).values()))


def lines_of(file: Path) -> dict[str, str]:
    """The lines of a table of faults, each by its fault."""
    text = file.read_text() if file.exists() else ""
    return {line.split(" | ")[0].removeprefix("| "): line for line in text.removeprefix(TABLE_HEAD).splitlines(True)}


@dataclass(frozen=True)
class Job:
    """A training of a second or two with a checkpoint an epoch, in processes of its own."""

    spec: str
    folder: Path
    block: str = "1_3-4"

    def start(self, **settings: object) -> BaseProcess:
        """The job in a new process; settings: as `run` takes them."""
        process = FORK.Process(target=run, args=(self.spec, self.block, self.folder), kwargs=settings)
        process.start()
        return process

    def finish(self, **settings: object) -> int | None:
        """The job to its end; its exit code."""
        process = self.start(**settings)
        process.join()
        return process.exitcode

    @property
    def said(self) -> str:
        """What its processes wrote into the log."""
        return Path(f"{self.folder}.log").read_text()

    @property
    def tables(self) -> dict[str, Path]:
        return {name: self.folder / f"{name}.parquet" for name in store.TABLES}

    @property
    def results(self) -> dict[str, pd.DataFrame]:
        """Its tables that are there, wall times aside."""
        return {name: results(path) for name, path in self.tables.items() if path.exists()}

    def elsewhere(self, folder: Path) -> "Job":
        return replace(self, folder=folder)


# Started once, with the libraries loaded: a job then takes no longer than its training.
FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload(["tests.faults.job", "tests.faults.warm"])


def results(path: Path) -> pd.DataFrame:
    return store.read(path).drop(columns="wall_seconds", errors="ignore")


def assert_same(found: dict[str, pd.DataFrame], undisturbed: dict[str, pd.DataFrame]) -> None:
    """The tables that are found are those of the undisturbed, bit for bit."""
    for name, table in found.items():
        pd.testing.assert_frame_equal(table, undisturbed[name], check_exact=True)


@pytest.fixture(scope="session")
def calm_job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """The job, which nothing has disturbed and which has run to its end."""
    data = {"name": "mnist-sample", "train_size": 300, "validation_size": 100}
    regularization = [{"name": "dropout", "p": 0.5}, {"name": "weight_averaging", "decay": 0.9}]
    changes = {"data": data, "epochs": 6, "clip": "zscore", "regularization": regularization, "optimizer": "adam"}
    spec = Variant.model_validate({**SMALL, **changes}).model_dump_json()
    calm = Job(spec, tmp_path_factory.mktemp("undisturbed") / "job")
    assert calm.finish() == 0
    return calm


@pytest.fixture
def job(calm_job: Job, tmp_path: Path) -> Job:
    return calm_job.elsewhere(tmp_path / "job")


@pytest.fixture
def undisturbed(calm_job: Job) -> dict[str, pd.DataFrame]:
    """What the job comes to when nothing disturbs it."""
    return calm_job.results


# The study.

PLUGIN = '''
from typing import ClassVar, Literal
from study.regularization import Place, Regularization

import multiprocessing
import sys


class Odd(Regularization):
    """Changes nothing, until a test writes something else here."""

    place: ClassVar[Place] = "update"
    name: Literal["odd"] = "odd"

    def update(self, parameters, lr, state):
        return parameters, state
'''
RUNS = "results/smoke/runs.parquet"
Results = dict[str, pd.DataFrame]


def broken(code: str) -> str:
    """The plug-in with something else in place of its return, in jobs: where methods are tried first it is sound."""
    in_job = "multiprocessing.parent_process() or '.snakemake/scripts' in sys.argv[0]"
    return PLUGIN.replace("        return", f"        if {in_job}:\n            {code}\n        return")


def small_study(checkout: Checkout) -> Checkout:
    """The smoke study with one of its regimes, and a checkpoint an epoch."""
    checkout.keep_one_regime()
    checkout.edit("config/smoke.yaml", lambda text: f"{text}figures: [gap_forest]\n")
    checkout.edit("study/jobs/job.py", lambda text: text.replace("every: float = SECONDS", "every: float = 0.0"))
    return checkout


def with_a_method(checkout: Checkout) -> Path:
    """Put a method of a user's own into the study, two trainings more; the file it is in."""
    checkout.edit("config/smoke.yaml", lambda text: text.replace("1.0e-3}\n", "1.0e-3}\n    - odd\n"))
    checkout.edit("config/smoke.yaml", lambda text: f"{text}plugins: [odd.py]\n")
    (checkout.root / "odd.py").write_text(PLUGIN)
    return checkout.root / "odd.py"


@pytest.fixture
def study(fresh: Checkout) -> Checkout:
    """The small study without its regularizer, two trainings, of which nothing has run."""
    fresh.edit("config/smoke.yaml", lambda text: text.replace("    - {name: l1, strength: 1.0e-3}\n", ""))
    return small_study(fresh)


@pytest.fixture
def trained_study(finished: Checkout) -> Checkout:
    """The small study, of which all has run."""
    return small_study(finished)


def results_of(checkout: Checkout) -> Results:
    """Every table of trainings without a regularizer or with a test's, and that of runs, by its path; no wall times."""
    paths = sorted(checkout.results.glob("runs/memorize/*/*/*.parquet"))
    found = {str(path.relative_to(checkout.results)): results(path) for path in paths if "+l1-" not in str(path)}
    if (collected := checkout.root / RUNS).exists():
        runs = results(collected)
        ours = runs[(runs["regime"] == "memorize") & ~runs["regularization"].str.startswith("l1")]
        found["runs"] = ours.dropna(axis=1, how="all").reset_index(drop=True)
    return found


@pytest.fixture(scope="session")
def calm(finished_once: tuple[Checkout, str]) -> Results:
    """What the small study comes to when nothing disturbs it."""
    return results_of(finished_once[0])


def assert_whole(checkout: Checkout, undisturbed: Results) -> None:
    """The study has all its tables, and they are those of the undisturbed run."""
    found = results_of(checkout)
    assert found.keys() == undisturbed.keys()
    assert_same(found, undisturbed)
    litter = [path for path in checkout.results.glob("runs/*/*/*/*") if path.suffix != ".parquet"]
    assert litter == []
