"""A training as a job, for a process of its own; what a test may do to that process."""

import os
import resource
import sys
import time
from pathlib import Path

import torch

from study.config.variants import Block, Variant
from study.jobs import failure, job
from study.methods import plugins
from study.results import store


def run(
    spec: str,
    seeds: str,
    folder: Path,
    methods: str = "",
    memory: int = 0,
    largest_file: int = 0,
    stop_in: int = 0,
    clock: float = 0.0,
    patience: float = 600.0,
) -> None:
    """Train as the workflow's script does, with a checkpoint each epoch; what is said goes to a file beside the folder.

    methods: a file of methods; memory: how many bytes more the process may take; largest_file: in bytes; stop_in: the
    epoch at whose end, before its checkpoint, it fails; clock: how many seconds the time of day is off; patience: the
    seconds that an epoch may take.
    """
    sys.stderr = open(f"{folder}.log", "a", buffering=1)  # noqa: SIM115
    torch.set_num_threads(1)
    day = time.time
    time.time = lambda: day() + clock
    plugins.load([methods] if methods else [])
    variant, block = Variant.model_validate_json(spec), Block.parse(seeds)
    tables = {name: folder / f"{name}.parquet" for name in store.TABLES}
    if memory:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit(resource.RLIMIT_AS, pages * os.sysconf("SC_PAGE_SIZE") + memory)
    if largest_file:
        limit(resource.RLIMIT_FSIZE, largest_file)
    failure.PATIENCE = 0.0
    with failure.report_failure(variant, len(block.seeds), patience) as report:

        def say(line: str) -> None:
            report(line)
            if stop_in and line.startswith(f"epoch {stop_in} "):
                raise RuntimeError("stopped by the test")

        job.train("example", variant, block, Path(), tables, say, every=0.0)


def limit(what: int, size: int) -> None:
    resource.setrlimit(what, (size, size))
