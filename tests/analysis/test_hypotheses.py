"""Hypotheses: each decided by the rule of the gains, with one family over all of them."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from study.analysis.hypotheses import HYPOTHESES, hypotheses, of_all
from study.analysis.statistics import holm
from study.config import read
from study.config.study import Study
from study.report.hypotheses import hypotheses_told, hypothesis_lines, hypothesis_rows

UP = {"says": "A clip helps.", "workloads": ["a", "b"], "clip": "value"}


def study(**stated: Any) -> Study:
    """Two workloads of three clips, with these hypotheses."""
    regime = {"grid": "alone", "clips": ["none", {"name": "value", "bound": 0.1}, "sign"]}
    return read.parse({"name": "x", "regimes": {"a": regime, "b": regime}, "hypotheses": stated})


def runs(one: Study, values: dict[tuple[str, str], Any], status: str = "ok") -> pd.DataFrame:
    """Runs of cells, by regime and name of the clip, with these accuracies by seed."""
    labels = {clip.name: clip.label for regime in one.regimes.values() for clip in regime.clips}
    rows = [
        {
            "regime": regime,
            "clip": labels[name],
            "regularization": "none",
            "seed": seed,
            "best_test_accuracy": value,
            "status": status if name == "none" else "ok",
        }
        for (regime, name), each in values.items()
        for seed, value in enumerate(each)
    ]
    return pd.DataFrame(rows)


def seeds(mean: float, rng: np.random.Generator) -> np.ndarray:
    return 0.9 + mean + 0.002 * rng.standard_normal(12)


@pytest.fixture
def found() -> pd.DataFrame:
    """A clip that helps in workload a and harms in b, held against the baseline and against another clip."""
    rng = np.random.default_rng(0)
    one = study(up=UP, over={**UP, "workloads": ["a"], "against": {"clip": "sign"}})
    means = {("a", "none"): 0, ("a", "value"): 0.02, ("a", "sign"): 0.02, ("b", "none"): 0, ("b", "value"): -0.02}
    return hypotheses(runs(one, {cell: seeds(mean, rng) for cell, mean in means.items()}), one, seed=0)


def test_each_workload_has_its_row_and_verdict(found: pd.DataFrame) -> None:
    assert list(found.columns) == list(HYPOTHESES)
    assert list(zip(found["hypothesis"], found["regime"], found["verdict"], strict=True)) == [
        ("up", "a", "supported"),
        ("up", "b", "harm"),
        ("over", "a", "no gain found"),
    ]
    assert list(found["of_all"]) == ["harm", "harm", "no gain found"]
    assert list(found["gain"].round(2)) == [0.02, -0.02, 0]
    assert list(found["gain"]) == pytest.approx(list(found["mean"] - found["against_mean"]))


def test_all_rows_are_one_family(found: pd.DataFrame) -> None:
    for key in ("p_gain", "p_harm", "p_less"):
        assert list(found[f"{key}_adjusted"]) == pytest.approx(list(holm(found[key].to_numpy())))


def test_the_share_of_lost_runs_is_compared_where_the_baseline_is_lost() -> None:
    rng = np.random.default_rng(1)
    one = study(saved={**UP, "workloads": ["a"], "metric": "failed"})
    values = {("a", "none"): seeds(0, rng), ("a", "value"): seeds(0, rng)}
    (row,) = hypotheses(runs(one, values, status="diverged"), one, seed=0).to_dict("records")
    assert (row["against_mean"], row["mean"], row["gain"], row["verdict"]) == (1, 0, 1, "supported")


def test_a_workload_that_is_not_there_yet_has_no_row() -> None:
    rng = np.random.default_rng(2)
    one = study(up=UP)
    values = {("a", "none"): seeds(0, rng), ("a", "value"): seeds(0, rng), ("b", "none"): seeds(0, rng)}
    assert list(hypotheses(runs(one, values), one, seed=0)["regime"]) == ["a"]


@pytest.mark.parametrize(
    ("each", "whole"),
    [
        (["supported", "supported"], "supported"),
        (["supported", "harm"], "harm"),
        (["supported", "undecided"], "undecided"),
        (["no gain found", "no gain found"], "no gain found"),
        (["not tested"], "not tested"),
    ],
)
def test_the_verdict_over_workloads(each: list[Any], whole: str) -> None:
    assert of_all(each) == whole


def test_rows_in_print(found: pd.DataFrame) -> None:
    first, second = hypothesis_rows(found, {name: f"*{name}*" for name in found["regime"]})
    assert first["verdict"] == "**harm**"
    assert "*a* +1.9 [" in str(first["gain, by workload"])
    assert second["verdict"] == "**no gain found**"
    harm, no_gain = hypothesis_lines(found)
    ends = [f"{100 * gain:+.1f}".replace("-", "−") for gain in sorted(found.loc[found["hypothesis"] == "up", "gain"])]
    assert harm.startswith(f"**Harm:** A clip helps: {ends[0]} [")
    assert f" points to {ends[1]} [" in harm
    assert no_gain == "**No gain found:** 1 of 2, in the table below."
    assert hypotheses_told(found) == "Of 2 hypotheses: 1 harm, 1 no gain found."


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"workloads": ["c"]}, r"The 'workloads' parameter of hypothesis must name regimes of the study, which are"),
        ({"clip": "zscore"}, r"The 'clip' parameter of hypothesis must name one cell of 'a'.*Got 'zscore' with 'none'"),
        ({"against": {"clip": "spike"}}, r"The 'against' parameter of hypothesis must name one cell of 'a'"),
        ({"clip": "none"}, r"The 'against' parameter of hypothesis must be another cell than its own"),
        ({"metric": "speed"}, r"The 'metric' parameter of hypothesis must be one of 'best_test_accuracy',"),
    ],
)
def test_what_no_cell_can_decide_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises((ValidationError, read.ConfigError), match=message):
        study(up={**UP, **change})
