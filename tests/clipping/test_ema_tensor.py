"""AdaGC against pytorch_optimizer's, over whole trainings."""

import pandas as pd
import pytest
import torch
from clip_oracles import SEEDS, SHAPES, Tensors, assert_all_equal, clip_all, norm, trajectory, with_optimizer, zeros
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_optimizer import AdaGC

from study.clipping.ema_tensor import EmaTensor

SOME = settings(max_examples=10)


def with_package(method: EmaTensor, gradients: list[Tensors]) -> list[Tensors]:
    """Its warm-up ends one step earlier than its argument says: the steps are counted from 1 and compared with <."""

    def build(parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
        return AdaGC(
            parameters,
            betas=(0.0, 0.999),
            beta=method.smoothing,
            lambda_abs=method.max_norm,
            lambda_rel=method.ratio,
            warmup_steps=method.warm_up_steps + 1,
            weight_decay=0.0,
        )

    return with_optimizer(build, gradients)


@SOME
@given(
    seed=SEEDS,
    ratio=st.floats(1.0, 2.0),
    max_norm=st.floats(0.1, 20.0),
    smoothing=st.floats(0.5, 0.99),
    warm_up=st.integers(1, 30),
)
def test_ema_tensor_is_the_package(seed: int, ratio: float, max_norm: float, smoothing: float, warm_up: int) -> None:
    method = EmaTensor(ratio=ratio, max_norm=max_norm, smoothing=smoothing, warm_up_steps=warm_up)
    gradients = trajectory(seed, 60)
    assert_all_equal(clip_all(method, gradients), with_package(method, gradients), relative=1e-4)


def test_the_defaults_are_the_packages() -> None:
    gradients = trajectory(1, 130)
    assert_all_equal(clip_all(EmaTensor(), gradients), with_package(EmaTensor(), gradients), relative=1e-4)


def silent_at(step: int, gradients: list[Tensors]) -> list[Tensors]:
    """The gradients with a tensor of zeros at one step, as behind units that are all dead for a batch."""
    key = "layers.0.weight"
    return [{**g, key: 0 * g[key]} if t == step else g for t, g in enumerate(gradients)]


def test_a_tensor_that_is_silent_once_in_the_warm_up_lives_on() -> None:
    """The package takes the 0 for the smallest norm, and holds the tensor to nothing for ever after."""
    method, gradients = EmaTensor(warm_up_steps=10), silent_at(4, trajectory(2, 60))
    ours, theirs = clip_all(method, gradients), with_package(method, gradients)
    last = [norm({"": some[-1]["layers.0.weight"]}) for some in (ours, theirs, gradients)]
    assert last[0] > 1e-3 * last[2]
    assert last[1] < 1e-6 * last[2]


def test_a_tensor_that_was_silent_in_all_of_the_warm_up_passes_until_it_has_a_norm() -> None:
    gradients = trajectory(3, 6)
    for step in range(4):
        gradients = silent_at(step, gradients)
    clipped = clip_all(EmaTensor(warm_up_steps=3), gradients)
    assert torch.equal(clipped[4]["layers.0.weight"], gradients[4]["layers.0.weight"])
    limit = 1.05 * norm({"": gradients[4]["layers.0.weight"]})
    spike = [*gradients[:5], {key: 50 * g for key, g in gradients[5].items()}]
    last = clip_all(EmaTensor(warm_up_steps=3), spike)[-1]
    assert norm({"": last["layers.0.weight"]}) == pytest.approx(limit, rel=1e-5)


@SOME
@given(seed=SEEDS)
def test_the_averages_are_pandas_exponential_averages_of_the_clipped_norms(seed: int) -> None:
    method, gradients, state = EmaTensor(warm_up_steps=10), trajectory(seed, 50), EmaTensor().initial_state(zeros())
    norms, averages = [], []
    for g in gradients:
        h, state = method.clip(g, zeros(), state)
        norms.append([norm({key: t}) for key, t in h.items()])
        averages.append(state["average"].tolist())
    table = pd.DataFrame(norms, columns=list(SHAPES))
    start = table[:10].min().to_frame().T
    expected = pd.concat([start, table[10:]]).ewm(alpha=0.02, adjust=False).mean()
    assert averages[9:] == [pytest.approx(row, rel=1e-4) for row in expected.to_numpy().tolist()]
