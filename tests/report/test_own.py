"""Sentences of a report on what a user brought."""

import math
from typing import Any, Literal

import pandas as pd
import pytest
from torch import Tensor

from study.config.data import Data
from study.config.regime import Regime
from study.data.examples import Contents
from study.optim.metrics import Metric
from study.report.own import clips_before, own_metrics, privacy


def regime(**given: Any) -> Regime:
    return Regime.model_validate({"data": {"name": "mnist-sample", "validation_size": 100}} | given)


@pytest.mark.parametrize(("optimizer", "said"), [("adam", True), ("adamw", True), ("rmsprop", True), ("sgd", False)])
def test_a_clip_before_an_optimizer_that_no_scale_reaches_is_explained(optimizer: str, said: bool) -> None:
    clips = ["none", {"name": "global_norm", "max_norm": 1}]
    words = clips_before(regime(optimizer={"name": optimizer, "lr": 0.1}, clips=clips))
    assert words.startswith(f"The steps of `{optimizer}` stay the same if all gradients are multiplied") == said
    assert bool(words) == said
    assert clips_before(regime(optimizer={"name": optimizer, "lr": 0.1})) == "", "without a clip"


@pytest.mark.usefixtures("registries_as_before")
def test_a_metric_is_told_of_the_baseline_and_of_the_best_variant() -> None:
    class Worst(Metric):
        """Largest loss of an example."""

        better = "lower"
        name: Literal["worst"] = "worst"

        def value(self, logits: Tensor, labels: Tensor) -> Tensor:
            return logits.max()

    rows = [("none", "none", 3.0), ("sign", "none", 2.0), ("none", "l2(1)", 4.0)]
    summary = pd.DataFrame(rows, columns=["clip", "regularization", "mean"])
    summary = summary.assign(regime="a", metric="test_worst", low=summary["mean"] - 1, high=summary["mean"] + 1)
    told = own_metrics("a", regime(metrics=["worst"]), summary)
    assert told == "Test worst: baseline 3.0 [2.0, 4.0]; best of 3 variants is sign of the gradient, 2.0 [1.0, 3.0]."
    assert own_metrics("a", regime(), summary) == ""


def test_a_users_data_are_described_with_how_the_test_was_chosen() -> None:
    held = Contents(digest="0" * 64, examples=90, tested=30, classes=3, inputs=48, image=(6, 8))
    data = Data.model_validate(
        {"name": "trees", "path": "trees", "test": 0.25, "validation_size": 30, "contents": held.model_dump()}
    )
    assert data.words == "`trees`: 3 classes, 6 x 8 pixels; 30 pictures of the test, 25 % of each class."
    assert regime().data.words == ""


def test_privacy_is_told_of_the_variants_that_have_it() -> None:
    rows = [("none", "none", math.inf), ("per_sample(1)", "none", 2.387), ("per_sample(1)", "none", 2.388)]
    runs = pd.DataFrame(rows, columns=["clip", "regularization", "epsilon"]).assign(regime="x")
    told = privacy("x", runs)
    assert "2.4 with clip each sample to norm 1." in told
    assert told.endswith("The other variants are not private.")
    assert privacy("x", runs.iloc[:1]) == privacy("y", runs) == privacy("x", runs.drop(columns="epsilon")) == ""
