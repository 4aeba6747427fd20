"""A study of several workloads through the whole workflow: each is trained, tuned, tabled, drawn and reported."""

import numpy as np
import pandas as pd
import pytest

from tests.checkout import Checkout
from tests.workflow.drawing import draw_every_figure

pytestmark = pytest.mark.workflow

STUDY = """
name: smoke
seeds: 2
statistics: {probes: 0}
figures: [samples, clients]
defaults:
  data: {name: mnist-sample, train_size: 200, validation_size: 100}
  model: {name: mlp, hidden: [16]}
  optimizer: {name: sgd, lr: 0.2}
  batch_size: 10
  epochs: 2
  grid: alone
regimes:
  supervised:
    clips: [none, {name: global_norm, max_norm: 1.0}]
  federated:
    workload: {name: federated, clients: 5, fraction: 0.6, clip_at: update, noise_multiplier: 0.5, target: 0.05}
    clips: [none, {name: per_sample, max_norm: {grid: [0.5, 0.1]}}]
    tuning: {seeds: 1, folds: 2}
  private:
    workload: {name: dp_sgd}
    clips: [none, {name: per_sample, max_norm: 1.0}]
  adversarial:
    workload: {name: adversarial, generator: [16], latent: 4, samples: 50}
"""


def test_workloads_share_a_study(fresh: Checkout) -> None:
    fresh.edit("config/smoke.yaml", lambda _: STUDY)
    fresh.snakemake("--cores", "2")
    runs = pd.read_parquet(fresh.results / "runs.parquet")
    federated, private = (runs[runs["regime"] == name] for name in ("federated", "private"))
    assert runs.loc[runs["regime"] == "supervised", ["epsilon", "client_drift"]].isna().all(axis=None)
    clipped = federated["clip"] != "none"
    assert np.isfinite(federated.loc[clipped, "epsilon"]).all()
    assert np.isposinf(federated.loc[~clipped, "epsilon"]).all()
    assert federated["rounds_to_target"].notna().all()
    assert np.isfinite(private.loc[private["clip"] != "none", "epsilon"]).all()
    assert private["client_drift"].isna().all()
    samples = pd.read_parquet(fresh.results / "samples.parquet")
    assert samples.groupby(["regime", "seed"], observed=True).size().to_dict() == {
        ("adversarial", 0): 20,
        ("adversarial", 1): 20,
    }
    assert (fresh.results / "paper" / "figures" / "samples.png").stat().st_size > 5_000
    tuning = pd.read_csv(fresh.results / "tuning.csv")
    assert set(tuning["method"]) > {"per_sample"}
    assert tuning.groupby(["setting", "kind", "method"])["chosen"].sum().eq(1).all()
    assert (fresh.results / "paper" / "figures" / "clients.png").stat().st_size > 10_000
    report = (fresh.results / "paper" / "report.md").read_text()
    assert "2 rounds (" in report
    assert "Federated: 5 clients, digits dealt by `iid`, 3 drawn a round" in report
    assert "DP-SGD: batches drawn at random, noise multiplier 1" in report
    assert {"samples", "clients", "tuning_curves", "heatmap", "learning_curves"} <= draw_every_figure(fresh, STUDY)
    assert fresh.planned() == {}, "twice runs nothing"
