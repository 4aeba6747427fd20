"""Ctrl-C: one sentence, the jobs ended, and nothing else said, however often it is pressed."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType

STOPPED = "Stopped. The same command goes on.\n"
IGNORED = "trap '' INT; "
"""For the start of a job's shell command: Ctrl-C is the affair of the process that started it."""


def end_quietly() -> None:
    """Install a handler of Ctrl-C that says `STOPPED`, ends the processes below this one and raises KeyboardInterrupt.

    What this process prints after that is lost: tracebacks of whatever was interrupted tell a person nothing.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, _stop)


def _stop(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(2, STOPPED.encode())
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    _end_children()
    raise KeyboardInterrupt


def _end_children() -> None:
    import psutil

    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            child.terminate()
