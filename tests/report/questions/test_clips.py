"""Whether to clip, with which clip, where and at which threshold: from tables whose truth is known."""

import pandas as pd
import pytest

from study.report.questions.clips import should_clip, which_clip
from study.report.questions.orders import before_or_after, per_tensor
from study.report.questions.thresholds import how_often, which_threshold

from .tables import answer, regimes, runs, tuning

CLIP, NONE = ("a", "clip", "global_norm", "a", "global_norm(1)"), ("a", "clip", "none", "a", "none")


@pytest.mark.parametrize(
    ("mean", "words"),
    [
        (0.95, "it did better than the baseline"),
        (0.85, "it did worse than the baseline"),
        (0.9, "no difference that matters"),
    ],
)
def test_whether_to_clip_is_said_at_the_rate_that_was_given(mean: float, words: str) -> None:
    table = runs(("a", "none", "none", 0.9), ("a", "global_norm(1)", "none", mean))
    found = answer(should_clip, {"runs": table, "tuning": tuning(CLIP, NONE)})
    start = "At the given learning rate, tuning by validation loss chose a clip in 1 of 1 case ("
    assert found.short.startswith(start)
    assert found.short.endswith("Tuning by validation accuracy chose the same.")
    assert words in found.short
    assert "its own learning rate" not in found.short
    assert "fail" not in found.short


def test_where_tuning_chose_none_nothing_is_decided_about_clipping() -> None:
    chosen = tuning(("a", "clip", "global_norm", "a", "none"), NONE)
    found = answer(should_clip, {"runs": runs(("a", "none", "none", 0.9)), "tuning": chosen})
    assert found.short == (
        "At the given learning rate, tuning by validation loss chose a clip in none of 1 case. Tuning by validation"
        " accuracy chose the same."
    )
    assert "no clip was chosen for 1 (global norm in *a*)" in found.words
    assert found.rows[0]["accuracy (points)"] == "same cell"


def test_a_rescue_is_named_where_training_fails_without_a_clip() -> None:
    table = runs(
        ("a", "none", "none", 0.9), ("a", "global_norm(1)", "none", 0.9), ("b", "none", "none", 0.1),
        ("b", "global_norm(1)", "none", 0.9), ("c", "none", "none", 0.1), ("c", "value(1)", "none", 0.1),
        ("c", "sign(1)", "none", 0.9), ("d", "none", "none", 0.9), ("d", "value(1)", "none", 0.1),
        failed=(("b", "none"), ("c", "none"), ("c", "value(1)"), ("d", "value(1)")),
    )  # fmt: skip
    found = answer(should_clip, {"runs": table, "tuning": tuning(CLIP, NONE)})
    assert found.short.endswith(
        "A clip made all runs train in 1 of 2 regimes where some fail without one; a clip made runs fail in 1 of 2"
        " regimes where all train without one."
    )
    assert "all runs train, where some fail without one, in *b* (clip to norm 1). With every clip some runs still" in (
        found.words
    )
    assert (
        "failed in *c*. A clip made runs fail, where all train without one, in *d* (clip values at ±1)." in found.words
    )
    assert "sign" not in found.words, "a step of a given length is no bound"


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.8, "all others are worse"), (0.95, "all others are better"), (0.9, "the others are as good")],
)
def test_which_clip_holds_the_first_against_the_others(value: float, words: str) -> None:
    table = runs(("a", "global_norm(1)", "none", 0.9), ("a", "value(1)", "none", value))
    chosen = tuning(CLIP, ("a", "clip", "value", "a", "value(1)"), NONE)
    found = answer(which_clip, {"runs": table, "tuning": chosen})
    assert found.short.startswith("In *a*, the smallest validation loss is that of clip to norm 1; ")
    assert words in found.short
    assert answer(which_clip, {"runs": table, "tuning": tuning(CLIP, NONE)}).rows == [], "one clip is no choice"
    none = tuning(("a", "clip", "global_norm", "a", "none"), ("a", "clip", "value", "a", "none"), NONE)
    assert answer(which_clip, {"runs": table, "tuning": none}).short == "In *a*, tuning chose no clip."


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
    found = answer(which_threshold, tables)
    assert found.short == (
        "A multiple of the median is a first guess: the chosen thresholds lie at 0.50 to 0.56 times the median norm"
        " without a clip."
    )
    assert found.words.startswith(
        "In 3 of 4 settings in which the clip to the global norm was tuned, a threshold was chosen."
    )
    assert "from 20 % to 30 %: one percentile predicts it" in found.words
    apart = answer(
        which_threshold, {**tables, "thresholds": thresholds((0.1, 1.0, 0.0), (2.0, 1.0, 0.9), (1.0, 1.0, 0.5))}
    )
    assert apart.short.startswith("It has to be searched for")
    assert apart.short.endswith("no percentile predicts it.")
    assert "no one percentile predicts it" in apart.words
    below = answer(
        which_threshold, {**tables, "thresholds": thresholds((0.1, 1.0, 0.0), (2.0, 4.0, 0.05), (1.0, 4.0, 0.01))}
    )
    assert "from 0 % to 5 %: it lies below nearly all of them" in below.words


