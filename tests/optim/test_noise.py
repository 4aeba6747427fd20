"""The distributions of the random numbers against scipy.stats; whose numbers they are."""

from typing import Any

import pytest
import torch
from scipy import stats

from study.optim.rng import Beta, Distribution, NoiseStreams, Normal, generator

CPU = torch.device("cpu")
DRAWS = {"one": {"a": Distribution((3, 2)), "b": Normal((4,))}, "two": {"share": Beta((), 0.4)}}


@pytest.mark.parametrize(
    ("draw", "law"),
    [
        (Distribution((20_000,)), stats.uniform()),
        (Normal((200, 100)), stats.norm()),
        *((Beta((20_000,), a), stats.beta(a, a)) for a in (0.2, 0.4, 1.0, 3.0)),
    ],
    ids=["uniform", "normal", *(f"beta {a}" for a in (0.2, 0.4, 1.0, 3.0))],
)
def test_the_numbers_have_the_distribution_of_their_name(draw: Distribution, law: Any) -> None:
    """Kolmogorov and Smirnov's test; the seed is fixed, so it cannot fail by chance.

    In float64, since float32 rounds what comes close to 1 to it, a hundredth of all in a beta of 0.2.
    """
    numbers = torch.empty(draw.shape, dtype=torch.float64)
    draw.fill(numbers, generator(1, "test"))
    assert numbers.isfinite().all()
    assert stats.kstest(numbers.flatten().numpy(), law.cdf).pvalue > 0.01


@pytest.mark.parametrize("a", [1e-5, 1e-2, 1e4])
def test_an_extreme_beta_is_finite(a: float) -> None:
    numbers = torch.empty(1000)
    Beta((1000,), a).fill(numbers, generator(0, "test"))
    assert ((numbers >= 0) & (numbers <= 1)).all()
    assert float(numbers.mean()) == pytest.approx(0.5, abs=0.06)


def taken(draws: Any, seeds: list[int], times: int = 2) -> list[dict[str, dict[str, torch.Tensor]]]:
    streams = NoiseStreams.open(draws, seeds)
    return [
        {name: {key: t.clone() for key, t in each.items()} for name, each in streams.draw(CPU).items()}
        for _ in range(times)
    ]


def test_a_replicates_numbers_do_not_depend_on_the_others() -> None:
    for together, alone in zip(taken(DRAWS, [5, 3, 8]), taken(DRAWS, [3]), strict=True):
        for name, each in alone.items():
            assert all(torch.equal(together[name][key][1], t[0]) for key, t in each.items())


def test_a_regularizers_numbers_do_not_depend_on_the_others() -> None:
    for together, alone in zip(taken(DRAWS, [5]), taken({"two": DRAWS["two"]}, [5]), strict=True):
        assert torch.equal(together["two"]["share"], alone["two"]["share"])


def test_steps_seeds_and_regularizers_have_numbers_of_their_own() -> None:
    draws = {"one": {"a": Distribution((4,))}, "two": {"a": Distribution((4,))}}
    rows = [tuple(row.tolist()) for step in taken(draws, [5, 3]) for each in step.values() for row in each["a"]]
    assert len(set(rows)) == len(rows) == 8
