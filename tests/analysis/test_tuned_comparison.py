"""The tuned methods against 'none' tuned likewise: paired by seed, each at its own choice, from hand-made tables."""

import numpy as np
import pandas as pd
import pytest
from tuning_tables import L2, LABELS, accuracies, everywhere, losses, study, swept, table

from study.analysis.comparisons import row_generator
from study.analysis.selection import METRICS, TUNED, choose, compare_tuned
from study.analysis.statistics import bca_interval, holm, sign_flip_p
from study.config.read import parse
from study.config.study import Study


def compared(tuned: pd.DataFrame, tested: pd.DataFrame, given: Study, seed: int = 0) -> pd.DataFrame:
    table = compare_tuned(choose(tuned, tested, given), tested, seed)
    assert tuple(table.columns) == TUNED
    return table.set_index(["setting", "kind", "method", "metric"])


def test_tuned_methods_are_compared_with_tuned_none_seed_by_seed() -> None:
    own = {"none": [0.50, 0.52, 0.54, 0.56], "l2(0.01)": [0.61, 0.61, 0.64, 0.70], "dropout(0.2)": [0.4, 0.6, 0.5, 0.6]}
    tested = table({**{label: [0.1] * 4 for label in LABELS}, **own}, "test_accuracy")
    found = compared(losses({"l2(0.01)": 0.2, "dropout(0.2)": 0.4}), tested, study())
    differences = {"l2": [0.11, 0.09, 0.10, 0.14], "dropout": [-0.1, 0.08, -0.04, 0.04]}
    for method, by_seed in differences.items():
        row = found.loc[("x", "regularization", method, "test_accuracy")]
        rng = row_generator(0, "tuned", "x", "regularization", method, "test_accuracy")
        interval = bca_interval(by_seed)
        assert row["estimate"] == pytest.approx(np.mean(by_seed))
        assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))
        assert row["p"] == sign_flip_p(by_seed, rng)[0]
        assert (row["n"], row["n_undefined"], row["baseline_regime"]) == (4, 0, "x")
        assert row["superiority"] == np.mean(np.array(by_seed) > 0)
        assert row["mean"] - row["baseline_mean"] == pytest.approx(row["estimate"])
        assert row["method_of_test"] == f"{interval.method}; exact sign-flip"
    assert found.loc[("x", "regularization", "l2", "test_accuracy"), "label"] == "l2(0.01)"
    assert found.loc[("x", "regularization", "l2", "test_accuracy"), "mean"] == pytest.approx(0.64)
    assert {method for _, _, method, _ in found.index} == {"value", "l2", "dropout"}
    assert {metric for *_, metric in found.index} == set(METRICS)


def test_p_is_adjusted_over_the_methods_of_one_setting_kind_and_metric() -> None:
    means = {"l2(0.1)": 0.7, "dropout(0.5)": 0.52, "value(1)": 0.6}
    tuned = losses({"l2(0.1)": 0.2, "dropout(0.5)": 0.3, "value(1)": 0.3})
    found = compared(tuned, accuracies(means), study()).xs("test_accuracy", level="metric")
    clips, regularizations = found.xs("clip", level="kind"), found.xs("regularization", level="kind")
    assert clips["p_adjusted"].tolist() == clips["p"].tolist() == [1 / 8]
    assert regularizations["p_adjusted"].to_numpy() == pytest.approx(holm(regularizations["p"]))
    assert regularizations["p_adjusted"].tolist() == [1 / 4, 1 / 4]


def test_a_method_for_which_none_was_chosen_differs_by_exactly_nothing() -> None:
    rng = np.random.default_rng(5)
    tested = table({label: rng.random(4) for label in LABELS}, "test_accuracy", gap_loss=0.1)
    found = compared(losses({"none": 0.1}), tested, study())
    assert set(found["label"]) == {"none"}
    assert (found[["estimate", "low", "high"]] == 0.0).all(axis=None)
    assert (found["p"] == 1).all()
    assert (found["superiority"] == 0.5).all()


