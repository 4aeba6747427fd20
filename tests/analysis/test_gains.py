"""Gains over the baseline: one margin a metric, a method and its opposite decided alike, copies counted once."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study.analysis.gains import GAINS, LEADERBOARD, METRICS, Scores, decide, gains, leaderboard
from study.analysis.simulated import METRIC, Truth, of_no_file, row
from study.config.study import Study

STUDY = of_no_file()
OPPOSITE = {"supported": "harm", "harm": "supported"}


def runs(cells: dict[str, Any], regime: str = "x", status: dict[str, str] | None = None) -> pd.DataFrame:
    """Runs of clips by name with these accuracies by seed; all other metrics follow from the accuracy."""
    rows = []
    for name, values in cells.items():
        for seed, value in enumerate(values):
            accuracies = {key: float(value) for key in METRICS if key.endswith("test_accuracy")}
            losses = {key: 1 - float(value) for key in METRICS if key.endswith("test_loss")}
            gaps = {key: 0.1 for key in METRICS if "gap" in key}
            labels = {"clip": name, "regularization": "none", "clip_method": name, "regularization_method": "none"}
            how = (status or {}).get(name, "ok")
            rows.append(
                {"study": "a", "regime": regime, **labels, "seed": seed, "status": how, **accuracies, **losses, **gaps}
            )
    return pd.DataFrame(rows)


def verdicts(table: pd.DataFrame, metric: str = METRIC) -> dict[str, str]:
    found = gains(table, STUDY, seed=0)
    own = found[found["metric"] == metric]
    return dict(zip(own["clip"], own["verdict"], strict=True))


def noisy(mean: float, rng: np.random.Generator, seeds: int = 12, sd: float = 0.002) -> np.ndarray:
    return 0.9 + mean + sd * rng.standard_normal(seeds)


@given(st.floats(-0.05, 0.05), st.floats(0, 0.03), st.floats(0.001, 0.02), *[st.floats(0, 1) for _ in range(2)])
def test_a_method_and_its_opposite_are_decided_alike(
    middle: float, half: float, margin: float, p_gain: float, p_harm: float
) -> None:
    """With both sides exchanged, supported becomes harm and harm supported; the other verdicts are of gains alone."""
    one = decide(middle - half, middle + half, margin, p_gain, p_harm, 0.0)
    other = decide(-middle - half, -middle + half, margin, p_harm, p_gain, 0.0)
    assert OPPOSITE.get(one) == (other if one in OPPOSITE else None)
    assert (one in OPPOSITE) == (other in OPPOSITE)


def test_clear_truths_are_found() -> None:
    rng = np.random.default_rng(0)
    table = runs({"none": noisy(0, rng), "up": noisy(0.02, rng), "down": noisy(-0.02, rng), "same": noisy(0, rng)})
    assert verdicts(table) == {"up": "supported", "down": "harm", "same": "no gain found"}
    assert verdicts(table, "gap_loss") == dict.fromkeys(("up", "down", "same"), "no gain found")


def test_a_gain_of_less_than_the_margin_is_no_gain_and_noise_leaves_it_undecided() -> None:
    rng = np.random.default_rng(1)
    small = runs({"none": noisy(0, rng), "little": noisy(0.002, rng)})
    assert verdicts(small) == {"little": "no gain found"}
    loud = runs({"none": noisy(0, rng, sd=0.02), "loud": noisy(0.005, rng, sd=0.02)})
    assert verdicts(loud) == {"loud": "undecided"}


def test_one_margin_holds_for_a_metric_at_both_epochs() -> None:
    rng = np.random.default_rng(2)
    found = gains(runs({"none": noisy(0, rng), "a": noisy(0, rng)}), STUDY, seed=0)
    assert list(found.columns) == list(GAINS)
    by = {metric.removeprefix("best_"): set(part["margin"]) for metric, part in found.groupby("metric")}
    margins = found.groupby(found["metric"].str.removeprefix("best_"))["margin"].nunique()
    assert (margins == 1).all()
    assert set(by) == {"test_accuracy", "test_loss", "gap_accuracy", "gap_loss"}
    assert list(found.loc[found["primary"], "metric"]) == [STUDY.primary]


def test_a_copy_is_counted_once_and_takes_the_verdict_of_what_it_copies() -> None:
    rng = np.random.default_rng(3)
    up = noisy(0.02, rng)
    none = noisy(0, rng)
    alone = gains(runs({"none": none, "up": up}), STUDY, seed=0)
    found = gains(runs({"none": none, "up": up, "again": up, "idle": none}), STUDY, seed=0)
    own = found[found["metric"] == METRIC].set_index("clip")
    assert dict(own["copy_of"]) == {"up": "", "again": "up", "idle": "the baseline"}
    assert dict(own["verdict"]) == {"up": "supported", "again": "supported", "idle": "no gain found"}
    p = alone.loc[alone["metric"] == METRIC, "p_gain_adjusted"].iloc[0]
    assert own.loc["up", "p_gain_adjusted"] == p, "copies enlarge no family"
    assert np.isnan(own.loc["again", "p_gain_adjusted"])


def test_two_that_fail_are_not_compared() -> None:
    rng = np.random.default_rng(4)
    table = runs({"none": noisy(0, rng), "a": noisy(0.05, rng)}, status={"none": "diverged", "a": "diverged"})
    assert verdicts(table) == {"a": "not tested"}
    one = runs({"none": noisy(0, rng), "a": noisy(0.05, rng)}, status={"none": "diverged"})
    assert verdicts(one) == {"a": "supported"}


def test_a_larger_family_asks_for_more() -> None:
    rng = np.random.default_rng(5)
    few = {"none": noisy(0, rng, 7), "up": noisy(0.02, rng, 7)}
    many = {**few, **{f"x{i}": noisy(0, rng, 7) for i in range(20)}}
    assert verdicts(runs(few))["up"] == "supported", "2^-7 is below .05"
    assert verdicts(runs(many))["up"] == "undecided", "21 times 2^-7 is not"


# --- the leaderboard


def test_the_baseline_stands_in_the_order_and_ranks_are_means_over_workloads() -> None:
    rng = np.random.default_rng(6)
    table = pd.concat(
        [
            runs({"none": noisy(0, rng), "up": noisy(0.02, rng), "down": noisy(-0.02, rng)}, "a"),
            runs({"none": noisy(0, rng), "up": noisy(0.02, rng), "down": noisy(-0.02, rng)}, "b"),
        ]
    )
    found = leaderboard(table, gains(table, STUDY, 0), STUDY, 0)
    assert list(found.columns) == list(LEADERBOARD)
    assert list(found["clip_method"]) == ["up", "none", "down"]
    assert list(found["mean_rank"]) == [0, 0.5, 1]
    assert list(found["supported"]) == [2, 0, 0]
    assert list(found["harm"]) == [0, 0, 2]
    assert (found["low"] <= found["mean_rank"]).all()
    assert (found["mean_rank"] <= found["high"]).all()


@settings(max_examples=25)
@given(st.integers(2, 6), st.integers(0, 1000))
def test_ranks_are_those_of_the_means(methods: int, seed: int) -> None:
    values = np.random.default_rng(seed).random((methods, 5))
    cells = {f"m{i}" if i else "none": each for i, each in enumerate(values)}
    ranks = Scores.of(runs(cells), METRIC).ranks()
    slow = {name: sum(other.mean() > own.mean() for other in cells.values()) for name, own in cells.items()}
    assert {name: (methods - 1) * ranks[name, "none"] for name in cells} == pytest.approx(slow)


def test_what_diverged_comes_last() -> None:
    cells = {"none": np.full(4, 0.5), "gone": np.array([0.9, 0.9, np.nan, 0.9]), "low": np.full(4, 0.1)}
    ranks = Scores.of(runs(cells), METRIC).ranks()
    assert [ranks[name, "none"] for name in ("none", "low", "gone")] == [0, 0.5, 1]


# --- level, power and coverage of the whole pipeline, tuning included


def test_where_no_method_does_anything_no_gain_is_found() -> None:
    found = row(Truth(0.0, noise=0.003, methods=6), STUDY, studies=24, seed=0)
    assert found["any supported"] <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 24)
    assert found["any harm"] <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 24)
    assert float(str(found["no gain found"])) > 0.85
    assert 0.88 < float(str(found["coverage"])) <= 1.0


def test_a_gain_of_four_margins_is_found() -> None:
    found = row(Truth(0.02, noise=0.003, methods=6), STUDY, studies=6, seed=1)
    assert float(str(found["supported"])) > 0.8
    assert found["any harm"] == 0


def test_a_study_has_the_margins_that_its_configuration_says() -> None:
    other = Study.model_validate({**STUDY.model_dump(), "margins": {"test_accuracy": 0.05}})
    rng = np.random.default_rng(7)
    found = gains(runs({"none": noisy(0, rng), "up": noisy(0.02, rng)}), other, seed=0)
    assert found.loc[found["metric"] == METRIC, "verdict"].iloc[0] == "no gain found"


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_is_turned_so_that_a_gain_is_good(metric: str) -> None:
    rng = np.random.default_rng(8)
    table = runs({"none": noisy(0, rng), "up": noisy(0, rng)})
    sign = 1 if metric.endswith("test_accuracy") else -1
    table.loc[table["clip"] == "up", metric] += sign * 0.2
    found = gains(table, STUDY, seed=0)
    assert found.loc[found["metric"] == metric, "gain"].iloc[0] == pytest.approx(0.2, abs=0.01)
