"""A study that sweeps, tunes and decides claims, through the whole workflow, and the one that the docs show."""

import re

import pandas as pd
import pytest

from tests.checkout import ROOT, Checkout

pytestmark = pytest.mark.workflow

PAGE = (ROOT / "docs" / "asking.md").read_text()
QUESTION = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0]


def test_the_question_of_the_docs_is_tuned_decided_and_answered_as_printed(fresh: Checkout) -> None:
    fresh.edit("config/smoke.yaml", lambda _: QUESTION.replace("name: mine", "name: smoke"))
    printed = fresh.snakemake("--cores", "2", "--", "cost")
    assert "To do: 12 of 12 trainings" in printed, "evaluation and tuning: rates x (none and two thresholds)"
    assert "deeper_lr=0.3" in printed
    assert "of these, tuning" in printed
    assert not (fresh.results / "runs").exists(), "a cost is stated before anything starts"
    fresh.snakemake("--cores", "2")
    runs, tuning_runs = (pd.read_parquet(fresh.results / f"{name}.parquet") for name in ("runs", "tuning_runs"))
    assert set(runs["seed"]) == set(range(8))
    assert set(tuning_runs["seed"]) == {10_000}
    assert set(tuning_runs["fold"]) == {0, 1, 2}
    tuning, claims = (pd.read_csv(fresh.results / f"{name}.csv") for name in ("tuning", "claims"))
    assert tuning.groupby(["setting", "kind", "method"])["chosen"].sum().eq(1).all()
    assert list(claims["claim"]) == ["exploding", "exploding", "efficiency"]
    assert claims["where"].str.contains("deeper_lr=").all()
    report = (fresh.results / "paper" / "report.md").read_text()
    assert "## Which claims hold" in report
    words = re.sub(" +", " ", report)
    verdict = claims.loc[claims["claim"] == "efficiency", "verdict"].iloc[0]
    assert f"| Clipping makes training more efficient. | **{verdict}** |" in words
    assert f"**Clipping makes training more efficient.** {verdict.capitalize()}" in words
    for question in re.findall(r"^- \*\*(.*\?)\*\*", PAGE, re.MULTILINE):
        assert f"- **{question}** " in report
        assert f"### {question}" in report
    assert "## How strengths were chosen" in report
    assert fresh.planned() == {}, "twice runs nothing"
    fresh.edit("config/smoke.yaml", lambda text: text.replace("target: 0.7", "target: 0.6"))
    assert "train" not in fresh.planned(), "another claim trains nothing"
    _scored_at_the_best_epoch(fresh)


def _scored_at_the_best_epoch(fresh: Checkout) -> None:
    fresh.edit("config/smoke.yaml", lambda text: f"{text}\nscored_at: best_epoch\n")
    planned = fresh.planned()
    assert planned["score"] == 2, "runs and those of the tuning"
    assert "train" not in planned
    fresh.snakemake("--cores", "2", "--", "results/smoke/comparisons.csv")
    summary = pd.read_csv(fresh.results / "summary.csv").pivot_table(
        index=["regime", "clip", "regularization"], columns="metric", values="mean"
    )
    runs = pd.read_parquet(fresh.results / "runs.parquet")
    assert summary["test_accuracy"].equals(summary["best_test_accuracy"].rename("test_accuracy"))
    assert not runs["test_accuracy"].equals(runs["best_test_accuracy"]), "both are kept where runs are collected"
