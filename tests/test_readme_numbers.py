"""The numbers of the README are those of the committed studies: computed here again from their tables."""

import re
from pathlib import Path

import pandas as pd
import pytest

from study.analysis.statistics import bca_interval

ROOT = Path(__file__).parents[1]
README = re.sub(r"\s+", " ", (ROOT / "README.md").read_text(encoding="utf-8"))


def table(study: str, name: str) -> pd.DataFrame:
    return pd.read_csv(ROOT / f"docs/studies/{study}/{name}.csv", keep_default_na=False, na_values=[""])


def points(value: float, signed: bool = True) -> str:
    return f"{100 * value:{'+' if signed else ''}.1f}".replace("-", "−")


def hypothesis(name: str) -> pd.DataFrame:
    """A hypothesis of the frozen benchmark: a row for each workload, by its name."""
    rows = table("confirm", "hypotheses")
    return rows[rows["hypothesis"] == name].set_index("regime")


def told(row: pd.Series, signed: bool = True) -> str:
    """A gain in points with its interval."""
    return f"{points(row['gain'], signed)} points [{points(row['low'], False)}, {points(row['high'], False)}]"


def test_a_clip_where_labels_are_right() -> None:
    rows = hypothesis("clip_accuracy")
    assert list(rows.index[rows["verdict"] == "supported"]) == ["recurrent"]
    assert dict(rows["verdict"].value_counts()) == {"no gain found": 4, "supported": 1, "undecided": 1}
    gained = told(rows.loc["recurrent"], False).replace("]", "] of test accuracy in a recurrent net")
    assert f"It gained {gained}; in four of six workloads any gain was" in README
    saved = hypothesis("clip_rescues")
    assert set(saved["clip"]) == {"global_norm(0.1)"}
    assert (set(saved["against_mean"]), set(saved["mean"])) == ({1}, {0})
    runs = table("confirm", "runs")
    reached = runs.groupby(["regime", "clip"])["best_test_accuracy"].mean()
    good = reached["map_lr=0.3", "none"]
    below = [f"{100 * (good - reached[regime, 'global_norm(0.1)']):.1f}" for regime in ("map_lr=3", "map_lr=10")]
    assert f"a clip to norm 0.1 let all train, {' and '.join(below)} points short of a good rate" in README


def test_a_clip_under_wrong_labels() -> None:
    last, best = (hypothesis(f"clip_wrong_{epoch}").loc["wrong_40"] for epoch in ("last", "best"))
    at_best = told(best, False).replace(" points", "")
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
    assert f"{of_all['supported']} of {of_all.sum()} gains in accuracy are supported, {of_all['harm']} are harm" in page
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


def test_rescues() -> None:
    means = table("paper", "summary")
    runs = means[means["regularization"] == "none"].drop_duplicates(["regime", "clip"])
    lost = runs[(runs["clip"] == "none") & (runs["ok"] < runs["runs"])]["regime"]
    rescued = runs[runs["regime"].isin(lost) & (runs["clip"] != "none") & (runs["ok"] == runs["runs"])]["regime"]
    assert f"In {rescued.nunique()} of {len(lost)} settings in which unclipped runs failed, some clip made" in README


def test_thresholds_and_adaptive_optimizers() -> None:
    runs, tuned = table("confirm", "runs"), table("paper", "tuned")
    alone = runs[(runs["regularization"] == "none") & ~runs["regime"].str.startswith("map")]
    norms = alone[alone["clip"] == "none"].groupby("regime")["norm_median"].median()
    chosen = alone[alone["clip_method"] == "global_norm"].groupby("regime")["clip"].first()
    ratio = chosen.str.extract(r"\((.*)\)")[0].astype(float) / norms
    wrong = ratio.index.isin(["wrong_20", "wrong_40", "wrong_60"])
    assert f"tuning chose {ratio[wrong].min():.2f} to {ratio[wrong].max():.1f} times the median" in README
    assert f"else {ratio[~wrong].min():.1f} to {ratio[~wrong].max():.0f} times" in README
    adaptive = tuned["regime"].str.fullmatch("optimizers_optimizer=(adam|rmsprop|adamw)") & (tuned["kind"] == "clip")
    assert set(tuned[adaptive]["label"]) == {"none"}


