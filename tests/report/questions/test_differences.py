"""One rule says of two cells which is better, or that nothing is compared; the words say no more than that."""

from io import StringIO

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.analysis import questions
from study.analysis.questions.differences import Case, between, conclusion, difference, differences, judged
from study.analysis.questions.numbers import ANSWERS, Number, from_table, to_table
from study.analysis.statistics import bca_interval
from study.methods.labels import Cell
from study.report.questions import QUESTIONS, answers
from study.report.questions.base import place
from study.report.questions.differences import Both, columns, sized, tally, text

from .tables import regimes, runs

UP, DOWN, NONE = [1.9, 2.0, 2.1, 2.2, 2.0, 2.3], [-1.9, -2.0, -2.1, -2.2, -2.0, -2.3], [0.1, -0.1, 0.0, 0.1, 0.0, 0.1]
OPEN = [5.0, -4.0, 3.0, -3.0, 4.0, -5.0]
OWN, FREE = Cell("a", "c"), Cell("a")


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
    assert judged(difference(values, metric)).verdict == verdict


def test_an_interval_is_that_of_all_who_print_the_same_contrast() -> None:
    expected = bca_interval(UP, np.random.default_rng(len(UP)))
    found = difference(UP, "test_accuracy")
    assert (found.low, found.high) == (expected.low, expected.high)


def test_what_is_no_comparison_decides_nothing() -> None:
    table = runs(("a", "none", "none", 0.9), ("a", "c", "none", 0.1), failed=(("a", "none"), ("a", "c")))
    clip = table["clip"] == "c"
    itself = between(table, Case(FREE, FREE))
    assert (itself.verdict, text(itself), sized(itself)) == ("same cell", "same cell", "same cell")
    assert between(table, Case(OWN, FREE)).verdict == "both fail"
    trains = table.assign(status=table["status"].mask(clip, "ok"))
    lost = trains.assign(test_accuracy=table["test_accuracy"].mask(clip))
    assert between(lost, Case(OWN, FREE)).verdict == "no pairs"
    *_, accuracy, loss = differences(table, [Case(FREE, FREE), Case(OWN, FREE)])
    assert (accuracy.verdict, loss.verdict, accuracy.n) == ("nothing", "nothing", 0)
    assert tally([("a", itself)]) == "nothing to compare"
    rescued = trains.assign(test_accuracy=table["test_accuracy"].mask(clip, table["test_accuracy"] + 0.5))
    assert between(rescued, Case(OWN, FREE)).verdict not in ("both fail", "no pairs")


def test_pairs_without_a_number_are_counted() -> None:
    table = runs(("a", "none", "none", 0.9), ("a", "c", "none", 0.8))
    lost = (table["clip"] == "c") & (table["seed"] < 2)
    found = between(table.assign(test_accuracy=table["test_accuracy"].mask(lost)), Case(OWN, FREE))
    assert (found.n, found.n_undefined) == (6, 2)
    assert text(found).endswith("(2 of 8 seeds undefined)")


@pytest.mark.parametrize(
    ("several", "word"),
    [([UP, UP], "better"), ([UP, DOWN], "mixed"), ([UP, NONE], "some better"), ([DOWN, OPEN], "some worse"),
     ([NONE, OPEN], "open"), ([OPEN], "undecided"), ([NONE], "same"), ([], "nothing")],
)  # fmt: skip
def test_a_conclusion_says_no_more_than_its_differences(several: list[list[float]], word: str) -> None:
    assert conclusion(judged(difference(one, "test_accuracy")).verdict for one in several) == word


def test_metrics_that_disagree_are_told_apart() -> None:
    table = runs(("a", "none", "none", 0.8, 0.5), ("a", "c", "none", 0.9, 0.9))
    numbers = list(differences(table, [Case(OWN, FREE)]))
    both = Both.of(numbers, {0: "c"})
    words = {"better": "yes", "worse": "no"}
    assert both.lead(words) == "By test accuracy: yes. By test loss: no."
    assert both.phrase(words) == "by test accuracy yes, by test loss no"
    assert str(columns(numbers[:2])["accuracy (points)"]).startswith("+")
    assert "1 better (c: +" in both.tallies
    assert "1 worse (c: +0.4" in both.tallies


def test_regimes_are_named_for_readers() -> None:
    named = {"regimes": pd.concat([
        regimes(("x_lr=0.1", "x", "optimizer.lr", 0.1), ("x_lr=1", "x", "optimizer.lr", 1.0), setting="x"),
        regimes(("o_optimizer=adam", "o", "optimizer", "adam")),
        regimes(("n_train_size=55000", "n", "data.train_size", 55000)),
        regimes(("alone", "", "", "")),
    ])}  # fmt: skip
    assert place(named, "x_lr=1") == "*x, learning rate 1*"
    assert place(named, "x") == "*x*", "what is tuned along is no part of a setting's name"
    assert place(named, "o_optimizer=adam") == "*o, optimizer adam*"
    assert place(named, "n_train_size=55000") == "*n, training digits 55000*"
    assert place(named, "alone") == "*alone*"


def test_nothing_is_answered_from_a_study_that_asks_nothing() -> None:
    tables = {"runs": runs(("a", "none", "none", 0.9)), "regimes": regimes()}
    assert answers({**tables, "answers": questions.answers("study", tables)}) == []
    assert len(QUESTIONS) == 15
    assert {one.__name__ for one in QUESTIONS} == set(questions.QUESTIONS) - {"tuned"}, "that is for the summary"


NUMBERS = st.builds(
    Number,
    metric=st.sampled_from(["test_accuracy", "regret"]),
    **dict.fromkeys(("estimate", "low", "high", "p"), st.floats(allow_infinity=False)),
    **dict.fromkeys(("n", "n_undefined", "item"), st.none() | st.integers(0, 99)),
    **dict.fromkeys(("verdict", "part", "by", "setting", "method"), st.sampled_from(["", "none", "nan", "a b, c"])),
    **dict.fromkeys(("own", "baseline"), st.builds(Cell, *[st.sampled_from(["", "none", "l2(0.1) + l1(1)"])] * 3)),
)


@given(st.lists(NUMBERS, max_size=4))
def test_numbers_come_back_from_their_table_as_they_were(numbers: list[Number]) -> None:
    table = to_table("study", {"question": numbers})
    assert list(table) == list(ANSWERS)
    read = pd.read_csv(StringIO(table.to_csv(index=False)), keep_default_na=False, na_values=[""],
                       float_precision="round_trip")  # fmt: skip
    assert repr(from_table(read).get("question", [])) == repr(numbers)
