"""Digits of replicates: each seed's own split, labels and order, whatever shares the job and whatever is trained."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from study.config.data import Data, LabelNoise
from study.data import Digits
from study.training.batches import Batches, normalised, spread

DATA = Data(name="mnist-sample", train_size=120, validation_size=60, label_noise=0.25)


def prepared(digits: Digits, *seeds: int, data: Data = DATA) -> Batches:
    return Batches.prepare(digits, data, seeds, "cpu")


def test_split_labels_and_order_of_a_seed_do_not_depend_on_its_neighbours(digits: Digits) -> None:
    alone, together = prepared(digits, 3), prepared(digits, 8, 3, 1)
    for name in ("train", "train_labels", "validation", "validation_labels"):
        assert torch.equal(getattr(alone, name)[0], getattr(together, name)[1])
    for _ in range(3):
        mine, theirs = alone.epoch(), together.epoch()
        assert torch.equal(mine[0][0], theirs[0][1])
        assert torch.equal(mine[1][0], theirs[1][1])


def test_seeds_differ_in_split_order_and_noise(digits: Digits) -> None:
    batches = prepared(digits, 0, 1)
    assert not torch.equal(batches.train[0], batches.train[1])
    assert not torch.equal(batches.validation[0], batches.validation[1])
    positions = [torch.argsort(rows.argsort()) for rows in batches.epoch()[0]]
    assert not torch.equal(*positions)
    wrong = batches.train_labels != digits.train_labels[batches.train]
    assert wrong.sum(1).tolist() == [30, 30]
    assert not torch.equal(*wrong)


def test_the_streams_of_a_seed_are_told_apart(digits: Digits) -> None:
    """Another share of wrong labels leaves the split and the order; the validation labels are never wrong."""
    noisy, clean = prepared(digits, 0), prepared(digits, 0, data=DATA.model_copy(update={"label_noise": 0.0}))
    assert torch.equal(noisy.train, clean.train)
    assert torch.equal(noisy.epoch()[0], clean.epoch()[0])
    for batches in (noisy, clean):
        assert torch.equal(batches.validation_labels, digits.train_labels[batches.validation])
    assert torch.equal(clean.train_labels, digits.train_labels[clean.train])


def test_validation_labels_are_wrong_on_request_alone(digits: Digits) -> None:
    """Their noise has a stream of its own, so that it leaves training as it is."""
    both = DATA.model_copy(update={"label_noise": LabelNoise(train=0.25, validation=0.5)})
    one, other = prepared(digits, 3, 5), prepared(digits, 3, 5, data=both)
    for name in ("train", "train_labels", "wrong", "validation"):
        assert torch.equal(getattr(one, name), getattr(other, name))
    wrong = other.validation_labels != digits.train_labels[other.validation]
    assert wrong.sum(1).tolist() == [30, 30]
    assert not torch.equal(*wrong)
    assert torch.equal(one.wrong, one.train_labels != digits.train_labels[one.train])


def test_an_epoch_takes_every_training_digit_once_with_its_label(digits: Digits) -> None:
    batches = prepared(digits, 0, 1)
    first, second = batches.epoch(), batches.epoch()
    assert not torch.equal(first[0], second[0])
    for rows, labels in (first, second):
        for r in range(2):
            label_of = dict(zip(batches.train[r].tolist(), batches.train_labels[r].tolist(), strict=True))
            assert sorted(rows[r].tolist()) == sorted(label_of)
            assert [label_of[row] for row in rows[r].tolist()] == labels[r].tolist()


def test_gather(digits: Digits) -> None:
    batches = prepared(digits, 0, 1)
    rows, labels = torch.tensor([[5, 7, 9], [5, 6, 2]]), torch.tensor([[1, 2, 3], [4, 5, 6]])
    x, targets = batches.gather(rows, labels)
    assert x.shape == (2, 3, 784)
    assert torch.equal(x[1, 2], batches.images[2])
    assert torch.equal(targets.argmax(-1), labels)
    assert torch.equal(targets.sum(-1), torch.ones(2, 3))


@pytest.mark.usefixtures("global_randomness_untouched")
def test_preparing_draws_nothing_from_the_global_streams(digits: Digits) -> None:
    assert len(prepared(digits, 0).epoch()) == 2


def test_normalised(digits: Digits) -> None:
    x = normalised(digits.train_images, digits)
    expected = (digits.train_images.double() / 255 - 0.1307) / 0.3081
    torch.testing.assert_close(x.double(), expected, atol=1e-6, rtol=1e-6)
    assert x.dtype == torch.float32
    assert float(x.mean()) == pytest.approx(0, abs=0.05)
    assert digits.train_images.dtype == torch.uint8, "what is stored stays as it is"


@given(length=st.integers(1, 500), count=st.integers(0, 600))
def test_spread(length: int, count: int) -> None:
    chosen = spread(length, count).tolist()
    assert len(chosen) == min(length, count)
    assert chosen == sorted(set(chosen)), "no position twice"
    assert set(chosen) <= set(range(length))
    assert count < 2 or {chosen[0], chosen[-1]} == {0, length - 1}
