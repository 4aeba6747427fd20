"""Whether a clip is more than a smaller rate, and what is left at the best one: tables whose truth is known."""

import pandas as pd
import pytest

from study.analysis.questions.ranges import Range, change, usable
from study.report.questions.clips import should_clip
from study.report.questions.ranges import widens
from study.report.questions.rates import smaller_rate, survives

from .tables import SEEDS, answer, regimes, runs, tuning

RATES = regimes(*((f"x_lr={rate:g}", "x", "optimizer.lr", rate) for rate in (0.1, 1.0, 10.0)))


def swept(free: tuple[float, ...], clipped: tuple[float, ...]) -> pd.DataFrame:
    names = list(RATES["regime"])
    return runs(*((name, clip, "none", mean) for clip, means in (("none", free), ("global_norm(1)", clipped))
                  for name, mean in zip(names, means, strict=True)))  # fmt: skip


@pytest.mark.parametrize(
    ("clipped", "start", "row"),
    [
        ((0.9, 0.9, 0.9), "Yes. In 1 case (clip × sweep), the range was widened in 1", "widens"),
        ((0.5, 0.9, 0.9), "No. In 1 case (clip × sweep), the range was shifted in 1", "shifts"),
        ((0.5, 0.9, 0.2), "No. In 1 case (clip × sweep), the range was narrowed in 1", "narrows"),
        ((0.9, 0.9, 0.2), "No. In 1 case (clip × sweep), the range was unchanged in 1", "unchanged"),
    ],
)
def test_the_usable_rates_with_a_clip(clipped: tuple[float, ...], start: str, row: str) -> None:
    tables = {"runs": swept((0.9, 0.9, 0.2), clipped), "regimes": RATES}
    found = answer(widens, tables)
    assert found.short.startswith(start)
    assert found.rows[0]["usable"] == "0.1, 1"
    assert found.rows[1]["against the baseline"] == row
    assert usable(tables) == {"x_lr=0.1", "x_lr=1"}


def test_a_range_that_hangs_on_an_undecided_rate_is_undecided() -> None:
    free, some = Range(frozenset({0, 1}), frozenset()), frozenset({0, 1})
    assert change(free, Range(some, frozenset({2}))) == "undecided"
    assert change(free, Range(some | {2}, frozenset({3}))) == "widens"
    assert (
        answer(
            widens, {"runs": swept((0.1, 0.1, 0.1), (0.9, 0.9, 0.9)).assign(status="diverged"), "regimes": RATES}
        ).rows
        == []
    )


@pytest.mark.parametrize(
    ("clipped", "start"),
    [
        (0.85, "Yes"),
        (0.80, "No, an unclipped run of nearly equal step (within a factor of 1.3) does as well"),
        (0.75, "No, it did worse"),
    ],
)
def test_a_clip_is_held_against_the_equal_step_in_nets_of_the_same_depth(clipped: float, start: str) -> None:
    points = [(f"x_lr={rate:g}_depth={depth}", rate, depth) for rate in (0.1, 1.0) for depth in (1, 4)]
    table = pd.concat([regimes(*((name, "x", "optimizer.lr", rate) for name, rate, _ in points)),
                       regimes(*((name, "x", "depth", depth) for name, _, depth in points))])  # fmt: skip
    free = [(name, "none", "none", 0.8 if depth == 4 else 0.9) for name, _, depth in points]
    own = runs(*free, ("x_lr=1_depth=4", "global_norm(0.2)", "none", clipped))
    found = answer(smaller_rate, {"runs": own, "regimes": table})
    (row,) = found.rows
    assert (row["regime"], row["step left"], row["nearest rate, no clip"], row["ratio"]) == (
        "*x, learning rate 1, depth 4*", "0.1", "0.1", "1"
    )  # fmt: skip
    assert found.short.startswith(start)
    far = answer(smaller_rate, {"runs": own.assign(norm_median=1.0), "regimes": table})
    assert far.rows == []
    assert "1 pair is left out" in far.words


