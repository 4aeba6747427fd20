"""The regularizers of the data against torch, timm, torchvision and scipy; they act in training alone."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from cases import variant
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from timm.data import Mixup as TimmMixup
from torch import Tensor
from torch.nn import functional as F
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as vision

from study.data import Digits
from study.methods.base import MethodCombination
from study.optim.losses import CrossEntropy
from study.optim.rng import Beta, generator
from study.regularization import Regularization
from study.regularization.augmentation import Augmentation, moved
from study.regularization.input_noise import InputNoise
from study.regularization.label_smoothing import LabelSmoothing
from study.regularization.mixup import Mixup
from study.training import engine
from study.training.batches import normalised

Tensors = dict[str, Tensor]
FEW = settings(max_examples=20)
SEEDS = st.integers(0, 2**31)
SITES = {"input": (16, 784), "hidden0": (16, 8)}
METHODS: dict[str, dict[str, Any]] = {
    "label_smoothing": {"smoothing": 0.3},
    "mixup": {"alpha": 1.0},
    "augmentation": {"shift": 3.0, "degrees": 20.0},
    "input_noise": {"std": 0.5},
}


def numbers(method: Regularization, seed: int) -> Tensors:
    """The random numbers of a step with a batch of 16."""
    random, drawn = generator(seed, "test"), dict[str, Tensor]()
    for key, draw in method.noise(SITES, {}).items():
        drawn[key] = torch.empty(draw.shape)
        draw.fill(drawn[key], random)
    return drawn


def a_batch(seed: int, size: int = 16) -> tuple[Tensor, Tensor]:
    """Random pixels [B, 784] and labels [B]."""
    random = generator(seed, "batch")
    return torch.randn(size, 784, generator=random), torch.randint(0, 10, (size,), generator=random)


def targets(labels: Tensor) -> Tensor:
    return F.one_hot(labels, 10).float()


@given(seed=SEEDS, smoothing=st.floats(0, 0.99))
@FEW
def test_label_smoothing_is_torchs(seed: int, smoothing: float) -> None:
    """Of torch.nn.functional.cross_entropy; as there, the right class gets its part of what is spread."""
    x, labels = a_batch(seed)
    logits = x[:, :10]
    same_x, smooth = LabelSmoothing(smoothing=smoothing).batch(x, targets(labels), {})
    assert same_x is x
    expected = F.cross_entropy(logits, labels, label_smoothing=smoothing)
    torch.testing.assert_close(CrossEntropy().value(logits, smooth), expected)
    torch.testing.assert_close(smooth.sum(1), torch.ones(16))


@given(seed=SEEDS, share=st.floats(0, 0.999), smoothing=st.sampled_from([0.0, 0.2]))
@FEW
def test_mixup_is_timms(seed: int, share: float, smoothing: float) -> None:
    """Which also mixes a batch with its reverse, one share for all; told to take this share, since it has its own
    random numbers. Label smoothing beside it is timm's in either order.
    """
    x, labels = a_batch(seed)
    timm = TimmMixup(mixup_alpha=1.0, label_smoothing=smoothing, num_classes=10)
    timm._params_per_batch = lambda: (share, False)
    theirs = timm(x.clone().view(16, 1, 28, 28), labels)
    mixup, smoother = Mixup(alpha=1.0), LabelSmoothing(smoothing=smoothing)
    noise = {"share": torch.tensor(share)}
    for first, second in ((mixup, smoother), (smoother, mixup)):
        ours = second.batch(*first.batch(x, targets(labels), noise), noise)
        torch.testing.assert_close(ours[0], theirs[0].flatten(1), rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(ours[1], theirs[1], rtol=1e-5, atol=1e-6)


def test_mixup_asks_for_one_share_a_batch() -> None:
    """Its distribution is tested with that of all random numbers."""
    assert Mixup(alpha=0.3).noise(SITES, {}) == {"share": Beta((), 0.3)}


def test_mixup_leaves_the_middle_of_an_odd_batch() -> None:
    x, labels = a_batch(0, 5)
    mixed, _ = Mixup(alpha=1).batch(x, targets(labels), {"share": torch.tensor(0.3)})
    torch.testing.assert_close(mixed[2], x[2])


def by_torchvision(image: Tensor, black: float, degrees: float, shift: list[float]) -> Tensor:
    """Torchvision's affine map of [P] pixels around the image's centre.

    Black is taken off before and put back after: given as `fill`, torchvision would count it twice where a pixel lies
    half outside, since it multiplies what it has already weighed by the share that lies inside.
    """
    square = (image - black).view(1, 28, 28)
    bilinear = InterpolationMode.BILINEAR
    return vision.affine(square, degrees, shift, scale=1.0, shear=[0.0, 0.0], interpolation=bilinear).flatten() + black


@given(
    seed=SEEDS,
    degrees=st.floats(-180, 180),
    shift=st.lists(st.floats(-6, 6), min_size=2, max_size=2),
)
@FEW
def test_augmentation_is_torchvisions_affine(seed: int, degrees: float, shift: list[float]) -> None:
    """The same angle, clockwise, and the same shift, right and down; noise in [0, 1), so any place shows."""
    image = torch.rand(784, generator=generator(seed, "image"))
    expected = by_torchvision(image, float(image.min()), degrees, shift)
    found = moved(image[None], torch.tensor([math.radians(degrees)]), torch.tensor([shift]))[0]
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=2e-4)


def test_each_image_is_moved_by_its_own_numbers() -> None:
    """As torchvision would, one image at a time: angle and shifts are spread over all of their ranges."""
    method, (x, labels) = Augmentation(shift=4, degrees=30), a_batch(2)
    noise = numbers(method, 3)
    found, same = method.batch(x, targets(labels), noise)
    assert torch.equal(same, targets(labels))
    for image, result, turn, shift in zip(x, found, noise["turn"], noise["shift"], strict=True):
        degrees, pixels = 30 * (2 * float(turn) - 1), (8 * shift - 4).tolist()
        expected = by_torchvision(image, float(image.min()), degrees, pixels)
        torch.testing.assert_close(result, expected, rtol=1e-3, atol=2e-4)


def test_a_shift_by_whole_pixels_shifts(digits: Digits) -> None:
    images = normalised(digits.train_images[:3], digits)
    found = moved(images, torch.zeros(3), torch.tensor([[2.0, 0.0], [0.0, -3.0], [0.0, 0.0]])).view(3, 28, 28)
    square, black = images.view(3, 28, 28), float(images.min())
    expected = torch.full((3, 28, 28), black)
    expected[0, :, 2:] = square[0, :, :-2]
    expected[1, :-3] = square[1, 3:]
    expected[2] = square[2]
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_what_comes_in_is_the_normalised_black(digits: Digits) -> None:
    images = normalised(digits.train_images, digits)
    black = -digits.mean / digits.std
    torch.testing.assert_close(images.amin(1), torch.full((len(images),), black))
    away = moved(images[:20], torch.zeros(20), torch.full((20, 2), 40.0))
    torch.testing.assert_close(away, torch.full((20, 784), black))


def combination(*regularization: dict[str, Any]) -> list[str]:
    v = variant(regularization=list(regularization))
    return MethodCombination(v.workload, v.model, v.loss, v.optimizer, v.clip, v.regularization).conflicts()


def test_augmentation_behind_input_noise_is_refused() -> None:
    augmentation, noise = ({"name": name, **METHODS[name]} for name in ("augmentation", "input_noise"))
    assert combination(augmentation, noise) == []
    assert len(combination(noise, augmentation)) == 1


@given(seed=st.integers(0, 10), std=st.floats(0.01, 3))
@settings(max_examples=5)
def test_input_noise_is_normal_with_its_standard_deviation(seed: int, std: float) -> None:
    method, (x, labels) = InputNoise(std=std), a_batch(seed)
    noisy, same = method.batch(x, targets(labels), numbers(method, seed))
    assert torch.equal(same, targets(labels))
    added = (noisy - x).double().numpy()
    assert stats.kstest(added.flatten(), stats.norm(scale=std).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(added[0], added[1])[0, 1]) < 0.2, "each pixel of each image has its own"


@pytest.mark.parametrize("name", METHODS)
def test_scores_are_plain_cross_entropy_of_the_data_as_they_are(digits: Digits, name: str) -> None:
    """With next to no learning, the training loss differs from that without the method, the scores do not."""
    still = {"optimizer": {"name": "sgd", "lr": 1e-12}}
    plain = engine.train(variant(**still), [3], digits)[0]
    other = engine.train(variant(**still, regularization={"name": name, **METHODS[name]}), [3], digits)[0]
    assert np.abs(other.steps["loss"] / plain.steps["loss"] - 1).max() > 1e-4
    for part, score in plain.final.items():
        assert other.final[part].loss == pytest.approx(score.loss, rel=1e-6)
        assert other.final[part].accuracy == score.accuracy
    for key in ("train_loss", "validation_loss"):
        np.testing.assert_allclose(other.epochs[key], plain.epochs[key], rtol=1e-6)
