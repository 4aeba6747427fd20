"""How to choose a strength, penalties, and whether it depends on data and net: from tables whose truth is known."""

import pandas as pd
import pytest

from study.analysis.questions.penalties import twins
from study.report.questions.dependence import on_data, on_net
from study.report.questions.penalties import dropout_with_l2, l1_zeros
from study.report.questions.strengths import choose_strength, loss_or_accuracy

from .tables import answer, grid, regimes, runs


def test_a_rule_of_choice_is_known_by_its_regret() -> None:
    # strengths from weak to strong: training prefers none, validation c(2), one standard error c(3)
    found = grid("a", "c", ("none", 0.9, 0.1, 0.80), ("c(1)", 0.8, 0.2, 0.85), ("c(2)", 0.5, 0.3, 0.88),
                 ("c(3)", 0.6, 0.4, 0.90), chosen="c(2)")  # fmt: skip
    found = answer(choose_strength, {"tuning": found})
    assert found.short == (
        "By validation accuracy; not by the training loss. Mean loss against the best strength on the test set,"
        " over 1 tuned case: 2.0 points and 0.040 nats by validation loss,"
        " 0 points and 0 nats by validation accuracy, 10.0 points and 0.20 nats by training loss. The"
        " rule of one standard error loses 0 points and 0 nats, less in accuracy and loss"
        " than the smallest validation loss."
    )
    assert "with 3 strengths each besides the baseline; a choice took 20 trainings." in found.words
    assert "No choice lies at an end" in found.words
    assert [row["mean regret (points)"] for row in found.rows] == ["2.0", "0", "0", "10.0", "2.3"]


def test_loss_and_accuracy_each_choose_best_for_themselves_and_kinds_are_told_apart() -> None:
    clip = grid("a", "c", ("none", 0.9, 0.1, 0.80), ("c(1)", 0.5, 0.3, 0.85), ("c(2)", 0.6, 0.4, 0.90), chosen="c(1)")
    clip = clip.assign(regret_loss=[0.3, 0.0, 0.1])
    others = [clip.assign(kind="regularization", method="l2", setting=setting) for setting in ("a", "b")]
    found = answer(choose_strength, {"tuning": pd.concat([clip, *others], ignore_index=True)})
    advice = (
        "For the loss choose by validation loss, for the accuracy by validation accuracy; not by the training loss."
    )
    assert found.short.startswith(f"{advice} Mean loss against the best strength on the test set, over ")
    over = [row["over"] for row in found.rows if row["rule"] == "largest validation accuracy"]
    assert over == ["all 3", "1 clip", "2 regularizers", "L2, 2 settings"]


def test_a_choice_by_training_loss_may_win() -> None:
    found = grid("a", "c", ("none", 0.1, 0.9, 0.5), ("c(1)", 0.9, 0.1, 0.9), chosen="none").assign(validation_se=0.0)
    found = answer(choose_strength, {"tuning": found})
    start = "By validation accuracy; by at least one measure, the training loss chose as well here."
    assert found.short.startswith(start)
    assert found.short.endswith("as much as the smallest validation loss.")
    assert answer(choose_strength, {}).rows == []


def test_edges_of_grids_are_named() -> None:
    found = grid("a", "c", ("none", 0.9, 0.1, 0.8), ("c(1)", 0.8, 0.2, 0.8), ("c(2)", 0.5, 0.3, 0.9), chosen="c(2)")
    edged = found.assign(edge=["", "", "strength: last"])
    words = answer(choose_strength, {"tuning": edged}).words
    assert "1 choice lies at an end of the grid, a grid of two, where every strength does" in words
    assert "c in *a* (strength: last)" in words
    single = answer(choose_strength, {"tuning": found.assign(edge=["", "", "strength: no grid"])}).words
    assert "1 choice has no grid, but one strength: c in *a*." in single
    assert "No choice lies at an end" in single


@pytest.mark.parametrize(
    ("second", "start"),
    [
        ((0.9, 0.8), "By the metric you care about"),  # more accurate and of a larger loss
        ((0.7, 0.8), ""),  # both choose the first
    ],
)
def test_loss_and_accuracy_as_selectors(second: tuple[float, float], start: str) -> None:
    table = runs(("a", "none", "none", 0.5, 0.9), ("a", "c(1)", "none", 0.8, 0.5), ("a", "c(2)", "none", *second))
    found = grid("a", "c", ("none", 0.9, 1, 0.5), ("c(1)", 0.5, 1, 0.8), ("c(2)", second[1], 1, second[0]),
                 chosen="c(1)")  # fmt: skip
    found = answer(loss_or_accuracy, {"runs": table, "tuning": found})
    assert bool(found.rows) == bool(start)
    assert found.short.startswith(start)


def test_selection_by_accuracy_may_lose_by_both() -> None:
    table = runs(("a", "c(1)", "none", 0.8, 0.5), ("a", "c(2)", "none", 0.7, 0.8))
    found = grid("a", "c", ("c(1)", 0.5, 1, 0.8), ("c(2)", 0.8, 1, 0.9), chosen="c(1)")
    found = answer(loss_or_accuracy, {"runs": table, "tuning": found})
    assert found.short.startswith("By loss: it did better by both measures")


