"""The numbers of the page of published studies are those of their tables: computed here again."""

import re

import pandas as pd

from study.analysis.statistics import bca_interval
from tests.published_tables import ROOT, hypothesis, points, table

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
    told = change("federated", "high_rate_updates", "per_sample_adaptive(0.5)", "none", "test_accuracy", 100, 1)
    assert f"updates gained {told.replace(' [', ' points [')}" in PAGE


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
        f"FedProx gained {penalty.replace(' [', ' points [')} at three times the rate, over the 7 of 10 seeds",
        f"in which no run failed, and lost {cost} at",
        f"spectral norm lowered the distance by {distance}; none of 10 runs collapsed; without it 4 did |",
    ]
    for row in rows:
        assert row.replace("-", "−") in PAGE
    early = table("federated", "comparisons").query(
        "metric == 'best_test_accuracy' and regime == 'high_rate' and regularization == 'fedprox(1)'"
    )
    low, gained, high = (100 * early[key].item() for key in ("low", "estimate", "high"))
    assert early["n"].item() == 10
    assert f"its gain open ({gained:.1f} points [{low:.1f}, {high:.1f}])".replace("-", "−") in PAGE
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
        ("wasserstein", "none", "wgan_gp(10)"),
        ("wasserstein", "none", "weight_clipping(0.05)"),
    ):
        assert change("adversarial", regime, clip, regularization, "test_loss", 1, 0) in PAGE
    rows = table("adversarial", "comparisons").set_index(["regime", "clip", "regularization", "metric"]).sort_index()
    clip = rows.loc["non_saturating", "global_norm(0.1)", "none"]
    told = [points(clip.loc["test_accuracy", end], signed=False) for end in ("estimate", "low", "high")]
    assert f"changed coverage by {told[0]} points [{told[1]}, {told[2]}]" in PAGE
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
