"""Answers to what users ask are words made of the tables' numbers: each from tables whose truth is known."""

import numpy as np
import pandas as pd
import pytest

from study.answers import QUESTIONS, answers
from study.answers.base import Difference
from study.answers.orders import before_or_after, per_tensor
from study.answers.penalties import dropout_with_l2, l1_zeros
from study.answers.rates import smaller_rate, survives
from study.answers.thresholds import how_often, which_threshold

SEEDS = 8


def runs(*cells: tuple[str, str, str, float], **columns: float) -> pd.DataFrame:
    """Runs of cells (regime, clip, regularization, mean test accuracy), with luck by seed that all cells share."""
    rng = np.random.default_rng(1)
    luck, own = 0.02 * rng.standard_normal(SEEDS), 0.001 * rng.standard_normal((len(cells), SEEDS))
    defaults = {"gap_accuracy": 0.05, "norm_median": 2.0, "clip_rate": 0.5, "weight_zero": 0.0, "weight_small": 0.1}
    return pd.DataFrame(
        [
            {"regime": regime, "clip": clip, "regularization": other, "seed": seed, **defaults, **columns,
             "test_accuracy": mean + luck[seed] + own[cell, seed]}
            for cell, (regime, clip, other, mean) in enumerate(cells)
            for seed in range(SEEDS)
        ]
    )  # fmt: skip


def regimes(*rates: tuple[str, float]) -> pd.DataFrame:
    rows = [{"regime": name, "axis": "optimizer.lr", "number": rate} for name, rate in rates]
    return pd.DataFrame(rows, columns=["regime", "axis", "number"])


def tuning(*chosen: tuple[str, str, str, str, str], candidates: int = 1) -> pd.DataFrame:
    """What was chosen (setting, kind, method, regime, label), each at one of some learning rates."""
    keys = ("setting", "kind", "method", "regime", "label")
    rows = [{**dict(zip(keys, one, strict=True)), "chosen": True} for one in chosen]
    others = [{**row, "regime": f"other{n}", "chosen": False} for row in rows for n in range(1, candidates)]
    return pd.DataFrame(rows + others)


def test_nothing_is_answered_from_a_study_that_asks_nothing() -> None:
    assert answers({"runs": runs(("a", "none", "none", 0.9)), "regimes": regimes()}) == []
    assert len(QUESTIONS) == len({one({"runs": runs(("a", "none", "none", 0.9)), "regimes": regimes()}).question
                                  for one in QUESTIONS}) == 8  # fmt: skip


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([1.9, 2.0, 2.1, 2.2], "higher"),
        ([-1.9, -2.0, -2.1, -2.2], "lower"),
        ([0.1, -0.1, 0.0, 0.1], "same"),
        ([5.0, -4.0, 3.0, -3.0], "undecided"),
        ([0.0, 0.0, 0.0], "same"),
        ([2.0], "undecided"),
        ([], "undecided"),
    ],
)
def test_a_difference_is_what_its_interval_says(values: list[float], verdict: str) -> None:
    assert Difference(tuple(values)).verdict == verdict


def thresholds(*found: tuple[float, float, float]) -> pd.DataFrame:
    """Settings with a chosen threshold, the median norm without a clip, and the percentile."""
    return pd.DataFrame(
        [
            {"setting": f"s{n}", "method": "global_norm", "label": f"global_norm({c:g})", "threshold": c, "median": m,
             "percentile": p, "clip_rate": 0.25, "regret": 0.01}
            for n, (c, m, p) in enumerate(found)
        ]
    )  # fmt: skip


