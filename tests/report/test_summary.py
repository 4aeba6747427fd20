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
from study.report.tuned_gains import gains_rows
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
        {**keys, "regularization": label, "metric": metric, "estimate": high, "low": high, "high": high}
        for label, gap, test in (("l2(0.01)", -0.1, 0.1), ("l2(0.1)", -0.2, -0.1))
        for metric, high in (("gap_accuracy", gap), ("test_accuracy", test), ("best_test_accuracy", test / 10))
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
        "Tuned regularizers, at the given learning rate",
        "With each run scored at the epoch of its smallest validation loss",
        "With the learning rate tuned too",
        "Tuning used validation loss",
        "What a lower gap costs",
        "Failed runs",
    ]
    assert "Of 3 claims: 1 supported, 1 contradicted, 1 undecided" in lines[0]
    assert lines[1].startswith("The rules of 1 claim were changed")
    gains, early, rates, accuracy, costs, diverged = lines[2:]
    assert gains == (
        "**Tuned regularizers, at the given learning rate**, raised test accuracy in 1 of 1 setting with some wrong"
        " labels, by 5.0 points at best; they lowered it in none."
    )
    assert early.endswith("this is left: 1 of 1 gain by regularizers (1.0 points).")
    assert rates.endswith("(*rates*), a clip raised test accuracy in 0 of 1 setting and lowered it in 1.")
    assert (
        "test accuracy was raised by a regularizer in 0 of 1 case; test accuracy was raised by a clip in 1 of 1 case"
        in (accuracy)
    )
    assert " case with the learning rate chosen too. It was lowered in 1. A case" in accuracy
    assert "In 2 cases a clip or a regularizer, at some strength, lowered the accuracy gap" in costs
    assert "In 1 of them it lowered test accuracy too" in costs
    assert diverged == (
        "**Failed runs.** 8 of 40 runs failed, 8 of them without a finite accuracy at the end: *rates* (8)."
    )


def test_the_best_of_each_setting_stands_in_a_table(given: Study) -> None:
    made, words = tables(), {"noisy": "*noisy*", "rates": "*rates*"}
    noisy, rates = gains_rows(made["tuned"], made["comparisons"], words)
    assert list(noisy.values()) == [
        "*noisy*", "1 regularizer", "L2, lambda 0.01", "+5.0 [4.0, 6.0]", "−10.0", "+1.0 [1.0, 1.0]", "1, 0",
    ]  # fmt: skip
    assert (rates["best method"], rates["at the best epoch"]) == ("clip to norm 0.1", "")
    below = made["tuned"].assign(mean=-0.1, baseline_mean=-0.2)
    assert gains_rows(below, made["comparisons"], words)[0]["accuracy gap"] == "both below zero"
    unchosen = made["tuned"].assign(label="none")
    assert gains_rows(unchosen, made["comparisons"], words)[1]["best method"] == "no clip was chosen"


def test_runs_that_collapsed_are_counted_where_a_workload_knows_of_it(given: Study) -> None:
    made = tables()
    made["runs"] = made["runs"].assign(collapsed=(made["runs"]["regime"] == "noisy").astype(float))
    assert summary_lines(given, made)[-1] == "**Collapsed runs** (see `docs/tables.md`). 16 of 40 runs: *noisy* (16)."


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
    assert list(found.values())[1:] == [
        "3 clips and the baseline", "baseline", "90.0 %", "1.0 [1.0, 1.0]", "clip values at ±1", 1, "0, 1",
    ]  # fmt: skip


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
