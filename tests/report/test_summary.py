"""The summary answers first: which claims hold, what is gained at tuned strength, what a lower gap costs."""

import math

import pandas as pd
import pytest

from study.analysis.questions import QUESTIONS
from study.analysis.questions.numbers import to_table
from study.config.read import parse
from study.config.study import Study
from study.report.ranking import ranking_rows
from study.report.summary import summary_lines
from study.report.tuning import across_rows, edge_words, plan_rows, tuning_rows

from .questions.tables import regimes, runs


@pytest.fixture(scope="module")
def given() -> Study:
    sample = {"name": "mnist-sample", "train_size": 100, "validation_size": 50}
    l2 = {"name": "l2", "strength": {"grid": [0.01, 0.1]}}
    noisy = {"data": {**sample, "label_noise": 0.2}, "regularizations": ["none", l2], "tuning": {"seeds": 3}}
    rates = {
        "data": sample,
        "batch_size": 50,
        "sweep": {"optimizer.lr": [0.1, 1.0]},
        "clips": ["none", {"name": "global_norm", "max_norm": 0.1}],
        "tuning": {"folds": 2, "seeds": 2, "along": ["optimizer.lr"]},
    }
    return parse({"name": "summary", "regimes": {"noisy": noisy, "rates": rates}})


def tuned(setting: str, kind: str, label: str, estimate: float, p: float, gap: float) -> list[dict[str, object]]:
    row = {"setting": setting, "kind": kind, "method": label.split("(")[0], "label": label, "p_adjusted": p}
    return [
        {**row, "metric": "test_accuracy", "estimate": estimate, "low": estimate - 0.01, "high": estimate + 0.01},
        {
            **row,
            "metric": "gap_accuracy",
            "estimate": gap,
            "low": gap,
            "high": gap,
            "mean": 0.1 + gap,
            "baseline_mean": 0.1,
        },
    ]


def chosen_by_accuracy() -> pd.DataFrame:
    """By loss none everywhere; by accuracy the clip at the greater rate, and L2 where labels are wrong."""
    columns = ["setting", "kind", "method", "regime", "label", "chosen", "chosen_by_accuracy"]
    rows = [
        ("noisy", "regularization", "none", "noisy", "none", True, True),
        ("noisy", "regularization", "l2", "noisy", "l2(0.01)", True, True),
        ("rates", "clip", "none", "rates_lr=0.1", "none", True, True),
        ("rates", "clip", "none", "rates_lr=1", "none", False, False),
        ("rates", "clip", "global_norm", "rates_lr=0.1", "none", True, False),
        ("rates", "clip", "global_norm", "rates_lr=1", "global_norm(0.1)", False, True),
    ]
    return pd.DataFrame(rows, columns=columns)


def tables() -> dict[str, pd.DataFrame]:
    keys = {"regime": "noisy", "family": "regularization", "clip": "none", "p_adjusted": 0.01}
    lowered = [
        {**keys, "regularization": label, "metric": metric, "high": high}
        for label, gap, test in (("l2(0.01)", -0.1, 0.1), ("l2(0.1)", -0.2, -0.1))
        for metric, high in (("gap_accuracy", gap), ("test_accuracy", test))
    ]
    found = {
        "claims": pd.DataFrame({"claim": ["a", "a", "b", "c"], "statement": ["One.", "One.", "Two.", "Three."],
                                "verdict": ["supported", "supported", "undecided", "contradicted"],
                                "contrast_verdict": ["supported", "supported", "undecided", "contradicted"],
                                "against": ["", "", "", "too small"], "changed": ["so", "so", "", ""]}),
        "tuned": pd.DataFrame([*tuned("noisy", "regularization", "l2(0.01)", 0.05, 0.01, -0.1),
                               *tuned("rates", "clip", "global_norm(0.1)", -0.05, 0.01, 0.02)]),
        "tuning": chosen_by_accuracy(),
        "comparisons": pd.DataFrame(lowered),
        "runs": runs(("rates_lr=0.1", "none", "none", 0.8), ("rates_lr=1", "global_norm(0.1)", "none", 0.9),
                     ("noisy", "none", "none", 0.7), ("noisy", "none", "l2(0.01)", 0.6),
                     ("rates_lr=1", "value(1)", "none", math.nan), failed=(("rates_lr=1", "value(1)"),)),
        "regimes": regimes(*((f"rates_lr={lr:g}", "rates", "optimizer.lr", lr) for lr in (0.1, 1.0)), setting="rates"),
    }  # fmt: skip
    numbers = to_table("summary", {"tuned": QUESTIONS["tuned"](found)})
    return {**found, "answers": numbers}


