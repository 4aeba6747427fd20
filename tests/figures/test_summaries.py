"""Intervals against another library; windows of unequal runs put side by side."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.weightstats import DescrStatsW

from study.figures._summaries import aligned, band, diverged_sentence, left_out_sentence, seeds_sentence

from .conftest import study
from .synthetic import Grid, tables


def test_the_band_is_students_interval_of_the_defined_values():
    values = np.random.default_rng(0).normal(size=8)
    frame = pd.DataFrame({"epoch": [3] * 10, "x": [*values, np.nan, np.inf]})
    table = band(frame, ["epoch"], "x")
    oracle = DescrStatsW(values)
    assert tuple(table.loc[3, ["low", "high"]]) == pytest.approx(oracle.tconfint_mean(0.05))
    assert table.loc[3, "mean"] == pytest.approx(oracle.mean)


def test_one_value_has_a_mean_and_no_interval():
    table = band(pd.DataFrame({"epoch": [0], "x": [0.5]}), ["epoch"], "x")
    assert table.loc[0, "mean"] == 0.5
    assert table[["low", "high"]].isna().all(axis=None)


def test_windows_of_a_short_run_join_those_of_the_longest():
    keys = {"regime": "r", "clip": "c", "regularization": "none"}
    long = pd.DataFrame({**keys, "seed": 0, "step": [0, 47, 94], "last_step": [46, 93, 140]})
    short = pd.DataFrame({**keys, "seed": 1, "step": range(60), "last_step": range(60)})
    frame = aligned(pd.concat([long, short], ignore_index=True))
    assert list(frame["step"]) == [0, 47, 94] + [0] * 47 + [47] * 13
    assert aligned(long)["step"].equals(long["step"])


@pytest.mark.parametrize(
    ("statuses", "sentence"),
    [
        (["ok"] * 3, "No run of 3 failed."),
        (["ok", "diverged", "diverged"], "2 of 3 runs failed."),
    ],
)
def test_diverged_runs_are_counted(statuses, sentence):
    assert diverged_sentence(pd.DataFrame({"status": statuses})) == sentence


def test_seeds_are_counted_by_variant():
    runs = tables(Grid({"r": (("none", "sign"), ("none",))}, seeds=3, windows=1))["runs"]
    assert seeds_sentence(runs) == "3 seeds per variant."
    assert seeds_sentence(runs.iloc[1:]) == "2 to 3 seeds per variant."
    assert seeds_sentence(runs[runs["seed"] == 0]) == "1 seed per variant, so no interval."


def test_norms_a_log_axis_cannot_show_are_counted():
    assert left_out_sentence(study("default")["steps"]) == ""
    norms = pd.DataFrame({"norm_before": [0.0, 1.0, np.inf, np.nan]})
    assert left_out_sentence(norms) == (
        " Windows left out because their norm is not finite: 2 of 4."
        " Windows with norm 0: 1 of 4; a median of 0 is left blank."
    )
