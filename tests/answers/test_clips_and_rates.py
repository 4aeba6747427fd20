"""Whether to clip, with which clip, at which threshold and rate: from tables whose truth is known."""

import pandas as pd
import pytest

from study.answers.clips import should_clip, which_clip
from study.answers.orders import before_or_after, per_tensor
from study.answers.ranges import Range, change, usable, widens
from study.answers.rates import smaller_rate, survives
from study.answers.thresholds import how_often, which_threshold

from .tables import SEEDS, regimes, runs, tuning

CLIP, NONE = ("a", "clip", "global_norm", "a", "global_norm(1)"), ("a", "clip", "none", "a", "none")


@pytest.mark.parametrize(
    ("mean", "words"),
    [(0.95, "it did better than none"), (0.85, "it did worse than none"), (0.9, "no difference that matters")],
)
def test_whether_to_clip_is_said_at_the_rate_that_was_given(mean: float, words: str) -> None:
    table = runs(("a", "none", "none", 0.9), ("a", "global_norm(1)", "none", mean))
    answer = should_clip({"runs": table, "tuning": tuning(CLIP, NONE)})
    start = "Where the learning rate was given, tuning by validation loss chose a clip in 1 of 1 case (`a`), "
    assert answer.short.startswith(start)
    assert answer.short.endswith("Chosen by validation accuracy, the same.")
    assert words in answer.short
    assert "its own learning rate" not in answer.short
    assert "fail" not in answer.short


def test_where_tuning_chose_none_nothing_is_decided_about_clipping() -> None:
    chosen = tuning(("a", "clip", "global_norm", "a", "none"), NONE)
    answer = should_clip({"runs": runs(("a", "none", "none", 0.9)), "tuning": chosen})
    assert answer.short == (
        "Where the learning rate was given, tuning by validation loss chose none in 1 of 1 case (`a`). Chosen by"
        " validation accuracy, the same."
    )
    assert "none was chosen for 1 (`global_norm` in `a`)" in answer.words
    assert answer.rows[0]["accuracy (points)"] == "same cell"


def test_a_rescue_is_named_where_training_fails_without_a_clip() -> None:
    table = runs(
        ("a", "none", "none", 0.9), ("a", "global_norm(1)", "none", 0.9), ("b", "none", "none", 0.1),
        ("b", "global_norm(1)", "none", 0.9), ("c", "none", "none", 0.1), ("c", "value(1)", "none", 0.1),
        ("c", "sign(1)", "none", 0.9), ("d", "none", "none", 0.9), ("d", "value(1)", "none", 0.1),
        failed=(("b", "none"), ("c", "none"), ("c", "value(1)"), ("d", "value(1)")),
    )  # fmt: skip
    answer = should_clip({"runs": table, "tuning": tuning(CLIP, NONE)})
    assert answer.short.endswith(
        "Where runs fail without a clip, in 1 of 2 such regimes one made all train; where all train without a clip, in"
        " 1 of 2 such regimes one made runs fail."
    )
    assert (
        "all runs train, some of which fail without, in `b` (`global_norm(1)`). Some or all runs failed with every"
        in (answer.words)
    )
    assert "too in `c`. A clip made runs fail, all of which train without, in `d` (`value(1)`)." in answer.words
    assert "sign" not in answer.words, "a step of a given length is no bound"


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.8, "all others are worse"), (0.95, "all others are better"), (0.9, "the others are as good")],
)
def test_which_clip_holds_the_first_against_the_others(value: float, words: str) -> None:
    table = runs(("a", "global_norm(1)", "none", 0.9), ("a", "value(1)", "none", value))
    chosen = tuning(CLIP, ("a", "clip", "value", "a", "value(1)"), NONE)
    answer = which_clip({"runs": table, "tuning": chosen})
    assert answer.short.startswith("In `a`, `global_norm(1)` has the smallest validation loss; ")
    assert words in answer.short
    assert which_clip({"runs": table, "tuning": tuning(CLIP, NONE)}).rows == [], "one clip is no choice"
    none = tuning(("a", "clip", "global_norm", "a", "none"), ("a", "clip", "value", "a", "none"), NONE)
    assert which_clip({"runs": table, "tuning": none}).short == "In `a`, none: tuning chose no clip."


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
    assert answer.short == (
        "A multiple of the median is a first guess: the chosen thresholds lie at 0.50 to 0.56 times the median norm"
        " without a clip."
    )
    assert answer.words.startswith("In 3 of 4 settings in which `global_norm` was tuned, a threshold was chosen.")
    assert "from 20 % to 30 %: one percentile predicts it" in answer.words
    apart = which_threshold({**tables, "thresholds": thresholds((0.1, 1.0, 0.0), (2.0, 1.0, 0.9), (1.0, 1.0, 0.5))})
    assert apart.short.startswith("It has to be searched for")
    assert apart.short.endswith("no percentile predicts it.")
    assert "no one percentile predicts it" in apart.words
    below = which_threshold({**tables, "thresholds": thresholds((0.1, 1.0, 0.0), (2.0, 4.0, 0.05), (1.0, 4.0, 0.01))})
    assert "from 0 % to 5 %: it lies below nearly all of them" in below.words


