"""The numbers of the README and of the benchmark's page are those of the committed studies: computed again."""

import re

import pandas as pd
import pytest

from study.analysis.questions.clips import bounding
from tests.published_tables import ROOT, hypothesis, points, table, told

README = re.sub(r"\s+", " ", (ROOT / "README.md").read_text(encoding="utf-8"))


def test_a_clip_where_labels_are_right() -> None:
    rows = hypothesis("clip_accuracy")
    assert list(rows.index[rows["verdict"] == "supported"]) == ["recurrent"]
    assert dict(rows["verdict"].value_counts()) == {"no gain found": 4, "supported": 1, "undecided": 1}
    gained = told(rows.loc["recurrent"], False).replace("]", "] of test accuracy in a recurrent net")
    assert f"It gained {gained}; in four other workloads any gain was below half a point" in README
    saved = hypothesis("clip_rescues")
    assert set(saved["clip"]) == {"global_norm(0.1)"}
    assert (set(saved["against_mean"]), set(saved["mean"])) == ({1}, {0})
    runs = table("confirm", "runs")
    reached = runs.groupby(["regime", "clip"])["best_test_accuracy"].mean()
    good = reached["map_lr=0.3", "none"]
    below = [f"{100 * (good - reached[regime, 'global_norm(0.1)']):.1f}" for regime in ("map_lr=3", "map_lr=10")]
    assert f"did; at their best epochs they were {' and '.join(below)} points below unclipped runs" in README


def test_a_clip_under_wrong_labels() -> None:
    last, best = (hypothesis(f"clip_wrong_{epoch}").loc["wrong_40"] for epoch in ("last", "best"))
    at_best = told(best, False).replace(" points", "")
    for share, close in (("20", True), ("40", True), ("60", False)):
        smaller, clipped = last_epoch_accuracies(f"wrong_{share}")
        assert bool(abs(smaller - clipped) < 0.001) is close
    assert (
        "Without early stopping, a smaller learning rate did about as well at 20 and 40 % (seen afterwards)." in README
    )
    assert f"At 40 % wrong labels it gained {told(last, False)} without early stopping, {at_best} with it." in README


def test_what_regularizers_gain() -> None:
    more = hypothesis("augmentation_accuracy")
    few, wrong = told(more.loc["few"], False), told(more.loc["wrong_40"], False).replace(" points", "")
    assert f"{few} on 2,000 digits, {wrong} at 40 % wrong labels" in README
    assert (hypothesis("dropout_accuracy").loc[["digits", "few"], "high"] < 0.005).all()
    assert board("wrong_40")["gain"].nlargest(2).index.tolist() == ["augmentation", "sam"]


def board(regime: str) -> pd.DataFrame:
    """The gains in the primary metric of a workload, by regularizer."""
    rows = table("confirm", "gains")
    own = rows[rows["primary"] & (rows["regime"] == regime) & (rows["kind"] == "regularization")]
    return own.set_index("regularization_method")


def test_the_page_of_the_benchmark() -> None:
    page = re.sub(r"\s+", " ", (ROOT / "docs/benchmark.md").read_text(encoding="utf-8"))
    once = table("confirm", "hypotheses").drop_duplicates("hypothesis")["of_all"].value_counts()
    assert dict(once) == {"supported": 3, "no gain found": 5, "undecided": 11}
    rows = table("confirm", "gains")
    of_all = rows[rows["primary"]]["verdict"].value_counts()
    assert (
        f"of {of_all.sum()} comparisons in accuracy {of_all['supported']} show a gain and {of_all['harm']} harm" in page
    )
    clips = rows[rows["primary"] & (rows["verdict"] == "harm")]["kind"].eq("clip").sum()
    assert f"({clips} of them by clips), for {of_all['no gain found']} no gain was found (two of these methods" in page
    for share, rates in (("20", (0.0857, 0.00989)), ("40", (0.0332, 0.00712)), ("60", (0.0237, 0.00391))):
        assert last_epoch_rates(f"wrong_{share}") == rates
    assert f"Of {once.sum()} hypotheses {once['supported']} are supported, for {once['no gain found']} no gain" in page
    trials = table("confirm", "trials")
    chosen = trials[trials["chosen"]]
    assert f"Of {len(chosen)} choices {chosen['edge'].notna().sum()} lie at an edge" in page
    budgets = table("confirm", "budgets")
    one = budgets[(budgets["budget"] == 1) & (budgets["regularization_method"] == "none")]
    wide = one.pivot_table(index="regime", columns="clip_method", values="best_test_accuracy")
    wide = wide[["none", "global_norm"]].dropna()
    assert f"in {(wide['global_norm'] < wide['none']).sum()} of {len(wide)} workloads" in page
    for name, regime in (("clip_accuracy", "recurrent"), ("clip_accuracy", "deep"), ("clip_and_dropout", "wrong_40")):
        assert told(hypothesis(name).loc[regime]).split(" points ")[1] in page
    for name in ("clip_wrong_last", "clip_wrong_best", "per_sample_accuracy"):
        gains = [points(gain) for gain in hypothesis(name)["gain"]]
        assert f"{gains[0]}, {gains[1]} and {gains[2]} points" in page
    assert (hypothesis("clip_wrong_best")["high"] < 0.005).all()


