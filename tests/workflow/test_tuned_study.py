"""A study that sweeps, tunes and decides claims, through the whole workflow, and the one that the docs show."""

import re

import pandas as pd
import pytest

from tests.workflow.conftest import ROOT, Checkout

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("workflow")]  # one worker: they share a finished study

PAGE = (ROOT / "docs" / "asking.md").read_text()
QUESTION = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0]
TUNED = """
name: smoke
seeds: 6
seeds_per_job: 6
defaults:
  grid: alone
  data: {name: mnist-sample, train_size: 301, validation_size: 100}
  model: {name: mlp, hidden: [16]}
  batch_size: 32
regimes:
  rates:
    epochs: 3
    sweep: {optimizer.lr: [0.1, 1.0]}
    clips: [none, {name: global_norm, max_norm: {grid: [1.0, 0.1]}}]
    tuning: {folds: 3, seeds: 1, along: [optimizer.lr]}
claims: [{name: efficiency, settings: [rates], clips: [global_norm], target: 0.5}]
statistics: {probes: 0}
"""


def test_a_sweep_is_tuned_decided_and_reported(fresh: Checkout) -> None:
    fresh.edit("config/smoke.yaml", lambda _: TUNED)
    assert fresh.planned()["train"] == 2 * 3 + 2 * 3, "evaluation and tuning: rates x (none and two thresholds)"
    assert "of these, tuning" in fresh.snakemake("--cores", "2", "--", "cost")
    assert not (fresh.results / "runs").exists(), "a cost is stated before anything starts"
    fresh.snakemake("--cores", "2")
    runs, tuning_runs = (pd.read_parquet(fresh.results / f"{name}.parquet") for name in ("runs", "tuning_runs"))
    assert set(runs["seed"]) == set(range(6))
    assert set(tuning_runs["seed"]) == {10_000}
    assert set(tuning_runs["fold"]) == {0, 1, 2}
    tuning, claims = (pd.read_csv(fresh.results / f"{name}.csv") for name in ("tuning", "claims"))
    assert tuning.groupby(["setting", "kind", "method"])["chosen"].sum().eq(1).all()
    assert list(claims["claim"]) == ["efficiency"]
    assert claims["where"].str.contains("rates_lr=").all()
    report = (fresh.results / "paper" / "report.md").read_text()
    assert "## Which claims hold" in report
    assert f"| Clipping makes training more efficient. | **{claims['verdict'].iloc[0]}** |" in re.sub(" +", " ", report)
    assert "## How strengths were chosen" in report
    assert fresh.planned() == {}, "twice runs nothing"
    fresh.edit("config/smoke.yaml", lambda text: text.replace("target: 0.5", "target: 0.6"))
    assert "train" not in fresh.planned(), "another claim trains nothing"


def test_the_question_of_the_docs_is_planned_and_its_cost_stated(fresh: Checkout) -> None:
    fresh.edit("config/smoke.yaml", lambda _: QUESTION.replace("name: mine", "name: smoke"))
    assert fresh.planned()["train"] == 2 * 2 * 5 * 2
    printed = fresh.snakemake("--cores", "2", "--", "cost")
    assert "deeper_lr=0.3_depth=4" in printed
    assert "To do: 40 of 40 trainings" in printed