def test_one_setting_has_its_threshold_and_makes_no_rule() -> None:
    chosen = tuning(("s0", "clip", "global_norm", "s0", "global_norm(1)"))
    answer = which_threshold({"tuning": chosen, "thresholds": thresholds((1.0, 2.0, 0.3))})
    assert answer.short == (
        "Tuning chose `global_norm(1)` in `s0`, 0.50 times the median norm without a clip. Whether that multiple or"
        " percentile holds elsewhere cannot be told from 1 setting."
    )


def test_no_threshold_is_right_where_tuning_chose_none() -> None:
    answer = which_threshold({"tuning": tuning(("s0", "clip", "global_norm", "s0", "none"))})
    assert answer.short == "None: wherever `global_norm` was tuned, tuning chose no clip."
    assert [row["chosen"] for row in answer.rows] == ["`none`"]
    assert which_threshold({}).rows == []


def fired(rate: float, gain: float, regime: str, base: float = 0.8) -> pd.DataFrame:
    table = runs((regime, "none", "none", base), (regime, "value(1)", "none", base + gain))
    return table.assign(clip_rate=rate)


def test_how_often_is_said_by_rates_that_do_not_overlap() -> None:
    table = pd.concat([fired(0.0, 0.0, "a"), fired(0.3, 0.1, "b"), fired(0.7, -0.1, "c"), fired(1.0, 0.1, "d")])
    answer = how_often({"runs": table, "regimes": regimes()})
    assert answer.short == (
        "By rate: where training works without a clip, clips that fire in 1 % to 50 % and 99 % and more of the steps"
        " gained where they differ at all; clips that fire in 50 % to 99 % of the steps lost where they differ at all;"
        " clips that fire in under 1 % of the steps made no difference that was shown."
    )
    assert [row["fires in"] for row in answer.rows] == ["under 1 %", "1 % to 50 %", "50 % to 99 %", "99 % and more"]
    for row in answer.rows:
        assert sum(row[word] for word in ("better", "worse", "the same", "undecided")) == row["clips × regimes"]
    mixed = how_often({"runs": pd.concat([table, fired(1.0, -0.1, "e")]), "regimes": regimes()})
    assert mixed.short.startswith("The rate of firing does not settle it")
    assert "99 % and more of the steps now gained, now lost" in mixed.short


def test_how_often_keeps_rescues_apart() -> None:
    table = pd.concat([fired(0.3, 0.0, "a"), fired(0.3, 0.6, "b", base=0.2)])
    failing = (table["regime"] == "b") & (table["clip"] == "none")
    answer = how_often(
        {"runs": table.assign(status=failing.map({True: "diverged", False: "ok"})), "regimes": regimes()}
    )
    assert [(row["training"], row["better"], row["the same"]) for row in answer.rows] == [
        ("works without a clip", 0, 1), ("does not work without a clip", 1, 0)
    ]  # fmt: skip
    nothing = how_often({"runs": table[table["regime"] == "b"].assign(status="diverged"), "regimes": regimes()})
    assert nothing.rows == []


RATES = regimes(*((f"x_lr={rate:g}", "x", "optimizer.lr", rate) for rate in (0.1, 1.0, 10.0)))


def swept(free: tuple[float, ...], clipped: tuple[float, ...]) -> pd.DataFrame:
    names = list(RATES["regime"])
    return runs(*((name, clip, "none", mean) for clip, means in (("none", free), ("global_norm(1)", clipped))
                  for name, mean in zip(names, means, strict=True)))  # fmt: skip