def test_thresholds_that_agree_in_the_median_are_predicted_by_it() -> None:
    chosen = tuning(*((f"s{n}", "clip", "global_norm", f"s{n}", "global_norm(1)") for n in range(4)))
    tables = {"tuning": chosen, "thresholds": thresholds((0.5, 1.0, 0.2), (1.0, 2.0, 0.3), (5.0, 9.0, 0.25))}
    answer = which_threshold(tables)
    assert answer.words.startswith("In 3 of the 4 settings in which `global_norm` was tuned a threshold was chosen")
    assert "0.50 to 0.56 times the median" in answer.words
    assert "less than a factor of 3 apart" in answer.words
    assert "from 20 % to 30 %: one percentile predicts it" in answer.words
    assert answer.rows[0]["percentile of the unclipped norm"] == "20 %"
    apart = which_threshold(
        {**tables, "thresholds": thresholds((0.1, 1.0, 0.0), (2.0, 1.0, 0.9), (1.0, 1.0, 0.5))}
    ).words
    assert "more than a factor of 3 apart" in apart
    assert "no one percentile predicts it" in apart
    below = which_threshold(
        {**tables, "thresholds": thresholds((0.1, 1.0, 0.0), (2.0, 4.0, 0.05), (1.0, 4.0, 0.01))}
    ).words
    assert "from 0 % to 5 %: it lies below nearly all of them, and a percentile does not say how far below" in below
    few = which_threshold({**tables, "thresholds": thresholds((1.0, 2.0, 0.3), (1.0, 2.0, 0.3))}).words
    assert few.endswith("0.50 times the median norm without a clip: so few settings make no rule.")


def test_how_often_names_the_rate_at_which_clips_gained_most() -> None:
    base = ("a", "none", "none", 0.8)
    rare = runs(base, ("a", "value(1)", "none", 0.801))
    rare.loc[rare["clip"] != "none", "clip_rate"] = 0.0
    often = runs(base, ("a", "value(0.1)", "none", 0.9), ("a", "value(0.01)", "none", 0.7)).query("clip != 'none'")
    answer = how_often({"runs": pd.concat([rare, often.assign(clip_rate=[0.3] * SEEDS + [1.0] * SEEDS)])})
    assert answer.words.startswith("Clips that fire in up to half of the steps gained most on average, +10")
    assert [row["fires"].split(" (")[0] for row in answer.rows] == [
        "hardly ever", "in up to half of the steps", "at nearly every step"
    ]  # fmt: skip
    assert (answer.rows[1]["higher"], answer.rows[2]["lower"]) == (1, 1)
    assert "decides little" not in answer.words
    mixed = how_often({"runs": pd.concat([rare, often.assign(clip_rate=0.3)])}).words
    assert "among those that fire in up to half of the steps some gained and some lost" in mixed


@pytest.mark.parametrize(("clipped", "start"), [(0.85, "Yes, mostly."), (0.80, "Not here"), (0.75, "Not here")])
def test_a_clip_is_held_against_the_equal_step_in_nets_of_the_same_depth(clipped: float, start: str) -> None:
    swept = regimes(*((f"x_lr={rate:g}_depth={depth}", rate) for rate in (0.1, 1.0) for depth in (1, 4)))
    free = [(name, "none", "none", 0.8 if name.endswith("4") else 0.9) for name in swept["regime"]]
    table = runs(*free, ("x_lr=1_depth=4", "global_norm(0.2)", "none", clipped))
    answer = smaller_rate({"runs": table, "regimes": swept})
    (row,) = answer.rows
    assert (row["regime"], row["step left"], row["equal rate without"]) == ("x_lr=1_depth=4", "0.1", "0.1")
    assert answer.words.startswith(start)
    assert f"{100 * (clipped - 0.8):+.0f}".strip("+-") in str(row["difference (points)"])