def test_one_setting_has_its_threshold_and_makes_no_rule() -> None:
    chosen = tuning(("s0", "clip", "global_norm", "s0", "global_norm(1)"))
    found = answer(which_threshold, {"tuning": chosen, "thresholds": thresholds((1.0, 2.0, 0.3))})
    assert found.short == (
        "Tuning chose clip to norm 1 in *s0*, 0.50 times the median norm without a clip. Whether that multiple or"
        " percentile holds elsewhere cannot be told from 1 setting."
    )


def test_no_threshold_is_right_where_tuning_chose_none() -> None:
    found = answer(which_threshold, {"tuning": tuning(("s0", "clip", "global_norm", "s0", "none"))})
    assert found.short == "No threshold: wherever the clip to the global norm was tuned, tuning chose no clip."
    assert [row["chosen"] for row in found.rows] == ["no clip"]
    assert answer(which_threshold, {}).rows == []


def fired(rate: float, gain: float, regime: str, base: float = 0.8) -> pd.DataFrame:
    table = runs((regime, "none", "none", base), (regime, "value(1)", "none", base + gain))
    return table.assign(clip_rate=rate)


def test_how_often_is_said_by_rates_that_do_not_overlap() -> None:
    table = pd.concat([fired(0.0, 0.0, "a"), fired(0.3, 0.1, "b"), fired(0.7, -0.1, "c"), fired(1.0, 0.1, "d")])
    found = answer(how_often, {"runs": table, "regimes": regimes()})
    assert found.short == (
        "By rate: where training works without a clip, clips that fire in 1 % to 50 % and 99 % and more of the steps"
        " gained wherever a difference was shown; clips that fire in 50 % to 99 % of the steps lost wherever a"
        " difference was shown; clips that fire in under 1 % of the steps made no difference that matters."
    )
    assert [row["fires in"] for row in found.rows] == ["under 1 %", "1 % to 50 %", "50 % to 99 %", "99 % and more"]
    for row in found.rows:
        assert sum(row[word] for word in ("better", "worse", "the same", "undecided")) == row["clips × regimes"]
    mixed = answer(how_often, {"runs": pd.concat([table, fired(1.0, -0.1, "e")]), "regimes": regimes()})
    assert mixed.short.startswith("The rate of firing does not settle it")
    assert "99 % and more of the steps gained in some cases and lost in others" in mixed.short