@pytest.mark.parametrize(
    ("clipped", "start", "row"),
    [
        ((0.9, 0.9, 0.9), "Yes: the range is widened in 1", "widens"),
        ((0.5, 0.9, 0.9), "No: the range is shifted in 1", "shifts"),
        ((0.5, 0.9, 0.2), "No: the range is narrowed in 1", "narrows"),
        ((0.9, 0.9, 0.2), "No: the range is unchanged in 1", "unchanged"),
    ],
)
def test_the_usable_rates_with_a_clip(clipped: tuple[float, ...], start: str, row: str) -> None:
    tables = {"runs": swept((0.9, 0.9, 0.2), clipped), "regimes": RATES}
    answer = widens(tables)
    assert answer.short.startswith(start)
    assert answer.rows[0]["usable"] == "0.1, 1"
    assert answer.rows[1]["against none"] == row
    assert usable(tables) == {"x_lr=0.1", "x_lr=1"}


def test_a_range_that_hangs_on_an_undecided_rate_is_undecided() -> None:
    free, some = Range(frozenset({0, 1}), frozenset()), frozenset({0, 1})
    assert change(free, Range(some, frozenset({2}))) == "undecided"
    assert change(free, Range(some | {2}, frozenset({3}))) == "widens"
    assert (
        widens({"runs": swept((0.1, 0.1, 0.1), (0.9, 0.9, 0.9)).assign(status="diverged"), "regimes": RATES}).rows == []
    )


@pytest.mark.parametrize(
    ("clipped", "start"),
    [
        (0.85, "Yes"),
        (0.80, "No, a nearly equal step (within a factor of 1.3) does as well"),
        (0.75, "No, it did worse"),
    ],
)
def test_a_clip_is_held_against_the_equal_step_in_nets_of_the_same_depth(clipped: float, start: str) -> None:
    points = [(f"x_lr={rate:g}_depth={depth}", rate, depth) for rate in (0.1, 1.0) for depth in (1, 4)]
    table = pd.concat([regimes(*((name, "x", "optimizer.lr", rate) for name, rate, _ in points)),
                       regimes(*((name, "x", "depth", depth) for name, _, depth in points))])  # fmt: skip
    free = [(name, "none", "none", 0.8 if depth == 4 else 0.9) for name, _, depth in points]
    own = runs(*free, ("x_lr=1_depth=4", "global_norm(0.2)", "none", clipped))
    answer = smaller_rate({"runs": own, "regimes": table})
    (row,) = answer.rows
    assert (row["regime"], row["step left"], row["nearest rate, no clip"], row["ratio"]) == (
        "`x` at learning rate 1, depth 4", "0.1", "0.1", "1"
    )  # fmt: skip
    assert answer.short.startswith(start)
    far = smaller_rate({"runs": own.assign(norm_median=1.0), "regimes": table})
    assert far.rows == []
    assert "1 pair is left out" in far.words


