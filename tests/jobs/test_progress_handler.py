"""Lines about the study from the events of a workflow's jobs."""

import logging
import os
from pathlib import Path
from typing import Any

import pytest
from cases import variant

from study.config.variants import Block
from study.jobs.packs import Pack, Task
from study.jobs.progress import Progress
from study.jobs.progress_handler import ProgressHandler, cluster_reason, submission, worth_reading


def event(name: str = "", message: str = "", **attributes: Any) -> logging.LogRecord:
    record = logging.LogRecord("workflow", logging.INFO, "", 0, message, None, None)
    vars(record).update({"event": name, **attributes})
    return record


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """Two trainings of the same work, of which nothing is there."""
    blocks = Block((0,)), Block((1,))
    return Pack(tuple(Task(variant(), one, tmp_path / one.name, tmp_path / f"{one.name}.log") for one in blocks))


def write_tables(task: Task) -> None:
    task.folder.mkdir()
    for path in task.tables.values():
        path.touch()


@pytest.fixture
def handler(said: list[str], pack: Pack) -> ProgressHandler:
    counted = Progress(
        total=sum(task.seconds for task in pack.tasks), done=0.0, jobs=2, jobs_done=0, cores=1, clock=lambda: 0.0
    )
    handler = ProgressHandler(counted, lambda rule, w: f"{rule} {w['pack']}", {"a": pack}, lambda w: 50.0, said.append)
    handler.emit(event("job_info", jobid=1, rule_name="train", wildcards={"pack": "a"}))
    return handler


def test_the_trainings_of_a_finished_pack_are_counted(handler: ProgressHandler, said: list[str], pack: Pack) -> None:
    for task in pack.tasks:
        write_tables(task)
    handler.emit(event("job_finished", job_id=1))
    assert said == ["done   train a  [2 of 2 trainings, 100% of the training done]"]


def test_each_failed_training_of_a_pack_is_named_with_its_log_and_the_others_count(
    handler: ProgressHandler, said: list[str], pack: Pack
) -> None:
    failed, done = pack.tasks
    failed.log.write_text("epoch 1\nThe clipping 'x' failed in x.py, line 3, clip: ValueError: no\n")
    write_tables(done)
    handler.emit(event("job_error", jobid=1, log=["logs/a.log"], rule_msg=""))
    assert said[0] == f"FAILED train {failed.label}; its log: {os.path.relpath(failed.log)}"
    assert said[1].strip() == "The clipping 'x' failed in x.py, line 3, clip: ValueError: no"
    assert len(said) == 2
    write_tables(failed)
    handler.emit(event("job_finished", job_id=1))
    assert said[2] == "done   train a  [2 of 2 trainings, 100% of the training done]"


def test_a_failed_job_names_its_log_and_why(handler: ProgressHandler, said: list[str], tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("epoch 1\nValueError: The 'bound' parameter of clipping 'value' must be positive. Got 0 instead.\n")
    handler.emit(event("job_error", jobid=1, log=[str(log)], rule_msg=""))
    assert said[0].startswith("FAILED train a; its log: ")
    assert said[1].strip() == "The 'bound' parameter of clipping 'value' must be positive. Got 0 instead."


def test_jobs_of_a_cluster_are_named_when_sent_and_when_tried_again(handler: ProgressHandler, said: list[str]) -> None:
    handler.emit(event(message="Job 1 has been submitted with SLURM jobid 77 (log: x)."))
    handler.emit(event(message="Trying to restart job 1."))
    handler.emit(event(message="Trying to restart job 9."))
    assert said == ["sent   train a, as SLURM job 77", "again  train a", "again  a job"]


def test_what_a_cluster_says_is_told_in_short() -> None:
    assert submission("Job 3 has been submitted with SLURM jobid 12.") == (3, "12")
    assert submission("Job 3 is running.") is None
    assert cluster_reason("SLURM-job '5' failed, SLURM status is: 'TIMEOUT'") == " (SLURM job 5: TIMEOUT)"
    assert cluster_reason("sbatch failed. The error message was 'no\n such partition'.\n") == " (no such partition)"
    assert cluster_reason("") == ""


def test_the_engines_own_lines_are_read_where_they_say_more() -> None:
    assert not worth_reading(event("job_finished"))
    assert not worth_reading(event(message="Select jobs to execute..."))
    assert worth_reading(event(message="MissingInputException"))