@pytest.mark.parametrize(
    ("column", "best", "said"),
    [
        ("validation_accuracy", "idxmax", "validation accuracy, λ cost {:.2f} points"),
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


PAGE = re.sub(r"\s+", " ", (ROOT / "docs/studies/README.md").read_text(encoding="utf-8"))


def ends(study: str, column: str) -> pd.Series:
    """The sum of a column over the runs of each variant of a published study."""
    runs = table(study, "runs" if column == "lost" else "outcomes")
    runs = runs.assign(lost=runs["status"] != "ok") if column == "lost" else runs
    return runs.groupby(["regime", "clip", "regularization"])[column].sum()


def change(study: str, regime: str, clip: str, regularization: str, metric: str, scale: float, digits: int) -> str:
    """A change against the baseline without its sign, with its interval, as the page prints it."""
    rows = table(study, "comparisons")
    own = rows[(rows["regime"] == regime) & (rows["metric"] == metric)]
    (row,) = own[(own["clip"] == clip) & (own["regularization"] == regularization)].to_dict("records")
    ordered = sorted(abs(scale * row[key]) for key in ("low", "high"))
    return f"{abs(scale * row['estimate']):.{digits}f} [{ordered[0]:.{digits}f}, {ordered[1]:.{digits}f}]"


def test_the_federated_study() -> None:
    lost = ends("federated", "lost")
    assert lost["full_batches"].to_dict() == {
        ("none", "none"): 10,
        ("none", "fedprox(1)"): 10,
        ("global_norm(1)", "none"): 0,
    }
    assert lost["high_rate", "none", "none"] == 2
    for regime, clip, regularization, unit in (
        ("usual_rate", "global_norm(1)", "none", " points"),
        ("usual_rate", "none", "fedprox(1)", ""),
        ("high_rate", "global_norm(1)", "none", " points"),
        ("high_rate_updates", "per_sample_adaptive(0.5)", "none", ""),
    ):
        told = change("federated", regime, clip, regularization, "test_accuracy", 100, 1)
        assert told.replace(" [", f"{unit} [") in PAGE


def test_what_was_seen_of_the_outlook_of_the_tutorial() -> None:
    def at_tuned_rate(name: str) -> str:
        (row,) = hypothesis(name).to_dict("records")
        assert row["verdict"] == "no gain found"
        return "{:.2f} points [{:.2f}, {:.2f}]".format(*(100 * row[end] for end in ("gain", "low", "high")))

    def changed(regime: str, regularization: str, clip: str = "none") -> str:
        return change("federated", regime, clip, regularization, "test_accuracy", 100, 1)

    gain, loss = changed("high_rate", "none", "global_norm(1)"), changed("usual_rate", "none", "global_norm(1)")
    penalty, cost = changed("high_rate", "fedprox(1)"), changed("usual_rate", "fedprox(1)")
    distance = change("adversarial", "non_saturating", "none", "spectral_norm(1)", "test_loss", 1, 0)
    rows = [
        f"at a tuned learning rate no gain was found: {at_tuned_rate('clients_clip')} | `confirm`, confirmatory |",
        f"it gained {gain.replace(' [', ' points [')}; at that rate it lost {loss} | `federated`, exploratory |",
        f"no gain of dropout was found: {at_tuned_rate('clients_dropout')} | `confirm`, confirmatory |",
        f"FedProx gained {penalty.replace(' [', ' points [')} at three times the rate and lost {cost} at",
        f"spectral norm lowered the distance by {distance}; no run collapsed, without it 4 of 10 | `adversarial`",
    ]
    for row in rows:
        assert row.replace("-", "−") in PAGE
    comparisons = table("federated", "comparisons").query("metric == 'test_accuracy'")
    signs = comparisons.set_index(["regime", "clip", "regularization"])["estimate"]
    for clip, regularization in (("global_norm(1)", "none"), ("none", "fedprox(1)")):
        assert signs["usual_rate", clip, regularization] < 0 < signs["high_rate", clip, regularization]
    rows = table("adversarial", "comparisons").query("regime == 'non_saturating' and metric == 'test_loss'")
    ends = rows.set_index(["clip", "regularization"])[["estimate", "low", "high"]]
    clip = "{:.0f} [{:.0f}, {:.0f}]".format(*ends.loc[("global_norm(0.1)", "none")]).replace("-", "−")
    assert f"no gain is shown: Frechet distance {clip}; 4 of 10 runs collapsed, as without it |" in PAGE
    assert ends.loc[("none", "spectral_norm(1)"), "high"] < 0


def test_the_adversarial_study() -> None:
    collapsed = ends("adversarial", "collapsed")
    usual = collapsed["non_saturating"]
    assert (usual["none", "none"], usual["global_norm(0.1)", "none"], usual["value(0.001)", "none"]) == (4, 4, 10)
    assert usual["none", "spectral_norm(1)"] == collapsed["wasserstein", "none", "wgan_gp(10)"] == 0
    assert set(collapsed["two_rates", :, "none"]) == {10}
    assert f"with R1 in {collapsed['two_rates', 'none', 'r1(0.1)']} of 10" in PAGE
    for regime, clip, regularization in (
        ("non_saturating", "value(0.001)", "none"),
        ("non_saturating", "none", "spectral_norm(1)"),
        ("wasserstein", "none", "wgan_gp(10)"),
        ("wasserstein", "none", "weight_clipping(0.05)"),
    ):
        assert change("adversarial", regime, clip, regularization, "test_loss", 1, 0) in PAGE
    rows = table("adversarial", "comparisons").set_index(["regime", "clip", "regularization", "metric"]).sort_index()
    clip = rows.loc["non_saturating", "global_norm(0.1)", "none"]
    told = [points(clip.loc["test_accuracy", end], signed=False) for end in ("estimate", "low", "high")]
    assert f"changed coverage by {told[0]} points [{told[1]}, {told[2]}]" in PAGE
    told = [f"{clip.loc['test_loss', end]:.0f}".replace("-", "−") for end in ("estimate", "low", "high")]
    assert f"the Frechet distance by {told[0]} [{told[1]}, {told[2]}]" in PAGE
    assert (clip["p_adjusted"] > 0.05)[["test_accuracy", "test_loss"]].all()


def test_the_private_study() -> None:
    runs = table("private", "runs")
    means = 100 * runs.groupby(["regime", "clip"])["test_accuracy"].mean()
    clipped = [f"{means[f'{noise}_noise', 'per_sample(1)']:.1f}" for noise in ("little", "usual", "much")]
    assert f"it reached {clipped[0]}, {clipped[1]} and {clipped[2]} % test accuracy" in PAGE
    assert f"and {means['usual_noise', 'none']:.1f} % without clip and noise" in PAGE


def test_the_transformer_study() -> None:
    runs = table("transformer", "runs")
    cells = runs.set_index(["regime", "clip", "seed"])["test_accuracy"].sort_index()

    def gain(rate: str, of: tuple[int, str], than: tuple[int, str], sign: int = 1) -> str:
        """The change of test accuracy between two cells, (steps of warm-up, clip), in points with its interval."""
        one, other = (cells[f"{rate}_warmup={warm}", clip] for warm, clip in (of, than))
        change = 100 * sign * (one - other)
        interval = bca_interval(change.to_numpy())
        return f"{change.mean():.1f} [{interval.low:.1f}, {interval.high:.1f}]".replace("-", "−")

    plain, warm, clip, both = ((w, c) for c in ("none", "global_norm(0.5)") for w in (0, 60))
    stated = [
        ("raised accuracy by", gain("sgd_lr=1", clip, plain)),
        ("the warm-up by", gain("sgd_lr=1", warm, plain)),
        ("both by", gain("sgd_lr=1", both, plain)),
        ("of the warm-up is shown (", gain("sgd_lr=1", both, clip)),
        ("The clip cost", gain("sgd_lr=0.1", clip, plain, -1)),
        ("The warm-up raised accuracy by", gain("adamw_lr=0.1", warm, plain)),
        ("no gain is shown (", gain("adamw_lr=0.1", clip, plain)),
        ("nor beside the warm-up (", gain("adamw_lr=0.1", both, warm)),
        ("The warm-up gained", gain("adamw_lr=0.01", warm, plain)),
        ("no gain is shown (", gain("adamw_lr=0.01", clip, plain)),
        ("beside the warm-up it gained", gain("adamw_lr=0.01", both, warm)),
    ]
    page = PAGE.replace(" points [", " [")
    for words, told in stated:
        assert f"{words} {told}".replace("( ", "(") in page
    means = 100 * cells.groupby(level=[0, 1]).mean()
    assert f"reach {means['sgd_lr=1_warmup=0', clip[1]]:.1f} %, below the" in PAGE
    assert f"the {means['sgd_lr=0.1_warmup=0', 'none']:.1f} % of unclipped runs at the suitable rate." in PAGE
    assert f"came in {(runs['spike_score'] > 0).sum()} of {len(runs)} runs" in PAGE
    steps = table("transformer", "summary").query("metric == 'steps_to_target'").set_index(["regime", "clip"])
    assert steps.loc[("sgd_lr=1_warmup=0", "none"), "n"] == 0
    for words, regime, clipped in (
        ("with the clip", "sgd_lr=1", clip[1]),
        ("at the suitable rate", "sgd_lr=0.1", "none"),
    ):
        row = steps.loc[(f"{regime}_warmup=0", clipped)]
        assert row["n"] == row["runs"] == 10
        told = re.search(rf"{words} all did[^,]*, in (\d+)(?: steps)? \[(\d+), (\d+)\]", PAGE)
        assert told
        assert [int(one) for one in told.groups()] == [round(row[name]) for name in ("mean", "low", "high")]
    assert (runs["status"] == "ok").all()
    assert not runs.loc[runs["regime"].isin(["sgd_lr=0.1_warmup=0", "sgd_lr=0.1_warmup=60"]), "spike_score"].any()
