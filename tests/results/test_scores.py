"""Scores at the best epoch take the place of the last one's, and nothing else changes; targets by hand."""

import numpy as np
import pandas as pd
from cases import variant
from hypothesis import given
from hypothesis import strategies as st

from study.data import Digits
from study.results.scores import crossing, scored, with_target
from study.training import engine
from study.training.records import tidy


def test_all_scores_and_gaps_are_those_of_the_best_epoch_and_the_rest_stays(digits: Digits) -> None:
    fitted = variant(epochs=6, optimizer={"name": "sgd", "lr": 0.5, "momentum": 0.9})
    runs = tidy("a", engine.train(fitted, range(3), digits))["runs"]
    best = scored(runs, "best_epoch")
    assert scored(runs, "last_epoch") is runs
    swapped = [name for name in runs if f"best_{name}" in runs]
    assert {"train_loss", "validation_accuracy", "test_accuracy", "gap_accuracy", "gap_loss", "memorised"} <= {*swapped}
    for name in swapped:
        np.testing.assert_array_equal(best[name], runs[f"best_{name}"])
    pd.testing.assert_frame_equal(best.drop(columns=swapped), runs.drop(columns=swapped))
    assert list(best) == list(runs)
    assert (best["validation_loss"] <= runs["validation_loss"]).all()
    assert (best["validation_loss"] < runs["validation_loss"]).any()


CURVES = {0: [0.1, 0.5, 0.7, 0.9], 1: [0.1, np.nan, 0.9, 0.95], 2: [0.1, 0.2, 0.3, 0.4], 3: [0.8, 0.1, 0.1, 0.1]}


def test_steps_and_seconds_to_a_target() -> None:
    keys = {"study": "a", "regime": "r", "clip": "none", "regularization": "none"}
    rows = [
        {**keys, "seed": s, "epoch": e, "validation_accuracy": y} for s, c in CURVES.items() for e, y in enumerate(c)
    ]
    runs = pd.DataFrame([{**keys, "seed": s, "epochs": 3, "steps": 30, "wall_seconds": 6.0} for s in (3, 2, 1, 0)])
    found = with_target(runs, pd.DataFrame(rows).sample(frac=1, random_state=0), 0.6).set_index("seed")
    np.testing.assert_allclose(found["steps_to_target"].sort_index(), [15.0, 20.0, np.nan, 0.0])
    np.testing.assert_allclose(found["seconds_to_target"].sort_index(), [3.0, 4.0, np.nan, 0.0])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9), st.floats(0.01, 1))
def test_the_curve_is_below_the_level_until_it_crosses_it_and_there_at_it(values: list[float], level: float) -> None:
    x, y = np.arange(len(values), dtype=float), np.array(values)
    at = crossing(x, y, level)
    assert np.isnan(at) == (y.max() < level)
    if not np.isnan(at):
        assert (y[x < at] < level).all()
        assert np.interp(at, x, y) >= level - 1e-9
