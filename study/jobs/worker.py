"""The process of a pack: it loads the libraries once and trains one training after the other, in children."""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from study.utils.timer import HEAD, Timer

LOADED_LATE = ("scipy.linalg", "threadpoolctl", "pyarrow.pandas_compat")  # by probes and tables, in each child anew
DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


@dataclass(frozen=True)
class Order:
    """A training as a workflow asks for it: texts and numbers alone, so that reading it loads nothing.

    spec: the variant as JSON; seeds: the name of its block; tables: paths by name; code: the fingerprint of the
    code that is to train; plugins: the users' files that it needs; trials: the table of trials that choose strengths
    and rates, where there are any.
    """

    study: str
    spec: str
    seeds: str
    tables: Mapping[str, str]
    log: str
    data: str
    code: Mapping[str, str] | None
    plugins: Sequence[str]
    trials: str | None = None

    @property
    def whole(self) -> bool:
        """Return whether every table is there."""
        return all(os.path.exists(path) for path in self.tables.values())


def train_all(orders: Sequence[Mapping[str, Any]], threads: int = 1) -> int:
    """Train what is not there yet, say so in standard error, and return how many trainings failed.

    One that fails, or whose process is killed, holds up none beside it. Those that an earlier job began and did not
    finish come last.
    """
    each = [Order(**order) for order in orders]
    left = sorted((one for one in each if not one.whole), key=lambda one: os.path.exists(one.log))
    if left:
        _load(threads)
    failed = sum(not _done(order, code) for order, code in zip(left, _codes(left), strict=True))
    print(f"{len(left) - failed} of {len(left)} trainings done", file=sys.stderr)
    return failed


def _codes(orders: Iterable[Order]) -> Iterator[int]:
    """Yield what each training comes to, as `in_child` does. Those that run no user's code share a process.

    A process ends with the first training that fails in it.
    """
    for alone, group in groupby(orders, key=lambda order: bool(order.plugins)):
        some = list(group)
        while some:
            acts = [partial(train_one, order) for order in (some[:1] if alone else some)]
            for code in in_child(acts):
                del some[0]
                yield code


def _done(order: Order, code: int) -> bool:
    """Say what a training came to, and return whether it is done."""
    if code < 0:
        with open(order.log, "a") as log:
            print(f"RuntimeError: The training's process was ended by {signal.Signals(-code).name}.", file=log)
    print(f"{order.log}: {'done' if code == 0 else 'FAILED'}", file=sys.stderr)
    return code == 0


def _load(threads: int) -> None:
    """Load all that every training needs, before any child is made."""
    import torch

    from study.results import code_digest
    from study.training.lowering import lowered

    for name in ("study.jobs.job", "study.jobs.failure", *LOADED_LATE):
        importlib.import_module(name)
    _set_up(threads)
    lowered(lambda x: [x.relu()], [torch.zeros(1)])  # the first graph makes torch load its compiler, for a second
    code_digest.digest(frozenset(code_digest.engine()))  # of the code as it is loaded here
    gc.freeze()  # all that was loaded stays: looking through it for garbage takes a twentieth of a training
    print(f"{HEAD}start-up {time.process_time():.2f}", file=sys.stderr)


def _set_up(threads: int) -> None:
    """Give torch its threads, and keep in the process what is freed."""
    import torch

    from study.utils import malloc

    torch.set_num_threads(threads)
    malloc.keep_freed()


def attempt(
    study: str, spec: str, folder: str, table: str, code: Mapping[str, str], plugins: Sequence[str], threads: int
) -> None:
    """Train all trials of the variant that `spec` holds as JSON, on the data in `folder`, and write their `table`."""
    from study.config.variants import Variant
    from study.jobs import failure
    from study.jobs.trials import train_trials
    from study.methods.plugins import load

    load(plugins)
    variant = Variant.model_validate_json(spec)
    assert variant.tuned is not None  # such are the variants that have trials
    _set_up(threads)
    gc.freeze()  # as in `_load`
    with failure.report_failure(variant, len(variant.tuned.seeds)) as report:
        train_trials(study, variant, Path(folder), Path(table), report, code=code)
    gc.freeze()  # what is there ends with the process


def train_one(order: Order) -> int:
    """Train in this process, with what is said in the training's own log; 0, or 1 where it fails.

    One that somebody else has finished meanwhile is left as it is.
    """
    if order.whole:
        return 0
    Path(order.log).parent.mkdir(parents=True, exist_ok=True)
    with open(order.log, "w", buffering=1) as log, redirect_stderr(log):
        try:
            _train(order)
        except SystemExit:  # it has said why
            return 1
        except Exception:
            traceback.print_exc()
            return 1
    return 0


def _train(order: Order) -> None:
    from study.config.variants import Block, Variant
    from study.jobs import failure, job
    from study.jobs.trials import resolved
    from study.methods import plugins

    watch = Timer()
    with watch.part("start-up"):
        plugins.load(order.plugins)
        variant, block = Variant.model_validate_json(order.spec), Block.parse(order.seeds)
    with failure.report_failure(variant, len(block.seeds)) as report:
        chosen = resolved(variant, Path(order.trials) if order.trials else None)
        data = Path(order.data)
        job.train(order.study, chosen, block, data, order.tables, report, code=order.code, named=variant, watch=watch)


def in_child(acts: Sequence[Callable[[], int]]) -> Iterator[int]:
    """Call functions in a child process, one after the other, up to the first that does not return 0.

    Yields what each returned; for one whose process was ended, the negative number of the signal. What they leave
    behind, in Python or in memory, goes with the process. Outside of Linux, where a process that has loaded these
    libraries may not be forked, they are called here.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    if sys.platform != "linux":
        yield from _until_one_fails(acts)
        return
    parent, (reading, writing) = os.getpid(), os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _end_with(parent)
            for code in _until_one_fails(acts):
                os.write(writing, bytes([code]))
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writing)
    codes = list[int]()
    with open(reading, "rb", buffering=0) as told:
        while byte := told.read(1):
            codes += byte
            yield codes[-1]
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if len(codes) < len(acts) and not any(codes):
        yield ended or 1  # code of a training may have ended it with 0


def _until_one_fails(acts: Iterable[Callable[[], int]]) -> Iterator[int]:
    for act in acts:
        yield (code := act())
        if code:
            return


def _end_with(parent: int) -> None:
    """Let this process be killed when its parent ends, so that no training goes on unseen."""
    ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
