"""Job events of a workflow, logged by its engine, as lines about the study: done, failed and why, sent, tried again."""

from __future__ import annotations

import logging
import os
import re
import sys
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from study.jobs.packs import Pack, Task
from study.jobs.progress import Progress, last_words

Wildcards = Mapping[str, str]

# Events and lines of the engine's own that the lines about the study say better.
NOISE = {
    *("job_info", "shellcmd", "job_started", "job_finished", "job_error", "progress"),
    *("resources_info", "run_info", "group_info"),
}
NOISY_LINES = re.compile(r"Select jobs|Touching output file|Trying to restart job \d+|Job \d+ has been submitted")


def say(line: str) -> None:
    """Print a line with the time on the terminal."""
    print(time.strftime("%H:%M:%S"), line, file=sys.stderr, flush=True)


def worth_reading(record: logging.LogRecord) -> bool:
    """Return whether a line of Snakemake's own says more than the lines about the study do."""
    return str(getattr(record, "event", "")) not in NOISE and not NOISY_LINES.match(record.getMessage())


class ProgressHandler(logging.Handler):
    """Turns job events into lines about the study.

    describe: a job in the study's words, from its rule's name and wildcards; packs: those of this run, by name, whose
    trainings `progress` counts; weight: forecast core-seconds of a job of trials, which it counts too.
    """

    def __init__(
        self,
        progress: Progress,
        describe: Callable[[str, Wildcards], str],
        packs: Mapping[str, Pack],
        weight: Callable[[Wildcards], float],
        say: Callable[[str], None] = say,
    ) -> None:
        super().__init__()
        self.progress, self.describe, self.weight, self.say = progress, describe, weight, say
        self.jobs: dict[int, Any] = {}
        self.left = {name: list(pack.missing) for name, pack in packs.items()}

    def emit(self, record: logging.LogRecord) -> None:
        event, job = str(getattr(record, "event", "")), vars(record)
        if event == "job_info":
            self.jobs[job["jobid"]] = record
        elif event == "job_finished":
            self._finished(self.jobs.get(job["job_id"]))
        elif event == "job_error":
            self._failed(job)
        elif event in ("", "None"):
            self._sent_or_again(record.getMessage())

    def _finished(self, job: Any) -> None:
        if job is None or job.rule_name == "all":
            return
        line = f"done   {self.describe(job.rule_name, job.wildcards)}"
        if job.rule_name == "train":
            line += f"  [{self._counted(job)}]"
        elif job.rule_name == "attempt":
            line += f"  [{self.progress.finish(self.weight(job.wildcards))}]"
        self.say(line)

    def _counted(self, job: Any) -> str:
        """Count the trainings of a pack that are there now and were not before."""
        name = job.wildcards["pack"]
        done = [task for task in self.left[name] if task.whole]
        self.left[name] = [task for task in self.left[name] if task not in done]
        return self.progress.finish(sum(task.seconds for task in done), len(done))

    def _failed(self, job: Mapping[str, Any]) -> None:
        known, logs = self.jobs.get(job["jobid"]), list(job["log"])
        reason = cluster_reason(job["rule_msg"] or "")
        failed: list[Task] = []
        if known and known.rule_name == "train":
            failed = [task for task in self.left[known.wildcards["pack"]] if not task.whole and last_words(task.log)]
            self._counted(known)
        for task in failed:  # the log of the job itself, its first, says no more
            self._say_failed(f"train {task.label}{reason}", [task.log, *logs[1:]])
        if not failed:
            self._say_failed(f"{self._named(job['jobid'])}{reason}", logs)

    def _say_failed(self, what: str, paths: Sequence[Path | str]) -> None:
        logs = [os.path.relpath(path) for path in paths]
        self.say(f"FAILED {what}; its {'logs' if len(logs) > 1 else 'log'}: {', '.join(logs) or 'none'}")
        for why in filter(None, (last_words(Path(log)) for log in logs)):
            self.say(textwrap.indent(why, "       "))

    def _sent_or_again(self, line: str) -> None:
        if sent := submission(line):
            self.say(f"sent   {self._named(sent[0])}, as SLURM job {sent[1]}")
        elif again := re.match(r"Trying to restart job (\d+)", line):
            self.say(f"again  {self._named(int(again[1]))}")

    def _named(self, jobid: int) -> str:
        job = self.jobs.get(jobid)
        return self.describe(job.rule_name, job.wildcards) if job else "a job"


def submission(line: str) -> tuple[int, str] | None:
    """The engine's and SLURM's number of a job that a line says was submitted; None from any other line."""
    found = re.match(r"Job (\d+) has been submitted with SLURM jobid (\d+)", line)
    return (int(found[1]), found[2]) if found else None


def cluster_reason(message: str) -> str:
    """Return a failed job's status on the cluster (CANCELLED, TIMEOUT, OUT_OF_MEMORY), or why it was refused."""
    status = re.search(r"SLURM-job '(\d+)' failed.* SLURM status is: '(\w+)'", message)
    refused = re.search(r"sbatch failed\. The error message was '(.*?)'\.\n", message, re.DOTALL)
    if status:
        return f" (SLURM job {status[1]}: {status[2]})"
    return f" ({' '.join(refused[1].split())})" if refused else ""
