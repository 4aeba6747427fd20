"""A regime in two sentences, as they are read aloud."""

import math

import pandas as pd

from study.report.headline import along, headline
from study.report.regimes import RegimeFindings

from .questions.tables import runs


def compared(family: str, label: str, gap: float, test: float, n: int = 10, p: float = 0.01) -> list[dict[str, object]]:
    labels = {"clip": "none", "regularization": "none", family: label}
    row = {"regime": "a", "family": family, **labels, "n": n, "n_undefined": 0, "superiority": math.nan,
           "p": p, "p_adjusted": p, "method": "sign-flip", "n_pairs": n}  # fmt: skip
    return [
        {**row, "metric": metric, "estimate": value, "low": value - 0.01, "high": value + 0.01}
        for metric, value in (("gap_accuracy", gap), ("test_accuracy", test))
    ]


def found_in(*rows: list[dict[str, object]]) -> RegimeFindings:
    tables = {
        "runs": runs(("a", "none", "none", 0.9)),
        "comparisons": pd.DataFrame([one for row in rows for one in row]),
    }
    return RegimeFindings("a", tables)


def told(*rows: list[dict[str, object]]) -> str:
    return headline(found_in(*rows))


def test_the_largest_gain_of_each_family_and_what_lower_gaps_cost() -> None:
    found = told(
        compared("clip", "global_norm(0.1)", -0.1, 0.02),
        compared("clip", "adaptive_unit(0.01)", -0.3, 0.068),
        compared("regularization", "dropout(0.5)", -0.1, -0.05),
    )
    assert found == (
        "test accuracy rose with 2 of 2 clips (most with adaptive clip, ratio 0.01: +6.8 points [5.8, 7.8]), but not"
        " with dropout 0.5. The accuracy gap fell with 2 clips without a decided loss of test accuracy, and with"
        " 1 regularizer at the cost of test accuracy."
    )


def test_where_nothing_is_decided_both_families_share_a_sentence() -> None:
    clip, dropout = compared("clip", "value(1)", 0, 0, p=0.9), compared("regularization", "dropout(0.5)", 0, 0, p=0.9)
    assert told(clip, dropout) == "test accuracy did not rise with clip values at ±1 or dropout 0.5."
    more = compared("clip", "value(2)", 0, 0, p=0.9), compared("regularization", "l2(1)", 0, 0, p=0.9)
    both = "test accuracy did not rise with any of 2 clip variants or any of 2 regularizers."
    assert told(clip, dropout, *more) == both
    few = compared("clip", "value(1)", 0, 0, n=3, p=0.9), compared("regularization", "dropout(0.5)", 0, 0, n=3, p=0.9)
    assert told(*few) == "clip values at ±1 and dropout 0.5 cannot be judged by 3 seeds."


def test_where_the_runs_failed_it_says_so() -> None:
    found = told(compared("clip", "value(1)", math.nan, math.nan), compared("clip", "sign", math.nan, math.nan))
    assert found == "the 2 clips cannot be compared, since too few runs trained on both sides."


def test_what_of_a_gain_is_left_at_the_best_epoch_is_told() -> None:
    clips = compared("clip", "value(1)", -0.1, 0.05), compared("clip", "sign", -0.1, 0.02)
    early = [{**row, "metric": f"best_{row['metric']}", "estimate": 0.01, "low": low} for row, low in
             zip((clips[0][1], clips[1][1]), (0.005, -0.01), strict=True)]  # fmt: skip
    assert told(*clips, early) == (
        "test accuracy rose with 2 of 2 clips (most with clip values at ±1: +5.0 points [4.0, 6.0]). With each run"
        " scored at the epoch of its smallest validation loss, it rose with 1 of 2 clips (clip values at ±1: +1.0"
        " points [0.50, 6.0]). The accuracy gap fell with 2 clips without a decided loss of test accuracy."
    )
    same = [{**row, "metric": f"best_{row['metric']}"} for clip in clips for row in clip]
    assert "epoch" not in told(*clips, same), "it is scored there already"


def test_a_sweep_is_told_by_how_many_of_its_settings_a_clip_raised_and_lowered() -> None:
    small, large = compared("clip", "global_norm(0.1)", 0, -0.05), compared("clip", "global_norm(0.1)", 0, 0.366)
    steep = [*compared("clip", "value(1)", 0, 0.2), *large]
    sweep = {"*rate 1*": found_in(small), "*rate 2*": found_in(large), "*rate 3*": found_in(steep)}
    assert along(sweep) == (
        "a clip raised test accuracy in 2 of 3 settings (most with clip to norm 0.1 in *rate 2*: +36.6 points"
        " [35.6, 37.6]); one lowered it in 1."
    )
    assert along({"*rate 1*": found_in(small), "*rate 2*": found_in(small)}) == (
        "no clip raised test accuracy in any of 2 settings; one lowered it in 2."
    )
    assert along({}) == "nothing is compared with the baseline."


def test_who_rescues_a_regime_is_named_and_why_few_pairs_are_left() -> None:
    few = [{**row, "n": 4, "n_undefined": 6} for row in compared("clip", "value(1)", 0.1, 0.8, n=4, p=0.125)]
    cells = runs(("a", "none", "none", 0.1), ("a", "value(1)", "none", 0.9), failed=(("a", "none"),))
    tables = {"runs": cells, "comparisons": pd.DataFrame(few)}
    seeds = cells["seed"].nunique()
    assert headline(RegimeFindings("a", tables)) == (
        "clip values at ±1 cannot be judged: only 4 of 10 seeds have both runs. Without clip and regularizer"
        f" {seeds} of {seeds} runs failed; with clip values at ±1 none did."
    )


def test_of_private_variants_accuracy_and_epsilon_are_told() -> None:
    cells = runs(("a", "none", "none", 0.95), ("a", "per_sample(1)", "none", 0.9), ("a", "per_sample(2)", "none", 0.8))
    epsilon = cells["clip"].map({"none": math.nan, "per_sample(1)": 2.4, "per_sample(2)": 2.4})
    keys = {"regime": "a", "regularization": "none", "metric": "test_accuracy", "n": 8}
    summary = pd.DataFrame(
        [{**keys, "clip": clip, "mean": mean, "low": mean - 0.01, "high": mean + 0.01}
         for clip, mean in (("none", 0.95), ("per_sample(1)", 0.9), ("per_sample(2)", 0.8))]
    )  # fmt: skip
    found = RegimeFindings("a", {"runs": cells.assign(epsilon=epsilon), "summary": summary})
    assert headline(found) == (
        "the most accurate of 2 private variants, clip each sample to norm 1, reached 90.0 % [89.0 %, 91.0 %] test"
        " accuracy at epsilon 2.4; the baseline, without clip and noise, reached 95.0 % [94.0 %, 96.0 %]."
    )
    lost = cells.assign(epsilon=epsilon, test_accuracy=math.nan)
    compared_with = pd.DataFrame(compared("clip", "per_sample(1)", math.nan, math.nan))
    found = RegimeFindings("a", {"runs": lost, "summary": summary, "comparisons": compared_with})
    assert headline(found) == "clip each sample to norm 1 cannot be compared, since too few runs trained on both sides."
