"""The summary answers first: which claims hold, what is gained at tuned strength, what a lower gap costs."""

import math

import pandas as pd
import pytest

from study.config import Study
from study.reading import parse
from study.standings import ranking_rows
from study.strengths import plan_rows
from study.summary import summary_lines


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
        {**row, "metric": "gap_accuracy", "estimate": gap, "low": gap, "high": gap},
    ]


def tables() -> dict[str, pd.DataFrame]:
    keys = {"regime": "noisy", "family": "regularization", "clip": "none", "p_adjusted": 0.01}
    lowered = [
        {**keys, "regularization": label, "metric": metric, "high": high}
        for label, gap, test in (("l2(0.01)", -0.1, 0.1), ("l2(0.1)", -0.2, -0.1))
        for metric, high in (("gap_accuracy", gap), ("test_accuracy", test))
    ]
    return {
        "claims": pd.DataFrame({"claim": ["a", "a", "b"], "verdict": ["supported", "supported", "undecided"],
                                "statement": ["One.", "One.", "Two."]}),
        "tuned": pd.DataFrame([*tuned("noisy", "regularization", "l2(0.01)", 0.05, 0.01, -0.1),
                               *tuned("rates", "clip", "global_norm(0.1)", -0.05, 0.01, 0.02)]),
        "tuning": pd.DataFrame({"setting": ["noisy", *2 * ["rates"]], "regime": ["noisy", "rates_lr=1", "rates_lr=2"]}),
        "comparisons": pd.DataFrame(lowered),
        "runs": pd.DataFrame({"regime": ["noisy", "rates_lr=1"], "status": ["ok", "diverged"]}),
    }  # fmt: skip


def test_claims_gains_and_costs_come_in_this_order(given: Study) -> None:
    lines = summary_lines(given, tables())
    assert [line.split("**")[1].split(".")[0] for line in lines if "**" in line] == [
        "Claims",
        "A regularizer at its tuned strength",
        "Tuned together with the learning rate or the like",
        "What a lower gap costs",
        "Divergence",
    ]
    assert "Of 2 claims 1 supported, 0 contradicted, 1 undecided" in lines[0]
    assert lines[1:3] == ["Supported: (1) One.", "Undecided: (1) Two."]
    gains, rates, costs, diverged = lines[3:]
    assert "in 1 of 1 setting with some wrong labels, lowered it in 0; in 0 none was chosen over each." in gains
    assert "`l2(0.01)` in `noisy` +5.0 points [4.0, 6.0], gap −10.0" in gains
    assert "`global_norm(0.1)` in `rates` −5.0 points [−6.0, −4.0], gap +2.0" in rates
    assert "Of 2 clips and regularizers that lowered the accuracy gap" in costs
    assert "1 lowered test accuracy too" in costs
    assert "1 of 2 runs diverged, most in `rates_lr` 1." in diverged


def test_plans_name_settings_rules_and_candidates_of_each_kind(given: Study) -> None:
    noisy, rates = plan_rows(given)
    assert list(noisy.values()) == ["`noisy`", "hold-out validation", 3, "`minimum`", "", "", "2 and none"]
    assert list(rates.values()) == [
        *("`rates`", "2-fold cross-validation", 2, "`minimum`", "optimizer.lr (2 values)"),
        *("1 and none, each at 2", ""),
    ]


def test_a_ranking_is_a_row_for_each_regime_and_kind() -> None:
    row = {"regime": "clean", "kind": "clip", "mean": 0.9, "rank": 1.0, "rank_low": 1.0, "rank_high": 1.0}
    ranking = pd.DataFrame(
        [
            {**row, "place": 1, "label": "none", "p_best_adjusted": math.nan, "p_adjusted": math.nan, "estimate": 0.0},
            {**row, "place": 2, "label": "value(1)", "p_best_adjusted": 0.5, "p_adjusted": 0.5, "estimate": -0.1},
            {**row, "place": 3, "label": "value(2)", "p_best_adjusted": 0.01, "p_adjusted": 0.01, "estimate": -0.2},
        ]
    )  # fmt: skip
    (found,) = ranking_rows(ranking)
    assert list(found.values())[2:] == ["`none`", "90.0 %", "1.0 [1.0, 1.0]", "`value(1)`", "0, 1"]
