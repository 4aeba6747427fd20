"""Scores against torch.nn.functional; the same whether models are scored alone or together."""

import math
from functools import partial

import pytest
import torch
from cases import variant
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from study.data import Digits
from study.models.mlp import MLP
from study.training import engine
from study.training.batches import normalised
from study.training.evaluation import CHUNK, Labelled, replicates_of, score, scores


def net(seed: int) -> tuple[nn.Module, dict[str, Tensor]]:
    model = MLP(hidden=(5,))
    module = model.build(784, 10)
    return module, model.initialise(module, torch.Generator().manual_seed(seed))


def several(count: int) -> dict[str, Tensor]:
    each = [net(seed)[1] for seed in range(count)]
    return {key: torch.stack([one[key] for one in each]) for key in each[0]}


@pytest.mark.parametrize("count", [1, 999, 1000])
def test_score_is_cross_entropy_and_accuracy(digits: Digits, count: int) -> None:
    images, labels = normalised(digits.train_images[:count], digits), digits.train_labels[:count]
    module, parameters = net(0)
    logits = functional_call(module, parameters, (images,))
    found = score(module, parameters, Labelled(images, labels))
    assert found.loss == pytest.approx(float(F.cross_entropy(logits, labels)), rel=1e-5)
    assert found.accuracy == (logits.argmax(1) == labels).sum().item() / count


def test_more_than_one_chunk(digits: Digits) -> None:
    images, labels = normalised(digits.train_images, digits).repeat(3, 1)[: 2 * CHUNK + 7], digits.train_labels
    labels = labels.repeat(3)[: 2 * CHUNK + 7]
    module, parameters = net(0)
    logits = functional_call(module, parameters, (images,))
    found = score(module, parameters, Labelled(images, labels))
    assert found.loss == pytest.approx(float(F.cross_entropy(logits, labels)), rel=1e-5)
    assert found.accuracy == pytest.approx(float((logits.argmax(1) == labels).double().mean()))


def test_right_and_wrong_labels_are_told_apart(digits: Digits) -> None:
    images, labels = normalised(digits.train_images, digits), digits.train_labels
    wrong = torch.arange(len(labels)) % 3 == 0
    module, parameters = net(0)
    found, plain = (score(module, parameters, Labelled(images, labels, wrong=given)) for given in (wrong, None))
    right, false = (score(module, parameters, Labelled(images[part], labels[part])) for part in (~wrong, wrong))
    assert (found.loss, found.accuracy) == (plain.loss, plain.accuracy)
    assert (found.right_loss, found.right_accuracy) == (pytest.approx(right.loss, rel=1e-5), right.accuracy)
    assert found.memorised == false.accuracy
    share = float(wrong.double().mean())
    assert (1 - share) * found.right_accuracy + share * found.memorised == pytest.approx(found.accuracy)


@pytest.mark.parametrize("wrong", [None, False, True])
def test_what_is_not_there_is_undefined(digits: Digits, wrong: bool | None) -> None:
    images, labels = normalised(digits.test_images, digits), digits.test_labels
    marks = None if wrong is None else torch.full((len(labels),), wrong)
    found = score(*net(0), Labelled(images, labels, wrong=marks))
    assert math.isfinite(found.loss)
    assert math.isnan(found.right_loss)
    assert math.isnan(found.right_accuracy)
    assert math.isnan(found.memorised) == (not wrong)
    if wrong:
        assert found.memorised == found.accuracy


def test_a_score_does_not_depend_on_the_models_scored_with_it(digits: Digits) -> None:
    sets = [Labelled(normalised(digits.test_images, digits), digits.test_labels)] * 4
    module, stacked = net(0)[0], several(4)
    together = scores(partial(score, module), stacked, sets)
    alone = [score(module, net(seed)[1], sets[0]) for seed in range(4)]
    assert repr(together) == repr(alone)  # NaN equals nothing, not even itself
    assert len(set(together)) == 4


def test_replicates_of_takes_stacked_parameters_apart() -> None:
    stacked = several(3)
    for seed, one in enumerate(replicates_of(stacked)):
        assert all(torch.equal(p, net(seed)[1][key]) for key, p in one.items())


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_non_finite_model_has_no_score(digits: Digits, value: float) -> None:
    module, parameters = net(0)
    parameters["layers.1.bias"][3] = value
    found = score(module, parameters, Labelled(normalised(digits.test_images, digits), digits.test_labels))
    assert math.isnan(found.loss)
    assert math.isnan(found.accuracy)


def test_scores_leave_out_dropout_penalty_and_the_loss_trained_on(digits: Digits) -> None:
    """Before training, all that differs between these variants is the training: their scores are the same."""
    plain, *others = (
        engine.train(variant(epochs=1, **changes), [0], digits)[0]
        for changes in (
            {},
            {"regularization": {"name": "dropout", "p": 0.9}},
            {"regularization": {"name": "l2", "strength": 100}},
            {"loss": "squared_error"},
        )
    )
    for other in others:
        for column in ("train_loss", "train_accuracy", "validation_loss", "test_loss", "test_accuracy"):
            assert other.epochs[column][0] == plain.epochs[column][0]
            assert math.isfinite(other.epochs[column][0])