def test_claims_gains_and_costs_come_in_this_order(given: Study) -> None:
    lines = summary_lines(given, tables())
    assert [line.split("**")[1].split(".")[0] for line in lines if "**" in line] == [
        "Claims",
        "A tuned regularizer, at the given learning rate",
        "With the learning rate tuned too",
        "Tuning used validation loss",
        "What a lower gap costs",
        "Divergence",
    ]
    assert "Of 3 claims: 1 supported, 1 contradicted, 1 undecided" in lines[0]
    verdicts = ["Supported: (1) One†.", "Contradicted: (1) Three (too small to matter).", "Undecided: (1) Two."]
    assert lines[1:4] == verdicts
    assert lines[4].startswith("† The rules of 1 claim were changed")
    gains, rates, accuracy, costs, diverged = lines[5:]
    assert (
        "a regularizer raised test accuracy in 0 of 1 case and lowered it in 1; in 0 no regularizer was chosen."
        in accuracy
    )
    assert "With the learning rate chosen too, clip to norm 0.1 in *rates*: +10.0 points [" in accuracy
    assert "in 1 of 1 setting with some wrong labels, and lowered it in 0; in 0, tuning chose no regularizer." in gains
    assert "L2, lambda 0.01 in *noisy*: +5.0 points [4.0, 6.0], gap −10.0" in gains
    assert "clip to norm 0.1 in *rates*: −5.0 points [−6.0, −4.0], gap +2.0" in rates
    assert "In 2 cases a clip or a regularizer, at some strength, lowered the accuracy gap" in costs
    assert "In 1 of them it lowered test accuracy too" in costs
    assert "8 of 40 runs diverged or stayed at chance, 8 of them without a finite accuracy at the end;" in diverged
    assert "by regime, most first: *rates* (8)." in diverged


def test_the_change_of_a_gap_is_not_told_where_both_are_below_zero(given: Study) -> None:
    below = tables()
    gaps = below["tuned"]["metric"] == "gap_accuracy"
    below["tuned"].loc[gaps, ["mean", "baseline_mean"]] = [-0.1, -0.2]
    text = "\n".join(summary_lines(given, below))
    assert "L2, lambda 0.01 in *noisy*: +5.0 points [4.0, 6.0], both gaps below zero" in text


def test_plans_name_settings_rules_and_candidates_of_each_kind(given: Study) -> None:
    noisy, rates = plan_rows(given)
    assert list(noisy.values()) == ["*noisy*", "hold-out validation", 3, "`minimum`", "", "", "2 and the baseline"]
    assert list(rates.values()) == [
        *("*rates*", "2-fold cross-validation", 2, "`minimum`", "learning rate (2 values)"),
        *("1 and the baseline, each at 2", ""),
    ]


def test_a_ranking_is_a_row_for_each_regime_and_kind() -> None:
    row = {"regime": "clean", "kind": "clip", "mean": 0.9, "rank": 1.0, "rank_low": 1.0, "rank_high": 1.0,
           "runs": 10, "diverged": 2}  # fmt: skip
    ranking = pd.DataFrame(
        [
            {**row, "place": 1, "label": "none", "p_best_adjusted": math.nan, "p_adjusted": math.nan, "estimate": 0.0},
            {**row, "place": 2, "label": "value(1)", "p_best_adjusted": 0.5, "p_adjusted": 0.5, "estimate": -0.1},
            {**row, "place": 3, "label": "value(3)", "p_best_adjusted": math.nan, "p_adjusted": math.nan,
             "estimate": math.nan, "diverged": 10},
            {**row, "place": 4, "label": "value(2)", "p_best_adjusted": 0.01, "p_adjusted": 0.01, "estimate": -0.2},
        ]
    )  # fmt: skip
    (found,) = ranking_rows(ranking, {"clean": "*clean*"})
    tied = "clip values at ±1; clip values at ±3 (every run failed)"
    assert list(found.values())[2:] == ["baseline", "90.0 %", "1.0 [1.0, 1.0]", tied, "0, 1"]


def test_a_tuning_is_told_in_words_and_its_method_once_as_in_a_configuration(given: Study) -> None:
    candidate = {"setting": "rates", "kind": "clip", "method": "global_norm", "edge": "", "regret": 0.01,
                 "regret_loss": 0.0, "best_on_test": False}  # fmt: skip
    tuning = pd.DataFrame(
        [
            {**candidate, "regime": "rates_lr=1", "label": "global_norm(0.1)", "chosen": True},
            {**candidate, "regime": "rates_lr=0.1", "label": "none", "chosen": False},
        ]
    )
    effect = {"setting": "rates", "kind": "clip", "method": "global_norm", "metric": "test_accuracy", "estimate": 0.1,
              "low": 0.1, "high": 0.1, "p_adjusted": 0.01, "superiority": math.nan}  # fmt: skip
    tuning["chosen_by_training"] = ~tuning["chosen"]
    ((setting, (choice,), (worth,)),) = tuning_rows(given, tuning, pd.DataFrame([effect]))
    assert setting == "*rates*"
    assert choice["method"] == "`global_norm`"
    assert choice["chosen"] == "clip to norm 0.1, learning rate 1"
    assert choice["by training loss"] == "no clip, learning rate 0.1"
    assert worth["tuned, against the baseline"] == "global norm"
    assert (
        edge_words("strength: last of 2; optimizer.lr: first of 2") == "strength: last of 2; learning rate: first of 2"
    )


def test_gains_across_settings_name_methods_and_settings_in_words() -> None:
    row = {"settings": 2, "regime": "noisy; rates", "method": "l1_proximal", "iqm": 0.1, "low": 0.1, "high": 0.1,
           "none_chosen": 0, "better": 2, "worse": 0}  # fmt: skip
    (found,) = across_rows(pd.DataFrame([row]), {"noisy": "*noisy*", "rates": "*rates*"})
    assert found["over"] == "2 settings (*noisy*; *rates*)"
    assert found["method"] == "proximal L1"
