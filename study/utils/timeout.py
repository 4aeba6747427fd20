"""Limits for code that others wrote: its time, and that it may not end the program."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def time_limit(seconds: float) -> Iterator[Callable[[], None]]:
    """Raise TimeoutError in the `with` block once it has run for `seconds`; the yielded function restarts the time.

    There is no limit where there are no alarms: outside the main thread, and on Windows.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield lambda: None
        return

    def ring(*_: object) -> None:
        raise TimeoutError(f"it took longer than {seconds:g} s")

    def start() -> None:
        signal.setitimer(signal.ITIMER_REAL, seconds)

    before = signal.signal(signal.SIGALRM, ring)
    start()
    try:
        yield start
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Ended(RuntimeError):  # noqa: N818, which stands for another
    """Code that others wrote tried to end the program; the cause is what it raised."""


@contextmanager
def contained(seconds: float) -> Iterator[None]:
    """Limit the time of the `with` block, and raise Ended where its code raises SystemExit or KeyboardInterrupt.

    A Ctrl-C of the user stops the program as ever.
    """
    stopped = list[int]()
    before = signal.getsignal(signal.SIGINT)
    ours = threading.current_thread() is threading.main_thread() and callable(before)

    def note(number: int, frame: FrameType | None) -> None:
        stopped.append(number)
        assert callable(before)
        before(number, frame)

    if ours:
        signal.signal(signal.SIGINT, note)
    try:
        with time_limit(seconds):
            yield
    except (SystemExit, KeyboardInterrupt) as error:
        if stopped:
            raise
        raise Ended("it ended the program").with_traceback(error.__traceback__) from error
    finally:
        if ours:
            signal.signal(signal.SIGINT, before)
