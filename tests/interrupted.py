"""Trainings that are ended and go on, for tests of whatever a training carries from epoch to epoch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from study.config.variants import Variant
from study.data import Digits
from study.training import engine
from study.training.checkpoints import Checkpoint
from study.training.records import RunRecord, tidy

IDENTITY = {"spec": "a", "seeds": "(3, 1)"}


class EndedError(Exception):
    """Stands for the end of the process."""


def train(v: Variant, digits: Digits, file: Path | None = None, end_after: int = 0, say: Any = None) -> list[RunRecord]:
    """Train, keeping every epoch; `end_after`: the epoch, or round, whose checkpoint is the last."""
    lines = [] if say is None else say

    def report(line: str) -> None:
        lines.append(line)
        if end_after and line.startswith(f"{v.workload.unit} {end_after + 1} "):
            raise EndedError

    checkpoint = Checkpoint(file, IDENTITY, report, seconds=0.0) if file else None
    return engine.train(v, [3, 1], digits, report, checkpoint)


def assert_same(one: Sequence[RunRecord], other: Sequence[RunRecord]) -> None:
    """Bit for bit, the wall time aside."""
    tables = tidy("example", list(one)), tidy("example", list(other))
    for name, table in tables[0].items():
        a, b = (t.drop(columns="wall_seconds", errors="ignore") for t in (table, tables[1][name]))
        assert len(a) or name in ("steps", "tensors")
        pd.testing.assert_frame_equal(a, b, check_exact=True)


def assert_goes_on(v: Variant, digits: Digits, file: Path) -> None:
    """Ended in its second epoch or round, it goes on after the first, and comes to the same records."""
    lines: list[str] = []
    with pytest.raises(EndedError):
        train(v, digits, file, end_after=1)
    resumed = train(v, digits, file, say=lines)
    assert lines[0] == f"goes on after {v.workload.unit} 1 of {v.epochs}"
    assert_same(train(v, digits), resumed)
