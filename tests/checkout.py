"""The smoke study through Snakemake, in a copy of the repository of its own."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[1]
PROGRAMS = ROOT / "results" / ".programs"  # compiled by trainings of the tests' own processes
PARTS = ("Snakefile", "config", "paper", "profiles", "study", "workflow")


@dataclass(frozen=True)
class Checkout:
    """A copy of the repository in which Snakemake can run."""

    root: Path

    @staticmethod
    def command(*arguments: str) -> list[str]:
        """Snakemake on the smoke study."""
        snakemake = [sys.executable, "-m", "snakemake", "--scheduler", "greedy", "--configfile", "config/smoke.yaml"]
        return [*snakemake, *arguments]

    def snakemake(self, *arguments: str, expect: int = 0, within: Sequence[str] = (), **environment: str) -> str:
        """Run Snakemake on the smoke study; its output, once its exit code is as expected.

        within: a command that runs the one that follows it.
        """
        if not {"-n", "--dry-run"} & {*arguments}:
            self.share_programs()
        done = subprocess.run(
            [*within, *self.command(*arguments)],
            cwd=self.root,
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == expect, done.stdout
        return done.stdout

    def share_programs(self) -> None:
        """Let trainings load what tests have compiled, where nothing has run yet: a program takes two seconds."""
        if not (folder := self.root / "results").exists():
            folder.mkdir()
            PROGRAMS.mkdir(parents=True, exist_ok=True)
            (folder / ".programs").symlink_to(PROGRAMS)

    def planned(self, *arguments: str) -> dict[str, int]:
        """How many jobs of each rule a run would start."""
        table = self.snakemake("-n", "--quiet", "rules", *arguments).partition("Job stats:")[2].split("\n\n")[0]
        rows = [line.split() for line in table.splitlines()[3:]]
        return {rule: int(count) for rule, count in rows if rule not in ("all", "total")}

    def trainings_to_do(self, *arguments: str) -> int:
        """How many trainings a run would do, in however many jobs."""
        found = re.search(
            r"^To do: (\d+) of \d+ trainings", self.snakemake("-c1", *arguments, "--", "cost"), re.MULTILINE
        )
        assert found
        return int(found[1])

    @property
    def results(self) -> Path:
        return self.root / "results" / "smoke"

    def edit(self, name: str, change: Callable[[str], str]) -> None:
        """Change a file's text."""
        path = self.root / name
        path.write_text(change(path.read_text()))

    def keep_one_regime(self) -> None:
        """Leave the smoke study one of its two regimes."""
        self.edit("config/smoke.yaml", lambda text: re.sub(r"  unstable:\n(    .*\n)+", "", text))


def copied(root: Path) -> Checkout:
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(
                source,
                root / part,
                ignore=shutil.ignore_patterns("__pycache__", "figures", "tables")
                if part == "paper"
                else shutil.ignore_patterns("__pycache__"),
            )
        else:
            shutil.copy(source, root / part)
    return Checkout(root)


@cache
def without_network() -> list[str]:
    """The command that takes the network away from another; nothing where a machine does not let a test."""
    command = ["unshare", "-rn", "--"]
    there = shutil.which(command[0]) and not subprocess.run([*command, "true"], check=False).returncode
    return command if there else []


@pytest.fixture
def fresh(tmp_path: Path) -> Checkout:
    """A copy in which nothing has run."""
    return copied(tmp_path)


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkout, str]:
    """A copy in which the smoke study has run and what it printed; to be read alone, since all workers share it.

    It runs without network wherever that can be taken away.
    """
    shared = tmp_path_factory.getbasetemp()
    shared = (shared.parent if os.environ.get("PYTEST_XDIST_WORKER") else shared) / "smoke"
    with FileLock(f"{shared}.lock"):
        if not (shared / "printed").exists():
            shutil.rmtree(shared, ignore_errors=True)
            shared.mkdir()
            (shared / "printed").write_text(copied(shared).snakemake("--cores", "2", within=without_network()))
    return Checkout(shared), (shared / "printed").read_text()


@pytest.fixture
def finished(finished_once: tuple[Checkout, str], tmp_path: Path) -> Checkout:
    """A copy of the finished study, with its times, for a test to change."""
    shutil.copytree(finished_once[0].root, tmp_path / "copy", symlinks=True)
    return Checkout(tmp_path / "copy")
