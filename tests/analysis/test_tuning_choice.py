"""The choice of strengths from hand-made tables: by validation alone, within one setting, and what it cost."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from scipy.stats import sem
from sklearn.linear_model import Ridge
from tuning_tables import (
    CLIPS,
    DROPOUT,
    DROPOUTS,
    L2,
    L2S,
    LABELS,
    VALUE,
    accuracies,
    everywhere,
    losses,
    study,
    swept,
    table,
)

from study.analysis.selection import TUNING, choose, one_standard_error, settings
from study.config.read import ConfigError, parse


def marked(tuning: pd.DataFrame, column: str = "chosen") -> dict[str, Any]:
    """By method, the label that is marked; with its regime where there are several."""
    rows = tuning[tuning[column]]
    where = rows["label"] if len(set(tuning["regime"])) == 1 else rows["regime"] + ": " + rows["label"]
    return dict(zip(rows["method"], where, strict=True))


# --- candidates


def test_columns_and_candidates_none_first_in_every_grid() -> None:
    tuning = choose(losses({}), accuracies({}), study(clips=[VALUE, "none"], regularizations=[DROPOUT, "none", L2]))
    assert tuple(tuning.columns) == TUNING
    candidates = tuning.groupby(["kind", "method"], sort=False)["label"].agg(list).to_dict()
    assert candidates == {
        ("clip", "value"): ["none", *CLIPS],
        ("clip", "none"): ["none"],
        ("regularization", "dropout"): ["none", *DROPOUTS],
        ("regularization", "none"): ["none"],
        ("regularization", "l2"): ["none", *L2S],
    }
    assert tuning.groupby(["kind", "method"], sort=False)["position"].agg(list).tolist() == [
        list(range(len(labels))) for labels in candidates.values()
    ]
    assert set(tuning["study"]) == {"s"}
    assert set(tuning["setting"]) == {"x"}
    assert (tuning.groupby(["kind", "method"])["chosen"].sum() == 1).all()


@hypothesis(max_examples=15)
@given(st.lists(st.floats(0, 5), min_size=2, max_size=10))
def test_the_loss_is_the_mean_over_seeds_and_folds_with_its_standard_error(values: list[float]) -> None:
    runs = table({"none": [9.0, 9.0], "l2(0.01)": values}, "validation_loss")
    row = choose(runs, accuracies({}), study()).query("method == 'l2' and label == 'l2(0.01)'").iloc[0]
    assert row["validation_loss"] == pytest.approx(np.mean(values))
    assert row["validation_se"] == pytest.approx(sem(values))
    assert (row["n"], row["diverged"], row["test_n"], row["chosen"]) == (len(values), 0, 4, True)


def test_only_methods_alone_are_looked_at() -> None:
    together = table({label: [0.0, 0.0] for label in L2S}, "validation_loss").assign(clip="value(1)")
    tuning = choose(pd.concat([losses({}), together]), accuracies({}), study())
    pd.testing.assert_frame_equal(tuning, choose(losses({}), accuracies({}), study()))


# --- the choice


def test_the_minimum_takes_the_smallest_mean_loss_and_none_where_nothing_helps() -> None:
    tuning = choose(
        losses({"none": 0.5, "l2(0.01)": 0.4, "l2(0.1)": 0.45, "value(0.01)": 0.3}), accuracies({}), study()
    )
    assert marked(tuning[tuning["kind"] == "clip"]) == {"none": "none", "value": "value(0.01)"}
    assert marked(tuning[tuning["kind"] == "regularization"]) == {"none": "none", "l2": "l2(0.01)", "dropout": "none"}
    assert set(tuning["rule"]) == {"minimum"}


def test_one_standard_error_takes_the_strongest_within() -> None:
    """The error of the smallest is .01: the next is within it, the last is not."""
    se = 0.01 * np.std([-1, 0, 1], ddof=1) / np.sqrt(3)
    means = {"none": 0.9, "l2(0.001)": 0.5, "l2(0.01)": 0.5 + 0.99 * se, "l2(0.1)": 0.5 + 1.01 * se}
    means |= {"dropout(0.2)": 0.5, "dropout(0.5)": 0.6, "dropout(0.8)": 0.5 + 0.5 * se}
    by_rule = {rule: choose(losses(means), accuracies({}), study(rule)) for rule in ("minimum", "one_standard_error")}
    for rule, l2, dropout in (
        ("minimum", "l2(0.001)", "dropout(0.2)"),
        ("one_standard_error", "l2(0.01)", "dropout(0.8)"),
    ):
        chosen = marked(by_rule[rule][by_rule[rule]["kind"] == "regularization"])
        assert (chosen["l2"], chosen["dropout"], chosen["none"]) == (l2, dropout, "none")


def test_one_standard_error_takes_the_weakest_alone_where_it_is_the_best_by_far() -> None:
    tuning = choose(losses({"none": 0.1}), accuracies({}), study("one_standard_error"))
    assert set(tuning[tuning["chosen"]]["label"]) == {"none"}


def test_one_run_has_no_standard_error_and_the_rule_is_the_minimum() -> None:
    runs = table({label: [1.0 + 1e-9 * i] for i, label in enumerate(LABELS)}, "validation_loss")
    tuning = choose(runs, accuracies({}), study("one_standard_error"))
    assert tuning["validation_se"].isna().all()
    assert set(tuning[tuning["chosen"]]["label"]) == {"none"}


CANDIDATES = st.lists(
    st.tuples(st.sampled_from([0.1, 0.2, 0.3, 0.4, np.inf]), st.sampled_from([0.0, 0.1, 0.15]), st.sampled_from("ab")),
    min_size=1,
    max_size=8,
)


@given(CANDIDATES)
def test_one_standard_error_chooses_within_the_regime_of_the_minimum(drawn: list[tuple[float, float, str]]) -> None:
    means, errors, regimes = map(list, zip(*drawn, strict=True))
    found = one_standard_error(np.array(means), np.array(errors), regimes)
    least = means.index(min(means))
    good = [i for i in range(len(means)) if regimes[i] == regimes[least] and means[i] <= means[least] + errors[least]]
    assert found == (good[-1] if np.isfinite(means[least]) else 0)


@pytest.mark.parametrize("rule", ["minimum", "one_standard_error"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_strength_at_which_one_run_is_lost_is_never_chosen_unless_all_are(rule: str, bad: float) -> None:
    lost = {label: [0.1, bad, 0.1] for label in (*L2S, *DROPOUTS)}
    whole = {"none": [0.9] * 3, "dropout(0.5)": [0.8, 0.8, 0.9]}
    runs = table({**{label: [0.7] * 3 for label in CLIPS}, **lost, **whole}, "validation_loss")
    tuning = choose(runs, accuracies({}), study(rule))
    chosen = marked(tuning[tuning["kind"] == "regularization"])
    assert chosen == {"none": "none", "l2": "none", "dropout": "dropout(0.5)"}
    row = tuning.query("label == 'l2(0.1)'").iloc[0]
    assert (row["validation_loss"], row["diverged"], row["n"]) == (np.inf, 1, 3)
    assert np.isnan(row["validation_se"])
    nothing = choose(table({label: [bad] * 2 for label in LABELS}, "validation_loss"), accuracies({}), study(rule))
    assert set(nothing[nothing["chosen"]]["label"]) == {"none"}


@hypothesis(max_examples=10)
@given(st.randoms(use_true_random=False), st.sampled_from(["minimum", "one_standard_error"]))
def test_the_test_set_chooses_nothing(random: Any, rule: str) -> None:
    tuned = losses({label: random.random() for label in LABELS})
    one, other = (accuracies({label: random.random() for label in LABELS}) for _ in range(2))
    assert choose(tuned, one, study(rule))["chosen"].equals(choose(tuned, other, study(rule))["chosen"])


def test_rows_in_any_order_give_the_same_choice() -> None:
    tuned, tested = losses({"l2(0.1)": 0.2}), accuracies({"l2(0.1)": 0.9})
    again = choose(tuned.sample(frac=1, random_state=1), tested.sample(frac=1, random_state=2), study())
    pd.testing.assert_frame_equal(again, choose(tuned, tested, study()))


# --- what it cost


def ridge_runs(alphas: Mapping[str, float], runs: int = 20) -> pd.DataFrame:
    """Ridge regressions of 30 noisy points in 25 directions: what is learned by heart is of no use elsewhere."""
    rng = np.random.default_rng(0)
    rows = []
    for seed in range(runs):
        w, x = rng.normal(size=25), rng.normal(size=(530, 25))
        y = x @ w + 5 * rng.normal(size=530)
        for label, alpha in alphas.items():
            fit = Ridge(alpha=alpha).fit(x[:30], y[:30])
            train, validation = (
                float(np.mean((fit.predict(x[at]) - y[at]) ** 2)) for at in (slice(30), slice(30, None))
            )
            one = table({label: [validation]}, "validation_loss", train_loss=train, seed=seed)
            rows.append(one)
    return pd.concat(rows, ignore_index=True)


def test_the_training_loss_picks_the_weakest_regularizer_where_it_overfits() -> None:
    alphas = dict(zip(["none", *L2S], [1e-9, 1e-3, 10.0, 1e6], strict=True))
    tuning = choose(ridge_runs(alphas), accuracies({}), study()).query("method == 'l2'")
    assert marked(tuning, "chosen_by_training") == {"l2": "none"}
    assert tuning["train_loss"].is_monotonic_increasing
    assert marked(tuning) == {"l2": "l2(0.01)"}
    given = choose(ridge_runs({label: alphas[label] for label in L2S}), accuracies({}), study()).query("method == 'l2'")
    assert marked(given, "chosen_by_training") == {"l2": "l2(0.001)"}, "without 'none', the weakest that was tried"


def test_regret_is_the_distance_from_the_best_on_the_test_set() -> None:
    tested = accuracies({"none": 0.6, "l2(0.001)": 0.7, "l2(0.01)": 0.8, "l2(0.1)": 0.1, "dropout(0.5)": 0.4})
    tuning = choose(losses({"l2(0.001)": 0.5, "dropout(0.5)": 0.5}), tested, study())
    l2, dropout = (tuning[tuning["method"] == method].set_index("label") for method in ("l2", "dropout"))
    assert l2["regret"].to_dict() == pytest.approx({"none": 0.2, "l2(0.001)": 0.1, "l2(0.01)": 0.0, "l2(0.1)": 0.7})
    assert marked(tuning, "best_on_test") == {
        **{"value": "none", "none": "none"},
        **{"l2": "l2(0.01)", "dropout": "none"},
    }
    assert dropout.loc["dropout(0.5)", "regret"] == pytest.approx(0.2)
    assert dropout.loc["dropout(0.5)", "chosen"]


def test_who_lost_a_run_is_not_the_best_on_the_test_set_and_its_regret_is_undefined() -> None:
    tested = accuracies({"none": 0.6, "l2(0.01)": 0.7, "l2(0.1)": 0.9})
    gone = (tested["regularization"] == "l2(0.1)") & (tested["seed"] == 0)
    tested.loc[gone, ["test_accuracy", "test_loss", "gap_accuracy", "gap_loss"]] = np.nan
    l2 = choose(losses({}), tested, study()).query("method == 'l2'").set_index("label")
    assert l2["test_n"].to_dict() == {"none": 4, "l2(0.001)": 4, "l2(0.01)": 4, "l2(0.1)": 3}
    assert l2.index[l2["best_on_test"]].tolist() == ["l2(0.01)"]
    assert np.isnan(l2.loc["l2(0.1)", "regret"])
    assert (l2["regret"].dropna() >= 0).all()


@pytest.mark.parametrize(
    ("best", "edge"),
    [("l2(0.001)", "strength: first of 3"), ("l2(0.01)", ""), ("l2(0.1)", "strength: last of 3"), ("none", "")],
)
def test_a_choice_at_the_edge_of_its_grid_is_told(best: str, edge: str) -> None:
    tuning = choose(losses({best: 0.2}), accuracies({}), study()).query("method == 'l2'")
    assert tuning.loc[tuning["chosen"], "edge"].tolist() == [edge]
    assert (tuning.loc[~tuning["chosen"], "edge"] == "").all()


def test_a_single_strength_is_told_as_no_grid() -> None:
    given = study(regularizations=["none", {"name": "l2", "strength": 0.01}])
    tuning = choose(losses({"l2(0.01)": 0.2}), accuracies({}), given).query("method == 'l2'")
    assert marked(tuning) == {"l2": "l2(0.01)"}
    assert tuning.loc[tuning["chosen"], "edge"].tolist() == ["strength: no grid"]


# --- along a sweep


def test_settings_are_the_regimes_or_what_is_left_of_a_sweep() -> None:
    (one,) = settings(study())
    assert (one.name, one.regimes, one.along) == ("x", ("x",), ({},))
    labels = {kind: list(grid) for kind, grid in one.grids.items()}
    assert labels == {"clip": ["none", *CLIPS], "regularization": ["none", *L2S, *DROPOUTS]}
    flat, deep = settings(swept())
    assert [flat.name, deep.name] == ["x_depth=flat", "x_depth=deep"]
    assert flat.regimes == ("x_lr=0.1_depth=flat", "x_lr=1_depth=flat", "x_lr=10_depth=flat")
    assert deep.along == ({"optimizer.lr": 0.1}, {"optimizer.lr": 1.0}, {"optimizer.lr": 10.0})
    (both,) = settings(swept(tuning={"along": ["optimizer.lr", "depth"]}))
    assert (both.name, len(both.regimes)) == ("x", 6)
    assert len(settings(swept(tuning={}))) == 6, "with nothing tuned along, each regime is its own"
    assert settings(parse({"name": "s", "regimes": {"x": {}}})) == []


def test_a_method_and_none_each_take_their_own_point_along_the_sweep() -> None:
    tuned = everywhere(
        losses, {"x_lr=0.1_depth=flat": {"none": 0.5}, "x_lr=10_depth=flat": {"l2(0.1)": 0.3, "none": 0.7}}
    )
    tuning = choose(tuned, everywhere(accuracies, {}), swept())
    flat = tuning[(tuning["setting"] == "x_depth=flat") & (tuning["kind"] == "regularization")]
    assert marked(flat) == {
        "none": "x_lr=0.1_depth=flat: none",
        "dropout": "x_lr=0.1_depth=flat: none",
        "l2": "x_lr=10_depth=flat: l2(0.1)",
    }
    assert flat[flat["chosen"]].set_index("method")["edge"].to_dict() == {
        "none": "optimizer.lr: first of 3",
        "l2": "strength: last of 3; optimizer.lr: last of 3",
        "dropout": "optimizer.lr: first of 3",
    }
    assert flat[flat["method"] == "l2"]["position"].tolist() == list(range(3 * 4))
    deep = tuning[tuning["setting"] == "x_depth=deep"]
    assert set(deep[deep["chosen"]]["label"]) == {"none"}, "what holds in one setting is not looked at in another"


def test_one_standard_error_stays_at_the_learning_rate_of_the_minimum() -> None:
    """A weaker strength at a later learning rate is as good, and would be taken for a stronger one by its place."""
    tuned = everywhere(losses, {
        "x_lr=1_depth=flat": {"l2(0.001)": 0.3, "l2(0.01)": 0.301},
        "x_lr=10_depth=flat": {"l2(0.001)": 0.302},
    })  # fmt: skip
    tuning = choose(tuned, everywhere(accuracies, {}), swept("one_standard_error"))
    flat = tuning[(tuning["setting"] == "x_depth=flat") & (tuning["kind"] == "regularization")]
    assert marked(flat)["l2"] == "x_lr=1_depth=flat: l2(0.01)"


def test_unequal_budgets_are_refused() -> None:
    with pytest.raises(ConfigError, match="must try every method at the same number of strengths, to be tuned fairly"):
        study(regularizations=["none", L2, {"name": "dropout", "p": 0.5}])