def test_an_equal_step_that_does_not_work_is_counted_apart() -> None:
    table = swept((0.9, 0.2, 0.2), (0.9, 0.9, 0.9)).assign(norm_median=10.0)
    found = answer(smaller_rate, {"runs": table, "regimes": RATES})
    assert found.short == (
        "No, an unclipped run of nearly equal step (within a factor of 1.3) does as well: better in 0 and worse in 0 of"
        " 1 comparison, by"
        " test accuracy. Where the nearly equal step does not work without a clip, the clip did better in 1"
        " (clip to norm 1 in *x, learning rate 10*) and worse in 0 of 1 comparison."
    )


RATE_KINDS = [("x", "clip", "global_norm", "x_lr=1", "global_norm(1)"), ("x", "clip", "none", "x_lr=0.1", "none"),
              ("x", "regularization", "dropout", "x_lr=0.1", "dropout(0.5)"),
              ("x", "regularization", "none", "x_lr=0.1", "none"),
              ("x", "clip", "value", "x_lr=0.1", "none")]  # fmt: skip


def test_what_survives_is_said_for_each_metric() -> None:
    table = runs(
        ("x_lr=0.1", "none", "none", 0.9, 0.5),
        ("x_lr=1", "global_norm(1)", "none", 0.8, 0.5),
        ("x_lr=0.1", "none", "dropout(0.5)", 0.9, 0.3),
    )
    found = answer(survives, {"runs": table, "tuning": tuning(*RATE_KINDS, candidates=3), "regimes": RATES})
    assert found.short == (
        "Chosen by validation loss or by validation accuracy, in test accuracy: no, nothing did better and something"
        " did worse; in test loss: some of it (dropout in *x*)."
    )
    assert found.words.startswith("By validation loss, tuning chose the baseline over value in *x*.")
    assert "By test loss: 1 better (dropout in *x*: −0.2" in found.words
    assert answer(survives, {"runs": table, "tuning": tuning(*RATE_KINDS), "regimes": regimes()}).rows == [], (
        "no rate was tuned"
    )


def test_what_is_undecided_does_not_count_as_not_surviving() -> None:
    table = runs(("x_lr=0.1", "none", "none", 0.9), ("x_lr=1", "global_norm(1)", "none", 0.9))
    noisy = table["clip"] != "none"
    swing = [0.05 * (-1) ** seed for seed in range(SEEDS)]
    for column in ("test_accuracy", "test_loss"):
        table.loc[noisy, column] += swing
    found = answer(survives, {"runs": table, "tuning": tuning(*RATE_KINDS[:2], candidates=3), "regimes": RATES})
    assert found.short == (
        "Chosen by validation loss or by validation accuracy, in test accuracy and in test loss: undecided."
    )


def test_what_survives_may_depend_on_what_is_tuned_for() -> None:
    """By loss tuning chooses none; by accuracy it chooses the clip, which is more often right and less sure of it."""
    table = runs(("x_lr=0.1", "none", "none", 0.9, 0.3), ("x_lr=1", "global_norm(1)", "none", 0.95, 0.4))
    keys = {"setting": "x", "kind": "clip", "validation_loss": 0.0}
    choices = pd.DataFrame(
        [
            {**keys, "method": method, "regime": regime, "label": label, "chosen": loss, "chosen_by_accuracy": accuracy}
            for method, regime, label, loss, accuracy in (
                ("none", "x_lr=0.1", "none", True, True),
                ("none", "x_lr=1", "none", False, False),
                ("global_norm", "x_lr=0.1", "none", True, False),
                ("global_norm", "x_lr=1", "global_norm(1)", False, True),
            )
        ]
    )
    tables = {"runs": table, "tuning": choices, "regimes": RATES}
    assert answer(survives, tables).short == (
        "It depends on what is tuned for. Chosen by validation loss, in test accuracy and in test loss: nothing to"
        " compare, tuning chose no method. Chosen by validation accuracy, in test accuracy: yes, every method"
        " chosen did better; in test loss: no, every method chosen did worse."
    )
    assert [row["by validation"] for row in answer(survives, tables).rows] == ["loss", "accuracy"]
    assert answer(should_clip, tables).short.startswith(
        "With the learning rate tuned too, tuning by validation loss chose a clip in none of 1 case. Tuning by"
        " validation accuracy chose a clip in 1 of 1 case (+5.0 points): by test accuracy it did better than the"
        " baseline, by test loss it did worse than the baseline."
    )
