"""Choosing among trials: by validation alone, the first of equals, edges said; and what a smaller budget expects."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.analysis.budgets import expected_best
from study.analysis.trials import trial_table, wider
from study.config.read import parse
from study.config.study import Study
from study.config.variants import RunSpec, expand, expand_trials, trials
from study.results.store import TableError
from study.results.trial_choice import SCORES, chosen_variant


def study(**tuning: Any) -> Study:
    return parse(
        {
            "name": "a",
            "seeds": 3,
            "regimes": {
                "x": {
                    "data": {"name": "mnist-sample", "train_size": 100, "validation_size": 100},
                    "batch_size": 20,
                    "grid": "alone",
                    "clips": ["none", "global_norm"],
                    "regularizations": ["none", "l2"],
                    "tuning": {"trials": 8, "seeds": 2, **tuning},
                }
            },
        }
    )


def runs_of(found: Study, rng: np.random.Generator, **columns: Any) -> pd.DataFrame:
    """Runs of every trial with random scores, some of their columns as given by trial and seed."""
    rows = []
    for variant in expand_trials(found):
        assert variant.tuned is not None
        for index, one in enumerate(trials(variant)):
            for seed in variant.tuned.seeds:
                scores = {key: float(rng.random()) for key in SCORES}
                given = {key: float(value(index, seed)) for key, value in columns.items()}
                rows.append({**scores, **given, "seed": seed, "fold": None, "digest": RunSpec(one, seed).digest})
    return pd.DataFrame(rows).assign(status="ok", study="a")


def away_from(place: int, sign: int) -> Callable[[int, int], float]:
    return lambda trial, seed: sign * abs(trial - place)


def test_the_smallest_mean_validation_loss_is_chosen_whatever_the_test_set_says() -> None:
    found, rng = study(), np.random.default_rng(0)
    runs = runs_of(found, rng, validation_loss=lambda i, seed: abs(i - 5) + (seed % 2), test_accuracy=lambda i, _: -i)
    table = trial_table(runs, found)
    assert len(table) == 3 * 8
    assert list(table.loc[table["chosen"], "trial"]) == [5, 5, 5]
    again = trial_table(runs.assign(test_accuracy=rng.random(len(runs)), best_test_loss=0.0), found)
    assert (again["chosen"] == table["chosen"]).all()


@pytest.mark.parametrize(
    ("metric", "chosen"),
    [("validation_loss", 1), ("validation_accuracy", 2), ("best_validation_loss", 3), ("best_validation_accuracy", 4)],
)
def test_each_metric_chooses_its_own_best(metric: str, chosen: int) -> None:
    found = study(metric=metric)
    peaks = {"validation_loss": 1, "validation_accuracy": 2, "best_validation_loss": 3, "best_validation_accuracy": 4}
    columns = {key: away_from(place, 1 if key.endswith("loss") else -1) for key, place in peaks.items()}
    table = trial_table(runs_of(found, np.random.default_rng(1), **columns), found)
    assert set(table.loc[table["chosen"], "trial"]) == {chosen}


def test_a_trial_of_which_one_seed_diverged_is_never_chosen_and_of_equals_the_first_is() -> None:
    found = study()
    runs = runs_of(
        found,
        np.random.default_rng(2),
        validation_loss=lambda i, seed: np.nan if i == 0 and seed % 2 else (0.0 if i == 0 else 1.0),
    )
    table = trial_table(runs, found)
    assert set(table.loc[table["chosen"], "trial"]) == {1}
    assert (table.loc[table["trial"] == 0, "score"] == -np.inf).all()


def test_what_is_evaluated_is_the_chosen_trial_with_all_its_statistics() -> None:
    found = study()
    runs = runs_of(found, np.random.default_rng(3), validation_loss=lambda i, _: abs(i - 6))
    for variant, tried in zip(expand(found), expand_trials(found), strict=True):
        chosen = chosen_variant(variant, runs)
        assert chosen.statistics == found.statistics
        assert not chosen.tuned
        was = trials(tried)[6]
        assert (chosen.optimizer, chosen.clip, chosen.regularization) == (was.optimizer, was.clip, was.regularization)


def test_an_optimum_at_an_edge_is_said_with_its_range() -> None:
    found = study(ranges={"lr": [0.01, 1.0]})
    variant = next(one for one in expand_trials(found) if one.clip.name == "global_norm")
    rates = [one.optimizer.lr for one in trials(variant)]
    lowest = int(np.argmin(rates))
    runs = runs_of(found, np.random.default_rng(4), validation_loss=lambda i, _: abs(i - lowest))
    table = trial_table(runs, found)
    assert table.loc[table["chosen"], "edge"].str.contains(r"lr: low end of \[0.01, 1\]", regex=True).all()
    assert (table.loc[~table["chosen"], "edge"] == "").all()
    said = wider(table)
    assert len(said) == 3
    assert "the best of 8 trials of the baseline lies at an edge" in said[0]


def test_trials_without_runs_are_named() -> None:
    found = study()
    runs = runs_of(found, np.random.default_rng(5))
    with pytest.raises(TableError, match="The trials must have runs of 'x: none with none at lr"):
        trial_table(runs[runs["digest"] == "none"], found)


# --- expected best of k


@given(st.lists(st.integers(0, 5), min_size=1, max_size=7), st.data())
def test_the_expected_best_is_the_mean_over_all_subsets(selecting: list[int], data: Any) -> None:
    n = len(selecting)
    reported = np.array(data.draw(st.lists(st.floats(-1, 1), min_size=n, max_size=n)))
    # Where several select alike the first is taken, as `best` does.
    for k in range(1, n + 1):
        slow = [reported[max(some, key=lambda i: (selecting[i], -i))] for some in combinations(range(n), k)]
        assert expected_best(np.array(selecting, float), reported, [k])[0] == pytest.approx(np.mean(slow), abs=1e-9)


def test_a_larger_budget_never_expects_less_of_what_it_selects_by() -> None:
    values = np.random.default_rng(6).standard_normal(25)
    curve = expected_best(values, values, range(1, 26))
    assert (np.diff(curve) >= -1e-12).all()
    assert curve[0] == pytest.approx(values.mean())
    assert curve[-1] == pytest.approx(values.max())


def test_a_budget_beyond_the_trials_is_refused() -> None:
    with pytest.raises(ValueError, match="must be from 1 to 3"):
        expected_best(np.arange(3.0), np.arange(3.0), [4])