def test_what_survives_is_what_gains_at_each_ones_best_rate() -> None:
    kinds = [("clip", "global_norm", "x_lr=1", "global_norm(1)"), ("clip", "none", "x_lr=0.1", "none"),
             ("regularization", "dropout", "x_lr=0.1", "dropout(0.5)"),
             ("regularization", "none", "x_lr=0.1", "none")]  # fmt: skip
    chosen = tuning(*(("x", *kind) for kind in kinds), candidates=3)
    table = runs(
        ("x_lr=0.1", "none", "none", 0.9),
        ("x_lr=1", "global_norm(1)", "none", 0.9),
        ("x_lr=0.1", "none", "dropout(0.5)", 0.95),
    )
    answer = survives({"runs": table, "tuning": chosen})
    assert answer.words.startswith("Some of it.")
    assert "1 higher (`dropout` in x, +5." in answer.words or "1 higher (`dropout` in x, +4.9" in answer.words
    assert "1 the same within half a point (`global_norm` in x" in answer.words
    assert survives({"runs": table, "tuning": tuning(*(("x", *kind) for kind in kinds))}).rows == [], (
        "no rate was tuned"
    )


@pytest.mark.parametrize(
    ("after", "start"),
    [(0.9, "It makes no difference"), (0.8, "Clip them together"), (0.95, "Decay after the clip: it did better")],
)
def test_decay_before_and_after_the_clip(after: float, start: str) -> None:
    clip = "global_norm(1)"
    table = runs(
        ("a", clip, "none", 0.5),
        ("a", clip, "l2(0.01)", 0.9),
        ("a", clip, "weight_decay(0.01)", after),
        ("a", clip, "weight_decay(0.1)", 0.1),
    )
    answer = before_or_after({"runs": table})
    assert [row["penalty"] for row in answer.rows] == ["`l2(0.01)`"]
    assert answer.words.startswith(start)
    alone = before_or_after({"runs": table.assign(clip="none")})
    assert alone.words == "No clip meets both forms, so nothing can be said."


@pytest.mark.parametrize(("tensor", "start"), [(0.9, "No difference"), (0.95, "Per tensor"), (0.85, "Global did")])
def test_per_tensor_against_global(tensor: float, start: str) -> None:
    chosen = tuning(
        ("a", "clip", "global_norm", "a", "global_norm(1)"), ("a", "clip", "layer_norm", "a", "layer_norm(1)")
    )
    table = runs(("a", "global_norm(1)", "none", 0.9), ("a", "layer_norm(1)", "none", tensor))
    answer = per_tensor({"runs": table, "tuning": chosen})
    assert answer.words.startswith(start)
    assert len(answer.rows) == 1


def test_zeros_come_from_proximal_steps_or_the_words_say_otherwise() -> None:
    table = runs(("a", "none", "l1(0.1)", 0.9), ("a", "none", "l1_proximal(0.1)", 0.8))
    proximal = table["regularization"].str.startswith("l1_p")
    answer = l1_zeros({"runs": table.assign(weight_zero=0.3 * proximal)})
    assert answer.words.startswith("Proximal steps do, the other does not.")
    assert "proximal steps at most 30.0 % (`l1_proximal(0.1)`)" in answer.words
    assert "1 lower (`l1_proximal(0.1)` in a, " in answer.words
    assert l1_zeros({"runs": table.assign(weight_zero=0.3)}).words.startswith("Both make exact zeros.")
    assert l1_zeros({"runs": table}).words.startswith("Neither made zeros here.")
    assert l1_zeros({"runs": table[~proximal]}).words.startswith("Only one of them was tried.")


@pytest.mark.parametrize(("both", "start"), [(0.95, "Yes"), (0.9, "L2 or dropout"), (0.8, "No: together")])
def test_dropout_with_l2_is_held_against_the_better_alone(both: float, start: str) -> None:
    together = "dropout(0.5) + l2(0.01)"
    cells = {"none": 0.7, "dropout(0.5)": 0.9, "l2(0.01)": 0.8, together: both}
    answer = dropout_with_l2({"runs": runs(*(("a", "none", label, mean) for label, mean in cells.items()))})
    assert [row["regularization"] for row in answer.rows] == [f"`{label}`" for label in cells]
    assert answer.words.startswith(start)
    assert "against `dropout(0.5)` in a" in answer.words
