"""AutoClip against numpy over the growing history, and against the package of that name, which differs."""

import numpy as np
import pytest
import torch
from autoclip.torch import QuantileClip
from clip_oracles import SEEDS, clip_all, graded, norm, trajectory, zeros
from hypothesis import given, settings
from hypothesis import strategies as st

from study.clipping.percentile import Percentile, percentile, with_one, without

SOME = settings(max_examples=10)
PERCENTS = st.floats(0.0, 100.0) | st.sampled_from([10.0, 50.0, 100.0])


def expected_norms(norms: list[float], percent: float, window: int) -> list[float]:
    """By numpy, over the last `window` norms up to and with each."""
    history = [norms[max(0, t + 1 - window) : t + 1] for t in range(len(norms))]
    return [min(norms[t], np.percentile(past, percent)) for t, past in enumerate(history)]


@SOME
@given(seed=SEEDS, percent=PERCENTS, window=st.sampled_from([1, 2, 7, 39, 40, 1000]))
def test_every_norm_is_held_to_numpys_percentile_of_the_history(seed: int, percent: float, window: int) -> None:
    """A window of 40 or more steps is the whole history, as in the original."""
    gradients = trajectory(seed, 40)
    clipped = clip_all(Percentile(percentile=percent, window=window), gradients)
    expected = expected_norms([norm(g) for g in gradients], percent, window)
    assert [norm(h) for h in clipped] == pytest.approx(expected, rel=1e-5)


def test_the_same_norm_may_come_again() -> None:
    gradients = [g for g in trajectory(0, 6) for _ in range(3)] * 2
    clipped = clip_all(Percentile(percentile=30, window=8), gradients)
    expected = expected_norms([norm(g) for g in gradients], 30, 8)
    assert [norm(h) for h in clipped] == pytest.approx(expected, rel=1e-5)


def test_the_first_gradient_passes_bit_for_bit() -> None:
    first = trajectory(3, 1)
    (clipped,) = clip_all(Percentile(), first)
    assert all(torch.equal(clipped[key], first[0][key]) for key in clipped)


@SOME
@given(seed=SEEDS, steps=st.integers(1, 30))
def test_the_package_lacks_the_newest_norm_in_its_history(seed: int, steps: int) -> None:
    """The package called autoclip takes the quantile before it adds the step's norm; Seetharaman's own code after it.

    So the package holds the next gradient, if that is huge, to what ours holds this one to.
    """
    gradients, huge = trajectory(seed, steps), {key: t + 1e6 for key, t in zeros().items()}
    parameters = graded(huge)
    package = QuantileClip(parameters.values(), quantile=0.1, global_threshold=True)
    for gradient in [*gradients, huge]:
        for key, p in parameters.items():
            p.grad = gradient[key].clone()
        package.step()
    theirs = norm({key: p.grad for key, p in parameters.items()})
    ours = clip_all(Percentile(percentile=10), gradients)[-1]
    assert norm(ours) == pytest.approx(min(theirs, norm(gradients[-1])), rel=1e-4)


@given(
    st.lists(st.floats(0, 1e6, width=32) | st.sampled_from([1.0, 2.0]), max_size=20),
    st.floats(0, 1e6, width=32) | st.just(1.0),
)
def test_one_more_and_one_less_of_sorted_numbers(numbers: list[float], x: float) -> None:
    more = with_one(torch.tensor(sorted(numbers)), torch.tensor(x))
    assert more.tolist() == sorted([*numbers, x])
    for each in [*numbers, x]:
        left = sorted([*numbers, x])
        left.remove(each)
        assert without(more, torch.tensor([each])).tolist() == left


@given(st.lists(st.floats(0, 1e6, width=32), min_size=1, max_size=20), PERCENTS)
def test_percentile_is_numpys(numbers: list[float], percent: float) -> None:
    padded = torch.tensor([*sorted(numbers), *[torch.inf] * 5])
    found = percentile(padded, torch.tensor(len(numbers)), percent)
    assert float(found) == pytest.approx(np.percentile(numbers, percent), rel=1e-5, abs=1e-30)
