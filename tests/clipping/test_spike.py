"""SPAM's clip against pytorch_optimizer's, over whole trainings."""

import pandas as pd
import pytest
import torch
from clip_oracles import SEEDS, Tensors, assert_all_equal, clip_all, trajectory, with_optimizer, zeros
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_optimizer import SPAM

from study.clipping.spike import Spike

SOME = settings(max_examples=10)
FIRST = "layers.0.weight"


def with_package(method: Spike, gradients: list[Tensors]) -> list[Tensors]:
    """Without its masks and resets; its warm-up ends one step earlier than its argument says, counted from 1."""

    def build(parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
        return SPAM(
            parameters,
            betas=(0.0, method.smoothing),
            threshold=method.threshold,
            grad_accu_steps=method.warm_up_steps + 1,
            update_proj_gap=10**9,
        )

    return with_optimizer(build, gradients)


@SOME
@given(
    seed=SEEDS,
    threshold=st.floats(1.0, 10_000.0),
    smoothing=st.floats(0.5, 0.999),
    warm_up=st.integers(1, 30),
)
def test_spike_is_the_package(seed: int, threshold: float, smoothing: float, warm_up: int) -> None:
    method, gradients = Spike(threshold=threshold, smoothing=smoothing, warm_up_steps=warm_up), trajectory(seed, 60)
    assert_all_equal(clip_all(method, gradients), with_package(method, gradients), relative=1e-4)


def test_the_defaults_are_the_packages() -> None:
    gradients = trajectory(1, 60)
    for key in gradients[40]:
        gradients[40][key] *= 1e3
    ours = clip_all(Spike(), gradients)
    assert_all_equal(ours, with_package(Spike(), gradients), relative=1e-4)
    assert not torch.equal(ours[40][FIRST], gradients[40][FIRST])


def test_the_first_step_is_not_zeroed() -> None:
    """Before it no square is known: the bound sqrt(threshold v) would be 0."""
    gradients = trajectory(2, 3)
    clipped = clip_all(Spike(warm_up_steps=0), gradients)
    assert all(torch.equal(clipped[0][key], gradients[0][key]) for key in gradients[0])
    assert all((h != 0).all() for h in clipped[2].values())


def test_a_coordinate_that_was_silent_in_the_warm_up_lives_on() -> None:
    """The package clips it to sqrt(threshold 0) = 0, averages that 0 in, and so for ever after."""
    gradients = trajectory(3, 60)
    for gradient in gradients[:30]:
        gradient[FIRST][0, 0] = 0.0
    ours, theirs = clip_all(Spike(), gradients), with_package(Spike(), gradients)
    assert all(h[FIRST][0, 0] == g[FIRST][0, 0] for h, g in zip(ours[:31], gradients[:31], strict=True))
    assert ours[-1][FIRST][0, 0] != 0
    assert all(h[FIRST][0, 0] == 0 for h in theirs)


@SOME
@given(seed=SEEDS)
def test_the_squares_are_pandas_exponential_average_from_zero(seed: int) -> None:
    method, gradients, state = Spike(smoothing=0.9), trajectory(seed, 40), Spike().initial_state(zeros())
    squares, averages = [0.0], []
    for g in gradients:
        h, state = method.clip(g, zeros(), state)
        squares.append(float(h[FIRST][1, 2]) ** 2)
        averages.append(float(state[f"square of {FIRST}"][1, 2]))
    expected = pd.Series(squares).ewm(alpha=0.1, adjust=False).mean()
    assert averages == pytest.approx(expected.tolist()[1:], rel=1e-4)
