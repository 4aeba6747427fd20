"""Scores are told in the words of the workload that all runs are of, and names of columns are kept."""

import pandas as pd
import pytest

from study.results.terms import of_tables, of_workloads, reworded
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