def test_the_simulated_studies() -> None:
    page = re.sub(r"\s+", " ", (ROOT / "docs/benchmark.md").read_text(encoding="utf-8"))
    rows = pd.read_csv(ROOT / "docs/simulations.csv")
    rows = rows[rows["seeds"] == 20]
    by_truth = {truth: part.sort_values("noise") for truth, part in rows.groupby("truth")}
    gain, harm = ([f"{100 * one:.0f}" for one in by_truth[0.0][key]] for key in ("any supported", "any harm"))
    assert f"a gain was claimed in {' and '.join(gain)} of 100 studies, and harm in {' and '.join(harm)}." in page
    two, one = ([f"{100 * share:.0f}" for share in by_truth[truth]["supported"]] for truth in (2.0, 1.0))
    assert f"for {' and '.join(two)} % of the methods, a true gain of one point for {' and '.join(one)} %" in page
    assert f"covered {100 * rows['coverage'].mean():.0f} %" in page


def test_what_came_of_the_frozen_benchmark_trained_again() -> None:
    page = re.sub(r"\s+", " ", (ROOT / "docs/benchmark.md").read_text(encoding="utf-8"))
    first, again = ({name: table(study, name) for name in ("hypotheses", "gains", "trials", "runs")}
                    for study in ("confirm", "confirm_again"))  # fmt: skip
    accuracy = [gains[gains["metric"] == "best_test_accuracy"] for gains in (first["gains"], again["gains"])]
    chosen = [trials.loc[trials["chosen"], ["regime", "clip", "regularization", "lr"]].reset_index(drop=True)
              for trials in (first["trials"], again["trials"])]  # fmt: skip
    assert list(first["hypotheses"]["verdict"]) == list(again["hypotheses"]["verdict"])
    assert list(accuracy[0]["verdict"]) == list(accuracy[1]["verdict"])
    pd.testing.assert_frame_equal(*chosen)
    counts = len(first["hypotheses"]), len(accuracy[0]), len(chosen[0])
    said = "All {} verdicts on hypotheses, all {} on gains in test accuracy at the best epoch and all {} choices"
    assert said.format(*counts) in page
    others = [gains[gains["metric"] != "best_test_accuracy"]["verdict"] for gains in (first["gains"], again["gains"])]
    moved = pd.DataFrame({"first": others[0], "again": others[1]})[others[0] != others[1]]
    harmed = moved.isin(["harm"]).any(axis=1).sum()
    assert f"Of {len(others[0])} verdicts on other metrics {len(moved)} differ, {harmed} of them between no" in page
    cell = ["regime", "clip", "regularization", "seed"]
    both = [runs.set_index(cell)[["test_accuracy", "best_test_accuracy"]] for runs in (first["runs"], again["runs"])]
    same = (both[0].eq(both[1]) | (both[0].isna() & both[1].isna())).all(axis=1)
    assert f"Of {len(same):,} runs {same.sum():,} have the same test accuracies, at the best and at the last" in page
    change = (again["hypotheses"]["gain"] - first["hypotheses"]["gain"]).abs().idxmax()
    assert again["hypotheses"]["regime"][change] == "recurrent"
    assert (
        f"changed most in `recurrent`: {told(again['hypotheses'].loc[change], False)} in place of 4.0; outside" in page
    )
    baselines = same.xs(("none", "none"), level=("clip", "regularization")).groupby("regime").agg(["sum", "size"])
    assert baselines[baselines["sum"] < baselines["size"]].to_dict("index") == {"recurrent": {"sum": 0, "size": 20}}


def last_epoch_rates(regime: str) -> tuple[float, float]:
    """The rate that the baseline's trials chose, and that of the least validation loss at the last epoch."""
    rows = table("confirm", "trials")
    own = rows[(rows["regime"] == regime) & (rows["clip_method"] == "none") & (rows["regularization_method"] == "none")]
    return own.loc[own["chosen"], "lr"].item(), own.loc[own["validation_loss"].idxmin(), "lr"]


def last_epoch_accuracies(regime: str) -> tuple[float, float]:
    """Test accuracy at the last epoch of the baseline's trial of `last_epoch_rates`, and of the clip's chosen trial."""
    rows = table("confirm", "trials")
    rows = rows[(rows["regime"] == regime) & (rows["regularization_method"] == "none")]
    own, clipped = rows[rows["clip_method"] == "none"], rows[rows["clip_method"] == "global_norm"]
    smaller = own.loc[own["validation_loss"].idxmin(), "test_accuracy"]
    return smaller, clipped.loc[clipped["chosen"], "test_accuracy"].item()


