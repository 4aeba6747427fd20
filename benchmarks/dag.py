"""What Snakemake costs in studies of many runs: to plan, to resume, to find nothing to do, and for each job.

    .venv/bin/python benchmarks/dag.py [--only "10,000 runs, 1,000 trainings"] [--most]

Each study is planned by Snakemake itself in a copy of the repository. Nothing is trained: a script that writes empty
tables stands in for the trainings of a job, and a finished study is made of empty files in place of its results, which
`snakemake --touch` then takes for made, with all that Snakemake writes down of a job that ran. Seconds are of
processor time of Snakemake's own process, since cores may be shared; those by the clock stand beside them.
The table is printed, and written to results/bench/dag.json. --most adds a study of 10,000 trainings of one seed each.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("Snakefile", "paper", "profiles", "study", "workflow")
NOTHING = '''"""Nothing trained."""
from pathlib import Path
for order in snakemake.params.orders:
    for path in map(Path, order["tables"].values()):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
'''
# The executor that touches files waits a tenth of a second for each job, which is no cost of the plan.
UNHURRIED = "from snakemake.executors import touch; touch.Executor.SLEEPING_TIME = 0"
TICK = os.sysconf("SC_CLK_TCK")
AFTER = ("configuration", "collect", "provenance")  # what waits for trainings, or for nothing
FIRST = 2  # jobs until the measurement of jobs starts


@dataclass(frozen=True)
class Study:
    """A study of that many clips x regularizations, seeds, and seeds a training."""

    clips: int
    regularizations: int
    seeds: int
    seeds_per_job: int = 10

    @property
    def runs(self) -> int:
        return self.clips * self.regularizations * self.seeds

    @property
    def trainings(self) -> int:
        return self.runs // self.seeds_per_job

    @property
    def name(self) -> str:
        return f"{self.runs:,} runs, {self.trainings:,} trainings, {self.clips * self.regularizations:,} variants"

    def written(self) -> str:
        """Its configuration."""
        clips = {"name": "global_norm", "max_norm": {"grid": [0.01 * (i + 1) for i in range(self.clips - 1)]}}
        shrunk = {"name": "l2", "strength": {"grid": [1e-4 * (i + 1) for i in range(self.regularizations - 1)]}}
        regime = {
            "data": {"name": "mnist-sample", "train_size": 300, "validation_size": 100},
            "epochs": 2,
            "clips": ["none", clips],
            "regularizations": ["none", *([shrunk] if self.regularizations > 1 else [])],
        }
        study = {"name": "bench", "seeds": self.seeds, "seeds_per_job": self.seeds_per_job, "regimes": {"one": regime}}
        return yaml.safe_dump(study)


STUDIES = (Study(5, 2, 10), Study(10, 10, 10), Study(10, 100, 10), Study(10, 10, 100))
MOST = Study(10, 1000, 1, 1)


@dataclass(frozen=True)
class Cost:
    """Of one process: seconds of processor time, seconds by the clock, and the most memory it had, in MB."""

    cpu: float
    clock: float
    megabytes: float


@dataclass(frozen=True)
class Row:
    """What one study costs: to plan, to plan the other half, to find nothing to do, in all and for each job."""

    study: str
    jobs: int  # that train
    plan: Cost
    resume: Cost
    nothing: Cost
    kept: float  # MB of Snakemake's records of a finished study
    per_job: float  # seconds of processor time of Snakemake's process for each job that runs


class Checkout:
    """A copy of the repository with one study and no training."""

    def __init__(self, root: Path, study: Study) -> None:
        self.root = root
        for part in PARTS:
            source, unneeded = ROOT / part, ("figures", "tables") if part == "paper" else ()
            if source.is_dir():
                shutil.copytree(source, root / part, ignore=shutil.ignore_patterns("__pycache__", *unneeded))
            else:
                shutil.copy(source, root / part)
        (root / "workflow/scripts/train.py").write_text(NOTHING)
        (root / "bench.yaml").write_text(study.written())

    def command(self, *arguments: str, before: str = "") -> list[str]:
        """Snakemake in a process of its own."""
        run = f"{before}\nfrom snakemake.cli import main\nmain()"
        return [sys.executable, "-c", run, "--cores", "2", "--configfile", "bench.yaml", *arguments]

    def run(self, *arguments: str, before: str = "") -> tuple[Cost, str]:
        """What a run of Snakemake costs, and what it prints."""
        out = self.root / "out.txt"
        started = time.monotonic()
        with out.open("w") as file:
            process = subprocess.Popen(self.command(*arguments, before=before), cwd=self.root, stdout=file, stderr=file)
            _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        printed = out.read_text()
        if process.returncode:
            raise SystemExit(printed[-3000:])
        return Cost(used.ru_utime + used.ru_stime, time.monotonic() - started, used.ru_maxrss / 1024), printed

    def empty(self, plan: str) -> None:
        """Empty files for all that a plan says will be made."""
        names = [name for line in re.findall(r"^    output: (.*)$", plan, re.MULTILINE) for name in line.split(", ")]
        for path in (self.root / name for name in names):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    @property
    def trained(self) -> int:
        """How many jobs have trained all that they should."""
        return len(list(self.root.glob(".snakemake/packs/bench/*")))


def planned(printed: str) -> int:
    """How many jobs that train a plan has."""
    found = re.search(r"^train +(\d+)$", printed, re.MULTILINE)
    return int(found[1]) if found else 0


def own_seconds(process: int) -> float:
    """Processor time that a process has used, without that of the processes it started."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def per_job(checkout: Checkout, jobs: int) -> float:
    """Seconds of Snakemake's own process for each job that trains, all but the first few."""

    def until(done: int) -> float:
        while checkout.trained < done:
            if process.poll():
                raise SystemExit((checkout.root / "out.txt").read_text()[-3000:])
            time.sleep(0.05)
        return own_seconds(process.pid)

    with (checkout.root / "out.txt").open("w") as out:
        process = subprocess.Popen(checkout.command("--until", "train"), cwd=checkout.root, stdout=out, stderr=out)
        before, after = until(FIRST), until(jobs)
        process.wait()
    return (after - before) / (jobs - FIRST)