def test_an_equal_step_that_does_not_work_is_counted_apart() -> None:
    table = swept((0.9, 0.2, 0.2), (0.9, 0.9, 0.9)).assign(norm_median=10.0)
    answer = smaller_rate({"runs": table, "regimes": RATES})
    assert answer.short == (
        "No, a nearly equal step (within a factor of 1.3) does as well: better in 0 and worse in 0 of 1 comparison, by"
        " test accuracy. Where the nearly equal step does not work without a clip, the clip did better in 1"
        " (`global_norm(1)` in `x` at learning rate 10) and worse in 0 of 1 comparison."
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
    answer = survives({"runs": table, "tuning": tuning(*RATE_KINDS, candidates=3), "regimes": RATES})
    assert answer.short == (
        "Chosen by validation loss or by validation accuracy, in test accuracy: no, nothing did better and something"
        " did worse; in test loss: some of it (`dropout` in `x`)."
    )
    assert answer.words.startswith("By validation loss, none was chosen for `value` in `x`.")
    assert "By test loss: 1 better (`dropout` in `x`, −0.2" in answer.words
    assert survives({"runs": table, "tuning": tuning(*RATE_KINDS), "regimes": regimes()}).rows == [], (
        "no rate was tuned"
    )


def test_what_is_undecided_does_not_count_as_not_surviving() -> None:
    table = runs(("x_lr=0.1", "none", "none", 0.9), ("x_lr=1", "global_norm(1)", "none", 0.9))
    noisy = table["clip"] != "none"
    swing = [0.05 * (-1) ** seed for seed in range(SEEDS)]
    for column in ("test_accuracy", "test_loss"):
        table.loc[noisy, column] += swing
    answer = survives({"runs": table, "tuning": tuning(*RATE_KINDS[:2], candidates=3), "regimes": RATES})
    assert answer.short == (
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
    assert survives(tables).short == (
        "It depends on what is tuned for. Chosen by validation loss, in test accuracy and in test loss: nothing to"
        " compare, tuning chose none. Chosen by validation accuracy, in test accuracy: yes, all that was chosen did; in"
        " test loss: no, all that was chosen did worse."
    )
    assert [row["by validation"] for row in survives(tables).rows] == ["loss", "accuracy"]
    assert should_clip(tables).short.startswith(
        "Where each had its own learning rate, tuning by validation loss chose none in 1 of 1 case (`x`). Chosen by"
        " validation accuracy, clip and none alike: a clip in 1 of 1 case (`x`), +5.0 points: it did better than none"
        " by test accuracy, it did worse than none by test loss."
    )


def test_steps_of_a_given_length_are_no_clips_that_fire() -> None:
    table = runs(("a", "none", "none", 0.8), ("a", "global_norm(1)", "none", 0.9), ("a", "sign(0.1)", "none", 0.2))
    (row,) = how_often({"runs": table}).rows
    assert (row["clips × regimes"], row["better"], row["worse"]) == (1, 1, 0)


@pytest.mark.parametrize(
    ("after", "words"),
    [(0.9, "it makes no difference"), (0.8, "the penalty in the loss"), (0.95, "decay after the clip did better")],
)
def test_decay_before_and_after_the_clip(after: float, words: str) -> None:
    clip = "global_norm(1)"
    table = runs(("a", clip, "none", 0.5), ("a", clip, "l2(0.01)", 0.9), ("a", clip, "weight_decay(0.01)", after))
    answer = before_or_after({"runs": table})
    assert answer.short.startswith(f"In the one case tried, {words}")
    assert answer.words.startswith("This rests on 1 regime, 1 clip and 1 strength")
    alone = before_or_after({"runs": table.assign(clip="none")})
    assert alone.short == "No clip meets both forms, so nothing can be said."


def test_decay_is_compared_at_the_best_strength_of_each_form_too() -> None:
    clip = "global_norm(1)"
    table = runs(("a", clip, "l2(0.01)", 0.9), ("a", clip, "weight_decay(0.01)", 0.8),
                 ("a", clip, "weight_decay(0.1)", 0.95))  # fmt: skip
    answer = before_or_after({"runs": table})
    assert [row["after the clip"] for row in answer.rows] == ["`weight_decay(0.01)`", "`weight_decay(0.1)`"]
    assert answer.short == "It depends on the setting."


@pytest.mark.parametrize(
    ("tensor", "words"), [(0.9, "no difference"), (0.95, "per tensor did better"), (0.85, "global did better")]
)
def test_per_tensor_against_global(tensor: float, words: str) -> None:
    chosen = tuning(CLIP, ("a", "clip", "layer_norm", "a", "layer_norm(1)"))
    table = runs(("a", "global_norm(1)", "none", 0.9), ("a", "layer_norm(1)", "none", tensor))
    answer = per_tensor({"runs": table, "tuning": chosen})
    assert answer.short.startswith(f"In the one setting compared (`a`): {words}")
    assert len(answer.rows) == 2


def test_per_tensor_depends_where_the_best_strengths_say_otherwise_than_the_chosen() -> None:
    chosen = tuning(CLIP, ("a", "clip", "layer_norm", "a", "layer_norm(1)"))
    chosen.loc[0, "chosen_by_accuracy"] = False
    better = {**chosen.iloc[0].to_dict(), "label": "global_norm(2)", "chosen": False, "chosen_by_accuracy": True}
    table = runs(("a", "global_norm(1)", "none", 0.8), ("a", "layer_norm(1)", "none", 0.9),
                 ("a", "global_norm(2)", "none", 0.95))  # fmt: skip
    answer = per_tensor({"runs": table, "tuning": pd.concat([chosen, pd.DataFrame([better])])})
    assert answer.short.startswith("In the one setting compared (`a`) it depends on how strengths are chosen.")
    assert "By validation loss: per tensor did better" in answer.short
    assert "By validation accuracy: global did better" in answer.short
