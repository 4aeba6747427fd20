"""Scores are told in the words of the workload that all runs are of, and names of columns are kept."""

import pandas as pd
import pytest
from matplotlib.figure import Figure

from study.config.regime import Regime
from study.figures._words import reword
from study.results.terms import of_tables, of_workloads, reworded, samples_of
from study.workloads import Supervised, Workload
from study.workloads.adversarial import Adversarial


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("The test accuracy rose by 0.3 points.", "The test coverage rose by 0.3 points."),
        ("test cross-entropy +0.16 nats", "test Fréchet distance +0.16"),
        ("Accuracies: p < .05, test accuracy, P(A > B)", "Coverages: p < .05, test coverage, P(A > B)"),
        ("Columns named `accuracy`, [accuracy](#accuracy)", "Columns named `accuracy`, [coverage](#accuracy)"),
        ("the loss of the batch, a validation loss", "the loss of the batch, a validation distance"),
    ],
)
def test_words_of_scores(text: str, told: str) -> None:
    assert reworded(text, Adversarial) == told
    assert reworded(text, Supervised) == text


def test_a_study_of_several_workloads_keeps_the_words_of_any() -> None:
    assert of_workloads([Adversarial(), Adversarial(samples=10)]) is Adversarial
    assert of_workloads([Adversarial(), Supervised()]) is Workload


def test_tables_are_known_by_the_columns_that_are_filled() -> None:
    own = pd.DataFrame({"regime": ["a", "b"], "frechet_distance": [1.0, 2.0]})
    assert of_tables({"runs": own}) is Adversarial
    assert of_tables({"runs": own.assign(frechet_distance=[1.0, None])}) is Workload
    assert of_tables({"runs": own[["regime"]]}) is Workload
    assert of_tables({}) is Workload


def regime(clip_at: str, *clips: dict[str, object]) -> Regime:
    workload = {"name": "federated", "clip_at": clip_at}
    return Regime.model_validate({"workload": workload, "clips": ["none", *clips], "batch_size": 10})


def test_a_clip_of_samples_is_told_of_what_it_acts_on() -> None:
    one, adaptive = {"name": "per_sample", "max_norm": 1.0}, {"name": "per_sample_adaptive", "initial_norm": 1.0}
    steps, updates = regime("step", one), regime("update", one, adaptive, {"name": "global_norm", "max_norm": 1.0})
    assert samples_of([steps]) == {}
    assert samples_of([updates]) == {"per_sample": ["update"], "per_sample_adaptive": ["update"]}
    assert samples_of([steps, updates])["per_sample"] == ["sample", "update"]


def test_a_figure_is_told_of_what_its_clips_act_on() -> None:
    figure = Figure()
    figure.text(0, 0, "clip each sample\nto norm 1")
    figure.text(0, 0, "a sample of digits")
    axes = figure.add_subplot()
    axes.set_yticks([0, 1], ["clip each sample to norm 1", "no clip"])
    reword(figure, {}, {"per_sample": ["update"]})
    assert [text.get_text() for text in figure.texts] == ["clip each update\nto norm 1", "a sample of digits"]
    figure.canvas.draw()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["clip each update to norm 1", "no clip"]
