"""Schedules against torch's own, and what each promises."""

import math
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from torch.optim import lr_scheduler as torchs

from study.optim.schedules import Constant, Cosine, Schedule, Steps

LENGTHS = st.integers(1, 300)
WARMUPS = st.integers(0, 40)
EXAMPLES: list[Schedule] = [Constant(), Steps(), Steps(drops=4, gamma=0.5), Steps(gamma=1), Cosine(), Cosine(final=0.1)]
each = pytest.mark.parametrize("schedule", EXAMPLES, ids=lambda s: s.label)


def factors(schedule: Schedule, steps: int) -> list[float]:
    return [schedule.factor(step, steps) for step in range(steps)]


def warmed(schedule: Schedule, warmup: int) -> Schedule:
    return schedule.model_copy(update={"warmup": warmup})


def with_torch(make: Any, steps: int, warmup: int = 0) -> list[float]:
    """The learning rates of torch's scheduler on an optimizer of rate 1; LinearLR goes before it, if anything does."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = make(optimizer)
    if warmup:
        rise = torchs.LinearLR(optimizer, start_factor=1 / warmup, total_iters=warmup - 1)
        scheduler = torchs.SequentialLR(optimizer, [rise, scheduler], milestones=[warmup])
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def test_every_schedule_has_an_example() -> None:
    of_the_study = {name for name, method in Schedule.members.items() if method.__module__.startswith("study.")}
    assert {schedule.name for schedule in EXAMPLES} == of_the_study


@given(steps=LENGTHS)
def test_constant_is_torchs(steps: int) -> None:
    assert factors(Constant(), steps) == with_torch(lambda o: torchs.ConstantLR(o, factor=1), steps) == [1.0] * steps


@given(part=st.integers(1, 30), drops=st.integers(1, 6), gamma=st.floats(0.1, 1))
def test_step_is_torchs_where_the_parts_are_equal(part: int, drops: int, gamma: float) -> None:
    steps = part * (drops + 1)
    theirs = with_torch(lambda o: torchs.StepLR(o, step_size=part, gamma=gamma), steps)
    assert factors(Steps(drops=drops, gamma=gamma), steps) == pytest.approx(theirs, rel=1e-12)


@given(steps=LENGTHS, drops=st.integers(1, 6))
def test_step_drops_at_the_first_step_of_each_part(steps: int, drops: int) -> None:
    milestones = [-(-k * steps // (drops + 1)) for k in range(1, drops + 1)]
    theirs = with_torch(lambda o: torchs.MultiStepLR(o, milestones=milestones, gamma=0.5), steps)
    assert factors(Steps(drops=drops, gamma=0.5), steps) == pytest.approx(theirs, rel=1e-12)


@given(steps=LENGTHS, final=st.floats(0, 0.9))
def test_cosine_is_torchs(steps: int, final: float) -> None:
    theirs = with_torch(lambda o: torchs.CosineAnnealingLR(o, T_max=steps, eta_min=final), steps)
    assert factors(Cosine(final=final), steps) == pytest.approx(theirs, rel=1e-9, abs=1e-12)


OF_TORCH = {
    "constant": (Constant(), lambda o, n: torchs.ConstantLR(o, factor=1)),
    "step": (Steps(drops=1, gamma=0.5), lambda o, n: torchs.MultiStepLR(o, milestones=[-(-n // 2)], gamma=0.5)),
    "cosine": (Cosine(final=0.1), lambda o, n: torchs.CosineAnnealingLR(o, T_max=n, eta_min=0.1)),
}


@pytest.mark.parametrize("name", OF_TORCH)
@given(warmup=st.integers(2, 40), after=st.integers(1, 100))
@pytest.mark.filterwarnings("ignore:The epoch parameter in `scheduler.step:UserWarning")  # SequentialLR's own call
def test_warm_up_is_torchs_linear_and_sequential(name: str, warmup: int, after: int) -> None:
    schedule, make = OF_TORCH[name]
    theirs = with_torch(lambda o: make(o, after), warmup + after, warmup)
    assert factors(warmed(schedule, warmup), warmup + after) == pytest.approx(theirs, rel=1e-9, abs=1e-12)


@each
@given(steps=LENGTHS, warmup=WARMUPS)
def test_a_factor_is_above_0_and_at_most_1(schedule: Schedule, steps: int, warmup: int) -> None:
    assert all(0 < factor <= 1 for factor in factors(warmed(schedule, warmup), steps))


@each
@given(steps=LENGTHS, warmup=WARMUPS)
def test_warm_up_rises_linearly_to_1_and_then_it_falls(schedule: Schedule, steps: int, warmup: int) -> None:
    found = factors(warmed(schedule, warmup), steps)
    assert found[:warmup] == [(step + 1) / warmup for step in range(min(warmup, steps))]
    after = found[warmup:]
    assert all(a >= b for a, b in pairwise(after))
    assert after[:1] in ([], [1.0])


@each
@given(steps=LENGTHS, warmup=WARMUPS)
def test_after_its_warm_up_it_is_a_schedule_of_the_steps_that_remain(
    schedule: Schedule, steps: int, warmup: int
) -> None:
    assert factors(warmed(schedule, warmup), warmup + steps)[warmup:] == factors(schedule, steps)


@given(steps=st.integers(7, 300), drops=st.integers(1, 6), gamma=st.floats(0.1, 1))
def test_step_ends_after_all_its_drops(steps: int, drops: int, gamma: float) -> None:
    assert factors(Steps(drops=drops, gamma=gamma), steps)[-1] == pytest.approx(gamma**drops)


@given(steps=st.integers(2, 10_000), final=st.floats(0, 0.9))
def test_cosine_is_half_way_in_the_middle_and_reaches_its_end_with_the_run(steps: int, final: float) -> None:
    schedule = Cosine(final=final)
    assert schedule.factor(steps, 2 * steps) == pytest.approx((1 + final) / 2)
    assert final < schedule.factor(steps - 1, steps) <= final + (1 - final) * (math.pi / steps) ** 2 / 4 + 1e-12
    assert schedule.factor(steps, steps) == pytest.approx(final, abs=1e-12), "what a step more would have"


def test_a_run_that_ends_while_it_warms_up_never_decays() -> None:
    assert factors(Cosine(warmup=10), 5) == [0.1, 0.2, 0.3, 0.4, 0.5]


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        (
            {"name": "step", "gamma": 2},
            "The 'gamma' parameter of schedule 'step' must be a number above 0 and at most 1. Got 2 instead.",
        ),
        (
            {"name": "cosine", "warmup": -1},
            "The 'warmup' parameter of schedule 'cosine' must be a whole number of at least 0. Got -1 instead.",
        ),
    ],
)
def test_what_is_no_schedule_is_refused(given_: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Schedule.parse(given_)
    assert [line["msg"] for line in caught.value.errors()] == [message]
