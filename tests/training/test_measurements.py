"""Statistics of gradients against slow definitions in float64."""

import math

import pytest
import torch
from cases import CLIP_MODES, Make
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from study.clipping import Rescaling
from study.optim.tensors import global_norm, ratio, tensor_norms
from study.training.measurements import EVERY_STEP, _by_entry, measure, noise_scale, step_statistics

Tensors = dict[str, Tensor]
SHAPES = {"layers.0.weight": (6, 5), "layers.0.bias": (6,), "layers.1.weight": (3, 6), "layers.1.bias": (3,)}
SIZES = torch.tensor([math.prod(shape) for shape in SHAPES.values()])
RESCALING = {label: make for label, make in CLIP_MODES.items() if isinstance(make(0.5), Rescaling)}
SEEDS = st.integers(0, 2**32 - 1)


def tensors(seed: int, scale: float = 1.0) -> Tensors:
    """Random tensors without zeros."""
    random = torch.Generator().manual_seed(seed)
    drawn = {key: torch.randn(shape, generator=random) for key, shape in SHAPES.items()}
    return {key: scale * (t + 0.01 * torch.sign(t)) for key, t in drawn.items()}


def measured(make: Make, c: float, g: Tensors, derive: bool = True) -> dict[str, float]:
    """The statistics of a clip, derived from its coefficients where it has them, or measured entry by entry."""
    method, w = make(c), tensors(99)
    h, _ = method.clip(g, w, method.initial_state(w))
    scale = method.coefficients(g, w, method.initial_state(w))[0] if derive and isinstance(method, Rescaling) else None
    statistics = step_statistics(measure(torch.tensor(0.7), g, h, scale), SIZES)
    return dict(zip(EVERY_STEP, statistics.tolist(), strict=True))


def slow(g: Tensors, h: Tensors) -> dict[str, float]:
    """The same in plain Python."""
    a, b = ([x for t in some.values() for x in t.flatten().tolist()] for some in (g, h))
    before, after = math.hypot(*a), math.hypot(*b)
    changed = sum(x != y for x, y in zip(a, b, strict=True)) / len(a)
    inner = math.fsum(x * y for x, y in zip(a, b, strict=True))
    return {
        "loss": 0.7,
        "norm_before": before,
        "norm_after": after,
        "coefficient": after / before,
        "fired": float(changed > 0),
        "changed": changed,
        "cosine": inner / (before * after),
        "finite": 1.0,
    }


@pytest.mark.parametrize("make", CLIP_MODES.values(), ids=CLIP_MODES)
@given(seed=SEEDS, c=st.floats(0.01, 10.0), scale=st.sampled_from([0.01, 1.0, 100.0]))
@settings(max_examples=25)
def test_statistics_of_a_step(make: Make, seed: int, c: float, scale: float) -> None:
    g = tensors(seed, scale)
    method = make(c)
    expected = slow(g, method.clip(g, tensors(99), method.initial_state(tensors(99)))[0])
    assert measured(make, c, g) == pytest.approx(expected, rel=1e-4, abs=1e-6)  # a cosine may be near 0


@pytest.mark.parametrize("make", RESCALING.values(), ids=RESCALING)
@given(seed=SEEDS, c=st.floats(0.01, 100.0))
@settings(max_examples=25)
def test_what_is_derived_from_coefficients_is_what_is_measured(make: Make, seed: int, c: float) -> None:
    derived, by_entry = (measured(make, c, tensors(seed), derive) for derive in (True, False))
    assert derived == pytest.approx(by_entry, rel=1e-5)
    assert derived["fired"] == by_entry["fired"]
    assert derived["changed"] == by_entry["changed"]


def test_by_entry_on_a_worked_example() -> None:
    g = {"a": torch.tensor([3.0, 4.0]), "b": torch.tensor([[1.0, -2.0]])}
    h = {"a": torch.tensor([3.0, 1.0]), "b": torch.tensor([[1.0, 0.0]])}
    inner, changed = _by_entry(g, h)
    assert (float(inner), float(changed)) == (9 + 4 + 1 + 0, 0.5)


def test_a_zero_gradient_has_coefficient_one_and_no_cosine() -> None:
    zero = {key: torch.zeros(shape) for key, shape in SHAPES.items()}
    for make in CLIP_MODES.values():
        found = measured(make, 0.5, zero)
        assert (found["coefficient"], found["fired"]) == (1, 0)
        assert math.isnan(found["cosine"])