def test_the_baseline_is_none_at_its_own_point_of_the_sweep() -> None:
    tuned = everywhere(losses, {"x_lr=0.1_depth=flat": {"none": 0.5}, "x_lr=10_depth=flat": {"l2(0.1)": 0.3}})
    tested = everywhere(accuracies, {"x_lr=0.1_depth=flat": {"none": 0.8}, "x_lr=10_depth=flat": {"l2(0.1)": 0.9}})
    found = compared(tuned, tested, swept())
    row = found.loc[("x_depth=flat", "regularization", "l2", "test_accuracy")]
    assert (row["regime"], row["baseline_regime"]) == ("x_lr=10_depth=flat", "x_lr=0.1_depth=flat")
    assert row["estimate"] == pytest.approx(0.1), "and not 0.4, the distance to 'none' at the method's own rate"


def test_a_lost_run_leaves_its_pair_out_and_counts_as_diverged() -> None:
    tested = accuracies({"l2(0.1)": 0.6})
    gone = (tested["regularization"] == "l2(0.1)") & (tested["seed"] == 1)
    tested.loc[gone, "test_accuracy"] = np.nan
    tested.loc[gone, "status"] = "diverged"
    found = compared(losses({"l2(0.1)": 0.2}), tested, study()).sort_index().loc[("x", "regularization", "l2")]
    assert found.loc["test_accuracy", ["n", "n_undefined"]].tolist() == [3, 1]
    assert found.loc["test_accuracy", "estimate"] == pytest.approx(0.1)
    assert found.loc["diverged", ["n", "estimate", "mean", "baseline_mean"]].tolist() == [4, 0.25, 0.25, 0]


def test_rows_do_not_depend_on_others_and_equal_differences_have_equal_intervals() -> None:
    means = {"l2(0.1)": 0.6, "dropout(0.5)": 0.7, "value(1)": 0.6}
    tested = table(
        {la: means.get(la, 0.5) + np.sin(7 * i + np.arange(4)) for i, la in enumerate(LABELS)}, "test_accuracy"
    )
    tuned = losses(dict.fromkeys(means, 0.2))
    more = compared(tuned, tested, study())
    fewer = compared(tuned, tested, study(regularizations=["none", L2])).drop(columns="p_adjusted")
    pd.testing.assert_frame_equal(fewer, more.drop(columns="p_adjusted").loc[fewer.index])
    shuffled = compared(tuned, tested.sample(frac=1, random_state=3), study())
    pd.testing.assert_frame_equal(shuffled, more)
    same = table(
        {**{label: np.zeros(12) for label in LABELS}, **dict.fromkeys(means, np.arange(12) ** 2)}, "test_accuracy"
    )
    rows = compared(tuned, same, study()).xs("test_accuracy", level="metric")
    assert (rows["estimate"].nunique(), rows["low"].nunique()) == (1, 1)


def test_with_nothing_to_tune_but_none_there_is_nothing_to_compare() -> None:
    alone = study(clips=["none"], regularizations=["none"])
    tuning = choose(losses({}), accuracies({}), alone)
    assert tuning["label"].tolist() == ["none", "none"]
    assert compare_tuned(tuning, accuracies({}), 0).empty
    nothing = choose(losses({}), accuracies({}), parse({"name": "s", "regimes": {"x": {}}}))
    assert nothing.empty
    assert tuple(compare_tuned(nothing, accuracies({}), 0).columns) == TUNED


def test_the_rule_says_who_outperforms_whom_with_the_sign_that_each_metric_has() -> None:
    better = {
        **dict.fromkeys(LABELS, [0.5] * 6),
        "l2(0.01)": [0.6, 0.7, 0.6, 0.7, 0.6, 0.7],
        "dropout(0.2)": [0.4, 0.5, 0.4, 0.6, 0.4, 0.5],
    }
    tuned = losses({"l2(0.01)": 0.2, "dropout(0.2)": 0.3})
    for metric, expected in (("test_accuracy", "better"), ("test_loss", "worse"), ("gap_accuracy", "worse")):
        found = compared(tuned, table(better, metric), study()).xs(metric, level="metric")
        rows = found.xs("regularization", level="kind").droplevel("setting")
        assert rows.loc["l2", "outperforms"] == expected, metric
        assert rows.loc["l2", "superiority"] == rows.loc["l2", "superiority_high"] == 1
        assert 0.5 < rows.loc["l2", "superiority_low"] < 0.6, "six wins of six are no certainty"
        assert rows.loc["dropout", "outperforms"] == "not significant"
        assert rows.loc["l2", "sd"] == pytest.approx(np.std([0.1, 0.2] * 3, ddof=1))