def test_rescues() -> None:
    means = table("paper", "summary")
    means["clip_method"] = means["clip"].str.partition("(")[0]
    runs = means[means["regularization"] == "none"].drop_duplicates(["regime", "clip"])
    runs = pd.concat([runs[runs["clip"] == "none"], bounding(runs)])
    lost = runs[(runs["clip"] == "none") & (runs["ok"] < runs["runs"])]["regime"]
    rescued = runs[runs["regime"].isin(lost) & (runs["clip"] != "none") & (runs["ok"] == runs["runs"])]
    assert set(rescued["clip_method"]) == {"value", "global_norm"}
    failed = f"In {rescued['regime'].nunique()} of {len(lost)} settings where unclipped runs failed"
    assert f"{failed}, some clip by value or norm made" in README


def test_thresholds_and_adaptive_optimizers() -> None:
    runs, tuned = table("confirm", "runs"), table("paper", "tuned")
    alone = runs[(runs["regularization"] == "none") & ~runs["regime"].str.startswith("map")]
    norms = alone[alone["clip"] == "none"].groupby("regime")["norm_median"].median()
    chosen = alone[alone["clip_method"] == "global_norm"].groupby("regime")["clip"].first()
    ratio = chosen.str.extract(r"\((.*)\)")[0].astype(float) / norms
    wrong = ratio.index.isin(["wrong_20", "wrong_40", "wrong_60"])
    assert f"tuning chose {ratio[wrong].min():.2f} to {ratio[wrong].max():.1f} times the median with wrong" in README
    assert f"labels, {ratio[~wrong].min():.1f} to {ratio[~wrong].max():.0f} with right ones" in README
    adaptive = tuned["regime"].str.fullmatch("optimizers_optimizer=(adam|rmsprop|adamw)") & (tuned["kind"] == "clip")
    assert set(tuned[adaptive]["label"]) == {"none"}
    offered = table("paper", "tuning")
    offered = offered[offered["regime"].isin(tuned[adaptive]["regime"]) & (offered["kind"] == "clip")]
    assert set(offered["label"]) == {"none", "global_norm(0.1)", "global_norm(0.3)"}


@pytest.mark.parametrize(
    ("column", "best", "said"),
    [
        (
            "validation_accuracy",
            "idxmax",
            "With right validation labels that lost {:.2f} points of test accuracy",
        ),
        ("validation_loss", "idxmin", "validation loss {:.2f}"),
        ("train_loss", "idxmin", "training loss {:.1f}"),
    ],
)
def test_what_a_rule_of_choice_costs(column: str, best: str, said: str) -> None:
    rows = table("paper", "tuning")
    rows = rows[(rows["kind"] == "regularization") & (rows["method"] != "none")]
    lost = [
        each["test_accuracy"].max() - each.loc[getattr(each[column], best)(), "test_accuracy"]
        for _, each in rows.groupby(["setting", "kind", "method"])
    ]
    assert said.format(100 * sum(lost) / len(lost)) in README
    assert f"({len(lost)} cases)" in README


def test_what_a_rule_of_choice_costs_where_validation_labels_are_wrong_too() -> None:
    trials = table("confirm", "trials")
    noisy = trials[trials["regime"].str.startswith("wrong")]
    lost = {
        rule: [
            each["best_test_accuracy"].max() - each.loc[each[rule], "best_test_accuracy"].item()
            for _, each in noisy.groupby(["regime", "clip_method", "regularization_method"])
        ]
        for rule in ("chosen", "chosen_by_accuracy")
    }
    loss, accuracy = (f"{100 * sum(each) / len(each):.2f}" for each in lost.values())
    assert f"over {len(lost['chosen'])} methods, clips too, it lost {loss}, accuracy {accuracy}" in README


def test_a_clip_at_a_high_rate_at_the_last_epoch() -> None:
    page = re.sub(r"\s+", " ", (ROOT / "docs/benchmark.md").read_text(encoding="utf-8"))
    runs = table("confirm", "runs").set_index(["regime", "clip", "seed"]).sort_index()
    runs = runs[["test_accuracy", "best_test_accuracy"]]
    good = runs.loc["map_lr=0.3", "none"]
    gains = {
        cell: 100 * (runs.loc[cell] - good).mean()
        for cell in (
            ("map_lr=1", "global_norm(1)"),
            ("map_lr=3", "global_norm(0.1)"),
            ("map_lr=10", "global_norm(0.1)"),
        )
    }
    first, second, third = (one["test_accuracy"] for one in gains.values())
    assert f"norm 1 at rate 1 was better by {first:.2f} points [" in page
    assert f"norm 0.1 at rate 3 was as good (+{second:.2f} [" in page
    assert f"at rate 10 {-third:.2f} [" in page
    assert all(one["best_test_accuracy"] < 0 for one in gains.values())