def test_a_gradient_clipped_to_zero_has_coefficient_zero_and_no_cosine() -> None:
    g = tensors(0)
    zero = {key: torch.zeros_like(value) for key, value in g.items()}
    found = dict(
        zip(EVERY_STEP, step_statistics(measure(torch.tensor(0.7), g, zero, None), SIZES).tolist(), strict=True)
    )
    assert (found["coefficient"], found["fired"], found["changed"]) == (0, 1, 1)
    assert math.isnan(found["cosine"])


@pytest.mark.parametrize(
    ("loss", "entry", "finite"),
    [(1.0, 1.0, 1.0), (math.nan, 1.0, 0.0), (math.inf, 1.0, 0.0), (1.0, math.nan, 0.0), (1.0, -math.inf, 0.0)],
)
def test_finite_sees_loss_and_gradient_before_the_clip(loss: float, entry: float, finite: float) -> None:
    g = {**tensors(0), "layers.1.bias": torch.tensor([0.0, entry, 1.0])}
    h = tensors(0)
    statistics = step_statistics(measure(torch.tensor(loss), g, h, None), SIZES)
    assert statistics[EVERY_STEP.index("finite")] == finite


@given(SEEDS)
def test_norms(seed: int) -> None:
    g = tensors(seed)
    each = [math.hypot(*t.flatten().tolist()) for t in g.values()]
    assert tensor_norms(g).tolist() == pytest.approx(each, rel=1e-5)
    assert float(global_norm(tensor_norms(g))) == pytest.approx(math.hypot(*each), rel=1e-5)


@pytest.mark.parametrize(("a", "b", "expected"), [(1.0, 2.0, 0.5), (3.0, 0.0, 7.0), (0.0, 0.0, 7.0), (0.0, 2.0, 0.0)])
def test_ratio(a: float, b: float, expected: float) -> None:
    assert ratio(torch.tensor(a), torch.tensor(b), 7.0) == expected


def simulated(signal: float, noise: float, batch: int, repeats: int, dimensions: int = 20) -> tuple[Tensor, Tensor]:
    """Squared norms of samples N(G, Sigma) [repeats, B], with ||G||^2 = signal and tr(Sigma) = noise, and of means."""
    random = torch.Generator().manual_seed(0)
    spread = torch.linspace(0.1, 1, dimensions, dtype=torch.float64)
    deviations = (spread / spread.sum() * noise).sqrt()
    mean = torch.full((dimensions,), (signal / dimensions) ** 0.5, dtype=torch.float64)
    g = mean + deviations * torch.randn(repeats, batch, dimensions, generator=random, dtype=torch.float64)
    return g.square().sum(-1), g.mean(1).square().sum(-1)


@pytest.mark.parametrize(("signal", "noise"), [(1.0, 4.0), (2.0, 0.5), (0.5, 10.0)])
def test_noise_scale_finds_a_known_one(signal: float, noise: float) -> None:
    """With a large batch the estimate is near tr(Sigma) / ||G||^2, and its inverse root near the signal-to-noise."""
    samples, mean = simulated(signal, noise, batch=20_000, repeats=1)
    scale, snr = noise_scale(samples[0], mean[0])
    assert float(scale) == pytest.approx(noise / signal, rel=0.05)
    assert float(snr) == pytest.approx((signal / noise) ** 0.5, rel=0.05)


def test_the_parts_of_the_noise_scale_are_unbiased() -> None:
    """Averaged over small batches the signal is ||G||^2, where the naive ||mean||^2 has tr(Sigma) / B on top.

    Both parts add up to mean |g|^2, which gives them back from their ratio.
    """
    signal, noise, B = 4.0, 1.0, 8
    samples, means = simulated(signal, noise, B, repeats=4_000)
    scales = torch.stack([noise_scale(*both)[0] for both in zip(samples, means, strict=True)])
    estimates = samples.mean(1) / (1 + scales)
    error = float(estimates.std()) / len(estimates) ** 0.5
    assert float(estimates.mean()) == pytest.approx(signal, abs=4 * error)
    assert float(means.mean()) == pytest.approx(signal + noise / B, abs=4 * error)
    assert noise / B > 10 * error, "enough repeats to tell the two apart"


@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=10))
def test_a_mean_gradient_of_zero_has_no_signal(squares: list[float]) -> None:
    scale, snr = noise_scale(torch.tensor(squares), torch.tensor(0.0))
    assert (float(scale), float(snr)) == (math.inf, 0.0)


def test_equal_samples_have_no_noise() -> None:
    scale, snr = noise_scale(torch.full((4,), 2.0), torch.tensor(2.0))
    assert (float(scale), float(snr)) == (0.0, math.inf)