def measured(study: Study) -> Row:
    """A study planned, done by pretence, found done, and half done; each stage must find what it should."""
    with tempfile.TemporaryDirectory() as folder:
        checkout = Checkout(Path(folder), study)
        plan, printed = checkout.run("-n")
        jobs = planned(printed)
        running_cost = per_job(checkout, jobs)
        checkout.empty(printed)
        # All but the trainings and their data, which are done and must stay older.
        touched = ("--touch", "--forcerun", *AFTER, "--cores", "200", "--max-jobs-per-timespan", "9999/1s")
        checkout.run(*touched, before=UNHURRIED)
        nothing, printed = checkout.run()
        assert "Nothing to be done" in printed, printed[-2000:]
        kept = (
            sum(file.stat().st_size for file in (checkout.root / ".snakemake/metadata").rglob("*") if file.is_file())
            / 1e6
        )
        folders = sorted({path.parent for path in checkout.root.glob("results/bench/runs/*/*/*/weights.parquet")})
        assert len(folders) == study.trainings
        for there in folders[: len(folders) // 2]:
            shutil.rmtree(there)
        resume, printed = checkout.run("-n")
        assert 0 < planned(printed) < jobs, printed[-2000:]
    return Row(study.name, jobs, plan, resume, nothing, kept, running_cost)


def table(rows: list[Row]) -> str:
    """The rows, as they stand in the README."""
    head = "| study | jobs | plan (-n) | half done (-n) | nothing to do | memory | records | each job |"
    lines = [head, "|---" * 8 + "|"]
    for row in rows:
        stages = [f"{cost.cpu:.1f} s ({cost.clock:.0f} s)" for cost in (row.plan, row.resume, row.nothing)]
        most = max(cost.megabytes for cost in (row.plan, row.resume, row.nothing))
        costs = [*stages, f"{most:.0f} MB", f"{row.kept:.0f} MB", f"{1000 * row.per_job:.0f} ms"]
        lines.append(f"| {row.study} | {row.jobs} | {' | '.join(costs)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="studies whose name has this in it")
    parser.add_argument("--most", action="store_true", help="also 10,000 trainings of one seed")
    given = parser.parse_args()
    rows = list[Row]()
    for study in (*STUDIES, *([MOST] if given.most else [])):
        if (given.only or "") in study.name:
            rows.append(measured(study))
            print(table(rows[-1:]).splitlines()[-1], flush=True)
    print(table(rows))
    path = ROOT / "results/bench/dag.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(row) for row in rows], indent=2))


if __name__ == "__main__":
    main()
