"""A study tuned by trials that states hypotheses, through the whole workflow, and frozen as a protocol."""

import pandas as pd
import pytest

from tests.checkout import Checkout
from tests.workflow.drawing import draw_every_figure

pytestmark = pytest.mark.workflow

STUDY = """
name: smoke
seeds: [50, 51, 52]
statistics: {probes: 0}
figures: [leaderboard]
regimes:
  plain:
    data: {name: mnist-sample, train_size: 200, validation_size: 100}
    model: {name: mlp, hidden: [8]}
    optimizer: {name: sgd, lr: 0.1}
    epochs: 2
    batch_size: 20
    grid: alone
    clips: [none, value]
    regularizations: [none, l2]
    pairs: [[value, l2]]
    tuning: {trials: 4, seeds: [60], metric: best_validation_loss}
hypotheses:
  both:
    says: A clip beside L2 is better than L2 alone.
    workloads: [plain]
    clip: value
    regularization: l2
    against: {regularization: l2}
"""


def test_each_method_is_trained_at_what_its_trials_chose_and_the_hypotheses_are_decided(fresh: Checkout) -> None:
    fresh.edit("config/smoke.yaml", lambda _: STUDY)
    assert fresh.planned()["attempt"] == 4, "the baseline, each method, and both together"
    fresh.snakemake("--cores", "2")
    trials, runs = pd.read_csv(fresh.results / "trials.csv"), pd.read_parquet(fresh.results / "runs.parquet")
    cells = ["clip_method", "regularization_method"]
    assert (trials.groupby(cells).size() == 4).all(), "the same number for all"
    chosen = trials[trials["chosen"]].set_index(cells)["lr"]
    assert chosen.index.is_unique
    assert set(runs["seed"]) == {50, 51, 52}
    assert set(zip(runs["clip_method"], runs["regularization_method"], strict=True)) == set(chosen.index)
    (row,) = pd.read_csv(fresh.results / "hypotheses.csv").to_dict("records")
    means = runs.groupby(cells)["best_test_accuracy"].mean()
    assert row["gain"] == pytest.approx(means["value", "l2"] - means["none", "l2"])
    report = (fresh.results / "paper/report.md").read_text()
    assert "## What was expected, and what was found" in report
    assert f"**{row['of_all']}**" in report
    assert {"leaderboard", "gap_plane", "budget_curves", "robustness", "ranking"} <= draw_every_figure(fresh, STUDY)
    assert fresh.planned() == {}, "twice runs nothing"
    fresh.edit("config/smoke.yaml", lambda text: text.replace("is better than", "beats"))
    planned = fresh.planned()
    assert "hypotheses" in planned
    assert not {"train", "attempt"} & planned.keys(), "another hypothesis trains nothing"