def test_how_often_keeps_rescues_apart() -> None:
    table = pd.concat([fired(0.3, 0.0, "a"), fired(0.3, 0.6, "b", base=0.2)])
    failing = (table["regime"] == "b") & (table["clip"] == "none")
    found = answer(
        how_often, {"runs": table.assign(status=failing.map({True: "diverged", False: "ok"})), "regimes": regimes()}
    )
    assert [(row["training"], row["better"], row["the same"]) for row in found.rows] == [
        ("works without a clip", 0, 1), ("does not work without a clip", 1, 0)
    ]  # fmt: skip
    nothing = answer(how_often, {"runs": table[table["regime"] == "b"].assign(status="diverged"), "regimes": regimes()})
    assert nothing.rows == []


def test_steps_of_a_given_length_are_no_clips_that_fire() -> None:
    table = runs(("a", "none", "none", 0.8), ("a", "global_norm(1)", "none", 0.9), ("a", "sign(0.1)", "none", 0.2))
    (row,) = answer(how_often, {"runs": table}).rows
    assert (row["clips × regimes"], row["better"], row["worse"]) == (1, 1, 0)


@pytest.mark.parametrize(
    ("after", "words"),
    [(0.9, "it makes no difference"), (0.8, "the penalty in the loss"), (0.95, "decay after the clip did better")],
)
def test_decay_before_and_after_the_clip(after: float, words: str) -> None:
    clip = "global_norm(1)"
    table = runs(("a", clip, "none", 0.5), ("a", clip, "l2(0.01)", 0.9), ("a", clip, "weight_decay(0.01)", after))
    found = answer(before_or_after, {"runs": table})
    assert found.short.startswith(f"In the one case tried, {words}")
    assert found.words.startswith("This rests on 1 regime, 1 clip and 1 strength")
    alone = answer(before_or_after, {"runs": table.assign(clip="none")})
    assert alone.short == "No clip meets both forms, so nothing can be said."


def test_decay_is_compared_at_the_best_strength_of_each_form_too() -> None:
    clip = "global_norm(1)"
    table = runs(("a", clip, "l2(0.01)", 0.9), ("a", clip, "weight_decay(0.01)", 0.8),
                 ("a", clip, "weight_decay(0.1)", 0.95))  # fmt: skip
    found = answer(before_or_after, {"runs": table})
    assert [row["after the clip"] for row in found.rows] == ["weight decay 0.01", "weight decay 0.1"]
    assert found.short == "It depends on the setting."


@pytest.mark.parametrize(
    ("tensor", "words"), [(0.9, "no difference"), (0.95, "per tensor did better"), (0.85, "global did better")]
)
def test_per_tensor_against_global(tensor: float, words: str) -> None:
    chosen = tuning(CLIP, ("a", "clip", "layer_norm", "a", "layer_norm(1)"))
    table = runs(("a", "global_norm(1)", "none", 0.9), ("a", "layer_norm(1)", "none", tensor))
    found = answer(per_tensor, {"runs": table, "tuning": chosen})
    assert found.short.startswith(f"In the one setting compared (*a*): {words}")
    assert len(found.rows) == 2


def test_per_tensor_depends_where_the_best_strengths_say_otherwise_than_the_chosen() -> None:
    chosen = tuning(CLIP, ("a", "clip", "layer_norm", "a", "layer_norm(1)"))
    chosen.loc[0, "chosen_by_accuracy"] = False
    better = {**chosen.iloc[0].to_dict(), "label": "global_norm(2)", "chosen": False, "chosen_by_accuracy": True}
    table = runs(("a", "global_norm(1)", "none", 0.8), ("a", "layer_norm(1)", "none", 0.9),
                 ("a", "global_norm(2)", "none", 0.95))  # fmt: skip
    found = answer(per_tensor, {"runs": table, "tuning": pd.concat([chosen, pd.DataFrame([better])])})
    assert found.short.startswith("In the one setting compared (*a*) it depends on how strengths are chosen.")
    assert "By validation loss: per tensor did better" in found.short
    assert "By validation accuracy: global did better" in found.short
