"""Reason of a failed training, in one line that names the method, its file and what it did."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from study.config import dry_run
from study.config.cost import core_seconds
from study.config.variants import Variant
from study.config.yaml_files import near
from study.methods import plugins
from study.methods.base import Method
from study.utils.timeout import time_limit

LEAST_SECONDS = 600.0  # for the first epoch, with all that precedes it
PATIENCE = 50.0  # how many times longer than its forecast an epoch may take


@contextmanager
def report_failure(variant: Variant, seeds: int, least: float = LEAST_SECONDS) -> Iterator[Callable[[str], None]]:
    """Train in this: what fails ends the process with its traceback and one line that says why, in standard error.

    An error of ours says so itself.

    What is given prints a line, an epoch say; the training also fails when it prints none for too long.
    """
    longest = max(least, PATIENCE * core_seconds(variant, seeds) / variant.epochs)
    try:
        with time_limit(longest) as start:

            def alive(line: str) -> None:
                start()
                print(line, file=sys.stderr)

            yield alive
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        if not says_why(error):
            print(reason(error, variant), file=sys.stderr, flush=True)
        raise SystemExit(1) from None


def says_why(error: BaseException) -> bool:
    """Return whether an error is one of ours, whose sentence names the file or the code that is wrong."""
    return type(error).__module__.startswith("study.")


def reason(error: BaseException, variant: Variant) -> str:
    """The line: on the method in whose file the error arose, else one that a dry run finds wrong, else the training."""
    methods = (variant.clip, *variant.regularization)
    what = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}".removesuffix(": ")
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        for method in methods:
            if os.path.realpath(frame.filename) == os.path.realpath(plugins.source_of(method)):
                return f"{_name(method)} failed in {_file(method)}, line {frame.lineno}, {frame.name}: {what}"
    for method in () if short_of_memory(error) else methods:
        if wrong := dry_run.fault_of(method):
            return f"{wrong} ({_file(method)})"
    if isinstance(error, SystemError):
        what += "; the memory may not have been enough"
    return f"The training of '{variant.clip_label}' with '{variant.regularization_label}' failed: {what}"


def short_of_memory(error: BaseException) -> bool:
    """Return whether memory ran out: a dry run of the methods would fail as well, and blame one that is right.

    Python says SystemError where an extension failed without a reason, as some do when they get no memory.
    """
    return isinstance(error, MemoryError | SystemError) or "memory" in str(error).lower()


def _name(method: Method) -> str:
    return f"The {method.family} '{method.label}'"


def _file(method: Method) -> str:
    return near(os.path.realpath(plugins.source_of(method)))
