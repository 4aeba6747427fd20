"""ZClip against the package of its authors, over whole trainings."""

import pandas as pd
import pytest
import torch
from clip_oracles import SEEDS, Tensors, assert_all_equal, assert_equal, clip_all, graded, norm, trajectory, zeros
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from zclip import ZClip

from study.clipping.zscore import ZScore

SOME = settings(max_examples=10)


class Holder(nn.Module):
    """A module whose parameters bear given gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.tensors = nn.ParameterList(graded(zeros()).values())

    def hold(self, gradient: Tensors) -> None:
        for p, g in zip(self.tensors, gradient.values(), strict=True):
            p.grad = g.clone()


def with_package(package: ZClip, gradients: list[Tensors]) -> list[Tensors]:
    model, clipped = Holder(), []
    for gradient in gradients:
        model.hold(gradient)
        package.step(model)
        clipped.append({key: p.grad for key, p in zip(gradient, model.tensors, strict=True)})
    return clipped


@SOME
@given(seed=SEEDS, z=st.floats(0.5, 4.0), smoothing=st.floats(0.5, 0.99), warm_up=st.integers(1, 30))
def test_zscore_is_the_package(seed: int, z: float, smoothing: float, warm_up: int) -> None:
    gradients = trajectory(seed, 80)
    ours = clip_all(ZScore(z_threshold=z, smoothing=smoothing, warm_up_steps=warm_up), gradients)
    package = ZClip(alpha=smoothing, z_thresh=z, warmup_steps=warm_up, max_grad_norm=None)
    assert_all_equal(ours, with_package(package, gradients), relative=1e-3)


def test_the_defaults_are_the_packages() -> None:
    """But for a cap of 1 on every norm, which the package adds to the method unless told not to."""
    gradients = trajectory(1, 100)
    assert_all_equal(clip_all(ZScore(), gradients), with_package(ZClip(max_grad_norm=None), gradients), relative=1e-3)


def test_the_warm_up_lets_everything_pass() -> None:
    gradients = trajectory(2, 25)
    for clipped, g in zip(clip_all(ZScore(), gradients), gradients, strict=True):
        assert all(torch.equal(clipped[key], g[key]) for key in g)


def test_the_larger_the_spike_the_nearer_to_the_mean_it_comes_out() -> None:
    calm = [{key: (1 + 0.1 * (-1) ** t) * g for key, g in trajectory(3, 1)[0].items()} for t in range(40)]
    mean, deviation = norm(calm[0]) / 1.1, norm(calm[0]) / 11
    out = [
        norm(clip_all(ZScore(), [*calm, {key: factor * g for key, g in calm[0].items()}])[-1])
        for factor in (1.2, 2.0, 10.0, 100.0)
    ]
    assert out == sorted(out, reverse=True)
    assert out[-1] == pytest.approx(mean, rel=0.02)
    assert out[0] < mean + 2.5 * deviation


@SOME
@given(seed=SEEDS)
def test_the_mean_is_pandas_exponential_average_of_the_clipped_norms(seed: int) -> None:
    """It starts from the plain mean of the warm-up."""
    method, gradients, state = ZScore(warm_up_steps=10), trajectory(seed, 60), ZScore().initial_state(zeros())
    norms, means = [], []
    for g in gradients:
        h, state = method.clip(g, zeros(), state)
        norms.append(norm(h))
        means.append(float(state["mean"]))
    start = pd.Series(norms[:10]).mean()
    average = pd.Series([start, *norms[10:]]).ewm(alpha=0.03, adjust=False).mean()
    assert means[9:] == pytest.approx(average.tolist(), rel=1e-4)


def test_a_constant_norm_never_fires() -> None:
    """Without spread any rounding would be an outlier, but for the 1e-6."""
    g = trajectory(4, 1)[0]
    for clipped in clip_all(ZScore(warm_up_steps=3), [g] * 30):
        assert_equal(clipped, g, relative=1e-6)
