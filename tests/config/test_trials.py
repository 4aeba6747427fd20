"""Trials of a tuning: the design, what is tried, and what a configuration may say of it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats.qmc import discrepancy

from study.config.read import ConfigError, parse
from study.config.study import Study
from study.config.trials import design
from study.config.variants import Variant, expand, expand_trials, expand_tuning, trials
from study.methods.ranges import LogRange

REGIME: dict[str, Any] = {
    "data": {"name": "mnist-sample", "train_size": 100, "validation_size": 100},
    "batch_size": 20,
    "grid": "alone",
    "clips": ["none", "global_norm", {"name": "per_sample_adaptive", "initial_norm": 1.0}],
    "regularizations": ["none", "l2", ["dropout", "l2"], "weight_averaging"],
    "pairs": [["global_norm", "dropout"]],
    "tuning": {"trials": 9, "seeds": 2, "ranges": {"lr": [0.01, 1]}},
}


def study(**changes: Any) -> Study:
    return parse({"name": "a", "seeds": 3, "regimes": {"x": {**REGIME, **changes}}})


def errors(**changes: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        study(**changes)
    return caught.value.messages


def of(found: Study, clip: str, regularization: str) -> tuple[Variant, ...]:
    for one in expand_trials(found):
        names = (one.clip.name, " + ".join(part.name for part in one.regularization))
        if names == (clip, regularization):
            return trials(one)
    raise AssertionError(f"no {clip} with {regularization}")


# --- the design


@given(st.integers(2, 64), st.integers(0, 100))
def test_a_design_is_repeatable_within_the_cube_and_without_twins(n: int, seed: int) -> None:
    points = design(n, seed)
    assert points.shape == (n, 8)
    assert ((points >= 0) & (points < 1)).all()
    assert np.array_equal(points, design.__wrapped__(n, seed))
    assert all(len(np.unique(column)) == n for column in points.T)


def test_more_trials_keep_those_there_are() -> None:
    """A budget of 25 and the next power of two are one sequence; so are nested budgets below a power of two."""
    assert np.array_equal(design(25, 3), design(32, 3)[:25])
    assert not np.array_equal(design(25, 3), design(25, 4))


@pytest.mark.parametrize("n", [16, 25, 32])
def test_a_design_covers_a_square_better_than_chance(n: int) -> None:
    chance = [discrepancy(np.random.default_rng(i).random((n, 2))) for i in range(50)]
    ours = [discrepancy(design(n, seed)[:, :2]) for seed in range(20)]
    assert np.mean(ours) < np.quantile(chance, 0.05)


# --- ranges


@given(st.floats(1e-6, 1), st.floats(1.5, 1e6), st.floats(0, 1))
def test_a_value_lies_at_its_place(low: float, factor: float, u: float) -> None:
    span = LogRange("strength", low, low * factor)
    assert span.place(span.at(u)) == pytest.approx(u, abs=0.006 / np.log(factor))
    assert span.at(0) == pytest.approx(low, rel=0.006)
    assert span.at(1) == pytest.approx(low * factor, rel=0.006)


def test_a_complement_is_on_the_scale_of_its_distance_from_one() -> None:
    span = LogRange("decay", 1e-3, 0.1, of_complement=True)
    assert [span.at(u) for u in (0, 0.5, 1)] == [0.999, 0.99, 0.9]
    assert span.place(0.99) == pytest.approx(0.5)


@pytest.mark.parametrize(("low", "high", "complement"), [(0, 1, False), (2, 1, False), (0.5, 1, True), (-1, 1, False)])
def test_a_range_that_is_none_is_refused(low: float, high: float, complement: bool) -> None:
    with pytest.raises(ValueError, match="The range of 'strength' must have 0 < low < high"):
        LogRange("strength", low, high, of_complement=complement)


# --- what is tried


def test_every_method_and_the_baseline_get_the_same_trials_at_the_same_learning_rates() -> None:
    found = expand_trials(study())
    assert len(found) == 7
    rates = {tuple(one.optimizer.lr for one in trials(each)) for each in found}
    assert len(rates) == 1
    assert len(set(rates.pop())) == 9


def test_the_baseline_spends_its_trials_on_the_learning_rate_alone() -> None:
    tried = of(study(), "none", "none")
    assert {(one.clip_label, one.regularization_label) for one in tried} == {("none", "none")}
    assert len({one.digest for one in tried}) == 9


def test_strengths_lie_in_their_ranges_and_rates_in_theirs() -> None:
    for one in of(study(), "global_norm", "dropout"):
        assert 0.01 <= one.clip.max_norm <= 10  # type: ignore[attr-defined]
        assert 0.03 <= one.regularization[0].p <= 0.9  # type: ignore[attr-defined]
        assert 0.01 <= one.optimizer.lr <= 1


def test_a_combination_has_a_coordinate_for_each_of_its_methods() -> None:
    tried = of(study(), "none", "dropout + l2")
    places = np.array([[one.regularization[0].p, one.regularization[1].strength] for one in tried])  # type: ignore[attr-defined]
    assert abs(np.corrcoef(np.log(places.T))[0, 1]) < 0.8


def test_other_parameters_of_a_method_stay_as_given() -> None:
    assert {one.clip.initial_norm for one in of(study(), "per_sample_adaptive", "none")} == {1.0}  # type: ignore[attr-defined]


def test_trials_measure_no_more_than_scores_and_are_no_variants_to_be_chosen_any_more() -> None:
    one = of(study(), "global_norm", "none")[0]
    assert (one.tuned, one.statistics.every_step, one.statistics.probes) == (None, False, 0)
    assert one.digest == Variant.model_validate_json(one.model_dump_json()).digest


def test_what_is_evaluated_is_a_cell_for_each_method_and_pair() -> None:
    found = study()
    assert [(v.clip.name, len(v.regularization)) for v in expand(found)] == [
        ("none", 1), ("none", 1), ("none", 2), ("none", 1), ("global_norm", 1), ("per_sample_adaptive", 1),
        ("global_norm", 1),
    ]  # fmt: skip
    assert all(v.tuned for v in expand(found))
    assert expand_tuning(found) == ()


def test_a_variant_without_trials_has_none() -> None:
    with pytest.raises(ValueError, match="must be tuned by trials"):
        trials(of(study(), "none", "none")[0])


def test_a_study_of_trials_is_the_same_after_a_round_trip() -> None:
    found = study()
    again = Study.model_validate_json(found.model_dump_json())
    assert again == found
    assert [v.digest for v in expand(again)] == [v.digest for v in expand(found)]


def test_another_budget_range_or_metric_makes_another_variant() -> None:
    tunings: Iterator[dict[str, Any]] = iter(
        (
            {},
            {"trials": 8},
            {"design_seed": 1},
            {"metric": "best_validation_loss"},
            {"ranges": {"lr": [0.01, 2]}},
            {"widened": {"global_norm": [0.001, 10]}},
            {"seeds": 3},
        )
    )
    digests = [expand(study(tuning={**REGIME["tuning"], **one}))[0].digest for one in tunings]
    assert len(set(digests)) == len(digests)


def test_widening_replaces_a_range() -> None:
    tuning = {**REGIME["tuning"], "trials": 64, "widened": {"global_norm": [1e-5, 1e4]}}
    tried = [one.clip.max_norm for one in of(study(tuning=tuning), "global_norm", "none")]  # type: ignore[attr-defined]
    assert min(tried) < 1e-4
    assert max(tried) > 1e3


# --- mistakes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"clips": ["none", {"name": "global_norm", "max_norm": 1.0}], "pairs": []},
         "regimes.x.clips: The 'clips' parameter of regime must leave out 'max_norm', which the trials choose. "
         "Got 1.0 for 'global_norm' instead."),
        ({"tuning": {"trials": 5, "ranges": {"lr": [1, 0.01]}}},
         "regimes.x.tuning.ranges: The 'ranges' parameter of tuning must go from a smaller to a greater number. "
         "Got [1.0, 0.01] for 'lr' instead."),
        ({"tuning": {"trials": 5, "ranges": {"l1": [0.1, 1]}}},
         "regimes.x.tuning: The 'tuning' parameter of regime must give ranges of its methods, which are 'dropout', "
         "'global_norm', 'l2', 'lr', 'per_sample_adaptive', 'weight_averaging'. Got 'l1' instead."),
        ({"tuning": {"trials": 5, "widened": {"global_norm": [1, 20]}}},
         "regimes.x.tuning: The 'tuning' parameter of regime must widen 'global_norm' to a range that holds the one "
         "before, [0.01, 10]. Got [1.0, 20.0] instead."),
        ({"tuning": {"trials": 5, "metric": "test_loss"}},
         "regimes.x.tuning.metric: The 'metric' parameter of tuning must be one of 'validation_loss', "
         "'validation_accuracy', 'best_validation_loss', 'best_validation_accuracy', 'train_loss'. Got 'test_loss' "
         "instead. Did you mean 'train_loss'?"),
        ({"tuning": {"trials": 5, "rule": "one_standard_error"}},
         "regimes.x.tuning.rule: The 'rule' parameter of tuning must be left out with 'trials'. "
         "Got ['one_standard_error'] instead."),
        ({"clips": ["none"], "regularizations": ["none"], "pairs": [], "tuning": {"ranges": {"lr": [0.1, 1]}}},
         "regimes.x.tuning.ranges: The 'ranges' parameter of tuning must be left out without 'trials'. "
         "Got {'lr': (0.1, 1.0)} instead."),
        ({"pairs": [["none", "l2"]]},
         "regimes.x.pairs: The 'pairs' parameter of regime must be of methods other than 'none'. "
         "Got none and l2(0.001) instead."),
        ({"pairs": [["global_norm", "l2"], ["global_norm", "l2"]]},
         "regimes.x.pairs: The 'pairs' parameter of regime must have each pair once. "
         "Got 'global_norm(0.316) and l2(0.001)' twice instead."),
    ],
)  # fmt: skip
def test_mistakes_are_said_once_and_by_their_place(changes: dict[str, Any], message: str) -> None:
    assert errors(**changes) == [message]


def test_two_forms_of_one_method_cannot_share_its_trials() -> None:
    forms = [{"name": "global_norm", "order": 2}, {"name": "global_norm", "order": "inf"}]
    assert errors(clips=["none", *forms], pairs=[]) == [
        "regimes.x.clips: The 'clips' parameter of regime must name each method once where trials choose its strength."
        " Got 'global_norm' twice instead."
    ]
