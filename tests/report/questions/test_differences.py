"""One rule says of two cells which is better, or that nothing is compared."""

import numpy as np
import pandas as pd
import pytest

from study.analysis.statistics import bca_interval
from study.report.questions import QUESTIONS, answers
from study.report.questions.base import axis_name, place
from study.report.questions.differences import Both, Difference, conclusion, tally

from .tables import regimes, runs

UP, DOWN, NONE = [1.9, 2.0, 2.1, 2.2, 2.0, 2.3], [-1.9, -2.0, -2.1, -2.2, -2.0, -2.3], [0.1, -0.1, 0.0, 0.1, 0.0, 0.1]
OPEN = [5.0, -4.0, 3.0, -3.0, 4.0, -5.0]


@pytest.mark.parametrize(
    ("values", "metric", "verdict"),
    [
        (UP, "test_accuracy", "better"),
        (DOWN, "test_accuracy", "worse"),
        (UP, "test_loss", "worse"),
        (DOWN, "test_loss", "better"),
        (NONE, "test_accuracy", "same"),
        (NONE, "test_loss", "undecided"),  # a tenth of a nat would matter
        ([0.2, 0.3, 0.2, 0.3, 0.2, 0.3], "test_accuracy", "same"),  # above zero, and still nothing that matters
        (OPEN, "test_accuracy", "undecided"),
        (UP[:4], "test_accuracy", "undecided"),  # four seeds cannot reach p < .05
        ([2.0], "test_accuracy", "undecided"),
        ([0.0, 0.0, 0.0], "test_accuracy", "same"),
    ],
)
def test_a_difference_is_what_interval_and_test_say(values: list[float], metric: str, verdict: str) -> None:
    assert Difference(tuple(values), metric).verdict == verdict


def test_an_interval_is_that_of_all_who_print_the_same_contrast() -> None:
    expected = bca_interval(UP, np.random.default_rng(len(UP)))
    assert Difference(tuple(UP)).interval == (expected.low, expected.high)


def test_what_is_no_comparison_decides_nothing() -> None:
    table = runs(("a", "none", "none", 0.9), ("a", "c", "none", 0.1), failed=(("a", "none"), ("a", "c")))
    none, clip = table[table["clip"] == "none"], table[table["clip"] == "c"]
    itself = Difference.between(none, none)
    assert (itself.verdict, itself.text, itself.sized) == ("same cell", "same cell", "same cell")
    assert Difference.between(clip, none).verdict == "both fail"
    assert Difference.between(clip.assign(status="ok", test_accuracy=np.nan), none).verdict == "no pairs"
    assert conclusion([itself, Difference.between(clip, none)]) == "nothing"
    assert tally([("a", itself)]) == "nothing to compare"
    rescued = Difference.between(clip.assign(status="ok", test_accuracy=clip["test_accuracy"] + 0.5), none)
    assert rescued.compared


def test_pairs_without_a_number_are_counted() -> None:
    table = runs(("a", "none", "none", 0.9), ("a", "c", "none", 0.8))
    clip = table[table["clip"] == "c"]
    clip = clip.assign(test_accuracy=clip["test_accuracy"].where(clip["seed"] > 1))
    assert Difference.between(clip, table[table["clip"] == "none"]).text.endswith("(2 of 8 seeds undefined)")


@pytest.mark.parametrize(
    ("several", "word"),
    [([UP, UP], "better"), ([UP, DOWN], "mixed"), ([UP, NONE], "some better"), ([DOWN, OPEN], "some worse"),
     ([NONE, OPEN], "open"), ([OPEN], "undecided"), ([NONE], "same"), ([], "nothing")],
)  # fmt: skip
def test_a_conclusion_says_no_more_than_its_differences(several: list[list[float]], word: str) -> None:
    assert conclusion(Difference(tuple(one)) for one in several) == word


def test_metrics_that_disagree_are_told_apart() -> None:
    table = runs(("a", "none", "none", 0.8, 0.5), ("a", "c", "none", 0.9, 0.9))
    both = Both()
    columns = both.add("c", table[table["clip"] == "c"], table[table["clip"] == "none"])
    words = {"better": "yes", "worse": "no"}
    assert both.lead(words) == "By test accuracy: yes. By test loss: no."
    assert both.phrase(words) == "yes by test accuracy, no by test loss"
    assert columns["accuracy (points)"].startswith("+")
    assert "1 better (c, +" in both.tallies
    assert "1 worse (c, +0.4" in both.tallies


def test_regimes_are_named_for_readers() -> None:
    named = {"regimes": pd.concat([
        regimes(("x_lr=0.1", "x", "optimizer.lr", 0.1), ("x_lr=1", "x", "optimizer.lr", 1.0), setting="x"),
        regimes(("o_optimizer=adam", "o", "optimizer", "adam")),
        regimes(("n_train_size=55000", "n", "data.train_size", 55000)),
        regimes(("alone", "", "", "")),
    ])}  # fmt: skip
    assert place(named, "x_lr=1") == "`x` at learning rate 1"
    assert place(named, "x") == "`x`", "what is tuned along is no part of a setting's name"
    assert place(named, "o_optimizer=adam") == "`o` at optimizer adam"
    assert place(named, "n_train_size=55000") == "`n` at training size 55,000"
    assert place(named, "alone") == "`alone`"
    assert axis_name("data.label_noise") == "label noise"


def test_nothing_is_answered_from_a_study_that_asks_nothing() -> None:
    tables = {"runs": runs(("a", "none", "none", 0.9)), "regimes": regimes()}
    assert answers(tables) == []
    assert len({one(tables).question for one in QUESTIONS}) == len(QUESTIONS) == 15
