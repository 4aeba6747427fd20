"""Tuned methods over several settings: which share them, what they gain in all runs, against values by hand."""

import numpy as np
import pandas as pd
import pytest

from study.analysis.profiles import ACROSS, PROFILES, across, groups, profiles


def tables(scores: dict[tuple[str, str], list[float]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What was chosen in each setting, and its runs: by setting and method, test accuracy by seed."""
    chosen = pd.DataFrame(
        [
            {"setting": setting, "kind": "regularization", "method": method, "regime": setting,
             "label": method if method == "none" else f"{method}(0.1)", "chosen": True}
            for setting, method in scores
        ]
    )  # fmt: skip
    runs = pd.DataFrame(
        [
            {"study": "s", "regime": setting, "clip": "none", "seed": seed, "test_accuracy": value,
             "regularization": method if method == "none" else f"{method}(0.1)"}
            for (setting, method), values in scores.items()
            for seed, value in enumerate(values)
        ]
    )  # fmt: skip
    return chosen, runs


SCORES = {
    ("a", "none"): [0.5, 0.6, 0.7, 0.8],
    ("a", "l2"): [0.6, 0.7, 0.8, 0.9],
    ("a", "dropout"): [0.5, 0.6, 0.8, 0.9],
    ("b", "none"): [0.5, 0.5, 0.5, 0.5],
    ("b", "l2"): [0.4, 0.4, 0.4, 0.4],
    ("b", "dropout"): [0.9, 0.9, 0.9, np.nan],
    ("c", "none"): [0.1] * 4,
    ("c", "dropout"): [0.2] * 4,
}


def test_methods_are_compared_on_the_settings_they_share() -> None:
    (found,) = groups(*tables(SCORES))
    assert (found.name, found.kind, list(found.gains)) == ("a; b", "regularization", ["l2", "dropout"])
    assert found.gains["l2"] == pytest.approx(np.array([[0.1] * 4, [-0.1] * 4]))
    assert found.gains["dropout"][1] == pytest.approx([0.4, 0.4, 0.4, -0.5]), "a run without accuracy counts as 0"
    assert found.lost == {"l2": 0, "dropout": 1}


def test_a_method_of_many_settings_of_its_own_is_shown_on_all_of_them() -> None:
    more = {(setting, method): [0.5, 0.6, 0.5, 0.6] for setting in "defg" for method in ("none", "dropout")}
    names = [(group.name, list(group.gains)) for group in groups(*tables(SCORES | more))]
    assert names == [("a; b", ["l2", "dropout"]), ("a; b; c; d; e; f; g", ["dropout"])]
    alone = {key: values for key, values in SCORES.items() if key[0] == "c"}
    assert list(groups(*tables(alone))) == [], "one setting is no profile"


def test_profiles_and_means_are_those_of_all_runs() -> None:
    found = list(groups(*tables(SCORES)))
    table = profiles(found, seed=0)
    assert tuple(table) == PROFILES
    l2 = table[table["method"] == "l2"]
    assert l2["share"].iloc[0] == 1.0
    assert l2.loc[(l2["gain"] > -0.09) & (l2["gain"] < 0.09), "share"].eq(0.5).all()
    assert l2.loc[l2["gain"] > 0.11, "share"].eq(0).all()
    assert (table["low"] <= table["share"]).all()
    assert (table["share"] <= table["high"]).all()
    tuned = pd.DataFrame(
        [
            {"setting": setting, "kind": "regularization", "method": method, "metric": "test_accuracy",
             "label": "none" if setting == "b" else f"{method}(0.1)",
             "outperforms": "better" if setting == "a" else "worse"}
            for setting in "abc" for method in ("l2", "dropout")
        ]
    )  # fmt: skip
    means = across(found, tuned, seed=0).set_index("method")
    assert tuple(means.reset_index()[list(ACROSS)]) == ACROSS
    assert means.loc["l2", "iqm"] == pytest.approx(0.0), "the middle half of four times .1 and four times -.1"
    assert means.loc["dropout", "iqm"] == pytest.approx(np.mean([0.1, 0.1, 0.4, 0.0])), "of -.5 0 0 .1 .1 .4 .4 .4"
    assert means[["settings", "none_chosen", "seeds", "better", "worse"]].to_numpy().tolist() == [[2, 1, 4, 1, 1]] * 2


@pytest.mark.parametrize(
    ("missing", "expected"),
    [(("b", "l2"), []), (("b", "none"), []), (("c", "none"), ["a; b"]), (("c", "dropout"), ["a; b"])],
)
def test_a_setting_whose_runs_are_missing_does_not_count(missing: tuple[str, str], expected: list[str]) -> None:
    tuning, runs = tables(SCORES)
    label = missing[1] if missing[1] == "none" else f"{missing[1]}(0.1)"
    left = runs[(runs["regime"] != missing[0]) | (runs["regularization"] != label)]
    assert [group.name for group in groups(tuning, left) if len(group.gains) > 1] == expected
