"""Outcomes of runs: which ended well, and the one cause of each that did not."""

import math
from typing import Any

import numpy as np
import pytest

from study.training.recorder import STEP_COLUMNS
from study.training.records import Outcome


def steps(*rows: tuple[float, float]) -> np.ndarray:
    """Steps [S, C] with these values of `finite` and `loss`."""
    table = np.zeros((len(rows), len(STEP_COLUMNS)), np.float32)
    for i, (finite, loss) in enumerate(rows):
        table[i, STEP_COLUMNS.index("finite")], table[i, STEP_COLUMNS.index("loss")] = finite, loss
    return table


FINE = (1.0, 0.5)


@pytest.mark.parametrize(
    ("accuracy", "finite", "rows", "outcome"),
    [
        (0.9, True, [FINE], Outcome("ok")),
        (0.21, True, [FINE], Outcome("ok")),
        (0.2, True, [FINE], Outcome("diverged", "chance level")),
        (0.1, True, [FINE], Outcome("diverged", "chance level")),
        (math.nan, False, [FINE, (0, math.nan), (0, math.nan)], Outcome("diverged", "non-finite loss", 1)),
        (math.nan, False, [FINE, FINE, (0, math.inf)], Outcome("diverged", "non-finite loss", 2)),
        (math.nan, False, [(0, 2.0), (0, math.nan)], Outcome("diverged", "non-finite gradient", 0)),
        (0.9, False, [FINE], Outcome("diverged", "non-finite parameters")),
        (math.nan, True, [FINE], Outcome("diverged", "non-finite parameters")),
        (math.nan, False, [], Outcome("diverged", "non-finite parameters")),
    ],
)
def test_outcomes(accuracy: float, finite: bool, rows: list[Any], outcome: Outcome) -> None:
    assert Outcome.judge(accuracy, finite, steps(*rows), STEP_COLUMNS, chance=0.2) == outcome


@pytest.mark.parametrize(
    ("accuracy", "finite", "outcome"),
    [
        (0.1, True, Outcome("diverged", "non-finite gradient", 1)),  # a clip made zeros of what overflowed
        (0.1, False, Outcome("diverged", "non-finite gradient", 1)),  # no clip did
        (0.9, True, Outcome("ok")),
    ],
)
def test_a_norm_beyond_float32_is_one_cause_whatever_the_clip(accuracy: float, finite: bool, outcome: Outcome) -> None:
    steps = np.array([[2.3, 1.0], [2.3, 0.0], [2.3, 1.0]])
    assert Outcome.judge(accuracy, finite, steps, ("loss", "finite"), 0.2) == outcome
