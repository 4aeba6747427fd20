"""What is said before a study starts: its cost, and what its seeds can never decide."""

from typing import Any

import pytest
from cases import variant
from hypothesis import given
from hypothesis import strategies as st

from study.analysis.deciding import fewest_seeds, undecidable
from study.config.cost import SECONDS_PER_JOB, SECONDS_PER_PROGRAM, TrainingCost, cost_table, program_of
from study.config.read import parse
from study.config.study import Study

CLIPS = ["none", "sign", {"name": "value", "bound": {"grid": [1.0, 0.1, 0.01]}}]


def study(seeds: int, clips: list[object], grid: str = "crossed") -> Study:
    regimes = {"a": {"grid": grid, "clips": clips, "regularizations": ["none", {"name": "l2", "strength": 0.1}]}}
    return parse({"name": "s", "seeds": seeds, "regimes": regimes})


@given(st.integers(1, 500))
def test_a_family_needs_the_seeds_whose_smallest_p_holm_leaves_below_the_level(comparisons: int) -> None:
    needed = fewest_seeds(0.05 / comparisons)
    assert comparisons * 2.0 ** (1 - needed) < 0.05
    assert needed == 2 or comparisons * 2.0 ** (2 - needed) >= 0.05


@pytest.mark.parametrize(
    ("seeds", "expected"),
    [
        (1, "With 1 seed no difference can be decided, whatever the results: that takes 6 seeds at least."),
        (5, "With 5 seeds no difference can be decided, whatever the results: that takes 6 seeds at least."),
        (
            6,
            "With 6 seeds these cannot be decided, whatever the results:"
            " the 4 clips in 'a' (with 8); the 4 combinations in 'a' (with 8).",
        ),
        (8, ""),
    ],
)
def test_what_seeds_can_never_decide_is_said_before_training(seeds: int, expected: str) -> None:
    assert undecidable(study(seeds, CLIPS)) == expected


def test_nothing_is_said_where_nothing_is_compared() -> None:
    assert undecidable(parse({"name": "s", "seeds": 1, "regimes": {"a": {}}})) == ""


def test_the_start_of_every_job_counts() -> None:
    training = TrainingCost("a", False, 3, 30, 100 - SECONDS_PER_JOB - SECONDS_PER_PROGRAM, True, "its program")
    assert "To do: 1 of 1 trainings, 0.03 core-hours" in cost_table([training], 1)
    others = round(3500 / SECONDS_PER_JOB)
    table = cost_table([training], 2, others)
    assert f"To do: 1 of 1 trainings and up to {others} jobs of tables, figures and the report, 1.00 core-ho" in table
    assert "about 30 min on 2 cores." in table


def test_a_program_that_trainings_share_is_compiled_once() -> None:
    trainings = [TrainingCost("a", False, 1, 30, 0.0, True, name) for name in ("one", "one", "other")]
    hours = 2 * SECONDS_PER_PROGRAM / 3600
    assert f"To do: 3 of 3 trainings, {hours:.2f} core-hours" in cost_table(trainings, 1)
    assert f"about {2 * SECONDS_PER_PROGRAM:.0f} s on 1 core." in cost_table(trainings, 1)


@pytest.mark.parametrize(
    ("changes", "shared"),
    [
        ({"clip": {"name": "global_norm", "max_norm": 0.3}}, True),
        ({"optimizer": {"name": "sgd", "lr": 0.7}}, True),
        ({"epochs": 9}, True),
        ({"clip": {"name": "value", "bound": 0.5}}, False),
        ({"optimizer": {"name": "adam", "lr": 0.1}}, False),
        ({"model": {"name": "mlp", "hidden": [12, 9]}}, False),
        ({"batch_size": 25}, False),
    ],
)
def test_strengths_rates_and_epochs_share_a_program_and_methods_and_nets_do_not(
    changes: dict[str, Any], shared: bool
) -> None:
    assert (program_of(variant(**changes)) == program_of(variant())) == shared
