"""Answers to what users ask are numbers of the tables: each by hand, and none where the tables cannot tell."""

import pandas as pd

from study.answers import QUESTIONS, answers, before_or_after, dropout_with_l2, effective_step, which_threshold


def run(regime: str, clip: str = "none", regularization: str = "none", **columns: float) -> dict[str, object]:
    given = {"test_accuracy": 0.9, "gap_accuracy": 0.05, "norm_median": 2.0, "clip_rate": 0.0,
             "weight_zero": 0.0, "weight_small": 0.1, **columns}  # fmt: skip
    return {"regime": regime, "clip": clip, "regularization": regularization, "seed": 0, **given}


def regimes(*rates: tuple[str, float]) -> pd.DataFrame:
    rows = [{"regime": name, "axis": "optimizer.lr", "number": rate} for name, rate in rates]
    return pd.DataFrame(rows, columns=["regime", "axis", "number"])


def test_nothing_is_answered_from_a_study_that_asks_nothing() -> None:
    tables = {"runs": pd.DataFrame([run("a")]), "regimes": regimes()}
    assert answers(tables) == []
    assert len(QUESTIONS) > 5


def test_a_chosen_threshold_is_set_against_the_unclipped_norm() -> None:
    chosen = {"setting": "a", "kind": "clip", "method": "global_norm", "regime": "a", "regret": 0.01}
    tuning = pd.DataFrame(
        [
            {**chosen, "label": "global_norm(0.5)", "chosen": True},
            {**chosen, "label": "global_norm(0.1)", "chosen": False},
            {**chosen, "method": "value", "label": "value(0.1)", "chosen": True},
        ]
    )
    runs = pd.DataFrame([run("a"), run("a", "global_norm(0.5)", clip_rate=0.25)])
    (row,) = which_threshold({"runs": runs, "tuning": tuning}).rows
    assert row == {
        "setting": "a",
        "chosen": "`global_norm(0.5)`",
        "median norm unclipped": "2.0",
        "threshold / median": "0.25",
        "fires in": "25.0 %",
        "regret (points)": "1.0",
    }


def test_an_equal_step_is_looked_for_in_nets_of_the_same_depth() -> None:
    swept = regimes(*((f"x_lr={rate:g}_depth={depth}", rate) for rate in (0.1, 1.0) for depth in (1, 4)))
    runs = [run(name, test_accuracy=0.8 if name.endswith("4") else 0.9) for name in swept["regime"]]
    clipped = run("x_lr=1_depth=4", "global_norm(0.2)", test_accuracy=0.85)
    (row,) = effective_step({"runs": pd.DataFrame([*runs, clipped]), "regimes": swept}).rows
    assert (row["regime"], row["step left"], row["equal rate without"]) == ("x_lr=1_depth=4", "0.1", "0.1")
    assert (row["with"], row["without"]) == ("85.0 %", "80.0 %"), "depth 4 beside depth 4"


def test_penalties_before_and_after_the_clip_stand_side_by_side() -> None:
    labels = ("none", "l2(0.01)", "weight_decay(0.01)", "weight_decay(0.1)")
    runs = pd.DataFrame([run("a", "global_norm(1)", label) for label in labels])
    rows = before_or_after({"runs": runs}).rows
    assert [row["penalty"] for row in rows] == ["`l2(0.01)`", "`weight_decay(0.01)`"]


def test_dropout_with_l2_is_shown_beside_its_parts() -> None:
    both = "dropout(0.5) + l2(0.01)"
    runs = pd.DataFrame([run("a", regularization=label) for label in ("none", "dropout(0.5)", "l2(0.01)", both)])
    rows = dropout_with_l2({"runs": runs}).rows
    assert [row["regularization"] for row in rows] == ["`none`", "`dropout(0.5)`", "`l2(0.01)`", f"`{both}`"]