def test_zeros_come_from_proximal_steps_or_the_words_say_otherwise() -> None:
    table = runs(("a", "none", "l1(0.1)", 0.9), ("a", "none", "l1_proximal(0.1)", 0.8))
    proximal = table["regularization"].str.startswith("l1_p")
    found = answer(l1_zeros, {"runs": table.assign(weight_zero=0.3 * proximal)})
    assert found.short == "Proximal steps made exact zeros, the other did not."
    assert "proximal steps at most 30.0 % (proximal L1, lambda 0.1)" in found.words
    assert "1 worse (proximal L1, lambda 0.1 against L1, lambda 0.1 in *a*: " in found.words
    assert answer(l1_zeros, {"runs": table.assign(weight_zero=0.3)}).short == "Both made exact zeros."
    assert answer(l1_zeros, {"runs": table}).short == "Neither made exact zeros at the strengths tried."
    assert (
        answer(l1_zeros, {"runs": table[~proximal]}).short
        == "Only the subgradient was tried, which made no exact zeros."
    )


def test_zeros_are_compared_at_the_best_strengths_too() -> None:
    table = runs(("a", "none", "l1(0.1)", 0.7), ("a", "none", "l1(0.01)", 0.9), ("a", "none", "l1_proximal(0.1)", 0.8))
    words = answer(l1_zeros, {"runs": table}).words
    assert "at equal strength, 1 pair. By test accuracy: 1 better" in words
    assert "At the best of 1 and 2 strengths each, by validation accuracy. By test accuracy: 1 worse" in words


@pytest.mark.parametrize(
    ("both", "words"),
    [(0.95, "together they did better"), (0.9, "adds nothing that matters"), (0.8, "they did worse")],
)
def test_dropout_with_l2_is_held_against_the_better_alone(both: float, words: str) -> None:
    cells = {"none": 0.7, "dropout(0.5)": 0.9, "l2(0.01)": 0.8, "dropout(0.5) + l2(0.01)": both}
    found = answer(dropout_with_l2, {"runs": runs(*(("a", "none", label, mean) for label, mean in cells.items()))})
    assert found.short.startswith("In 1 regime and with 1 pair of strengths, against the better one alone:")
    assert words in found.short
    assert {row["alone"] for row in found.rows} == {"dropout 0.5"}


def test_the_better_alone_may_stand_in_a_regime_of_the_same_training() -> None:
    own = runs(("a", "none", "none", 0.7), ("a", "none", "dropout(0.5)", 0.8),
               ("a", "none", "dropout(0.5) + l2(0.01)", 0.9))  # fmt: skip
    twin = pd.concat([own[own["regularization"] == "none"], runs(("b", "none", "dropout(0.7)", 0.95))])
    tables = {"runs": pd.concat([own, twin.assign(regime="b"), runs(("c", "none", "none", 0.6))])}
    assert twins(tables, "a") == ["a", "b"]
    found = answer(dropout_with_l2, tables)
    assert {(row["alone"], row["of"]) for row in found.rows} == {("dropout 0.7", 2)}
    assert "together they did worse" in found.short
    assert answer(dropout_with_l2, {"runs": own[own["regularization"] != "dropout(0.5)"]}).rows == []


SIZES = regimes(*((f"s_train_size={n}", "s", "data.train_size", float(n)) for n in (500, 8000)))


@pytest.mark.parametrize(
    ("gains", "start"),
    [
        ((-0.1, 0.1), "By training digits: yes; of 1 series (method × sweep), 1 reversed."),
        ((0.3, 0.1), "By training digits: yes; of 1 series (method × sweep), 1 different in size."),
        ((0.1, 0.1), "By training digits: not seen; of 1 series (method × sweep), 1 the same."),
    ],
)
def test_what_depends_on_the_data(gains: tuple[float, float], start: str) -> None:
    names = list(SIZES["regime"])
    cells = [(name, clip, "none", 0.5 + (gain if clip == "c" else 0)) for name, gain in zip(names, gains, strict=True)
             for clip in ("none", "c")]  # fmt: skip
    found = answer(on_data, {"runs": runs(*cells), "regimes": SIZES})
    assert found.short == start
    assert [row["regime"] for row in found.rows] == ["*s, training digits 500*", "*s, training digits 8000*"]
    assert answer(on_net, {"runs": runs(*cells), "regimes": SIZES}).rows == []


def test_what_neither_trains_does_not_depend_on_anything() -> None:
    points = regimes(("d_depth=1", "d", "depth", 1.0), ("d_depth=20", "d", "depth", 20.0))
    cells = [(name, clip, "none", 0.5) for name in points["regime"] for clip in ("none", "c")]
    failed = tuple(("d_depth=20", clip) for clip in ("none", "c"))
    found = answer(on_net, {"runs": runs(*cells, failed=failed), "regimes": points})
    assert found.short == "By depth: undecided; of 1 series (method × sweep), 1 not to be compared."
    assert "1 case is left out" in found.words
    assert len(found.rows) == 1
