"""Cross-validation: many seeds and folds in one call, each as if it were trained alone."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from cases import variant
from test_engine import assert_same_rows, tables

from study.config.variants import RunSpec
from study.data import Digits
from study.optim.rng import generator
from study.training import engine
from study.training.batches import Batches
from study.training.recorder import Recorder
from study.training.records import tidy
from study.training.replicates import Replicates

pytestmark = pytest.mark.slow

FOLDED = {
    "plain": {"folds": 3},
    "noise, memory and a stop": {
        "folds": 3,
        "epochs": 4,
        "optimizer": "adam",
        "clip": {"name": "percentile", "percentile": 50, "window": 5},
        "regularization": [{"name": "dropout", "p": 0.5}, {"name": "early_stopping", "patience": 1}],
    },
    "scores alone": {"folds": 4, "statistics": {"every_step": False, "probes": 0}},
}


@pytest.mark.parametrize("changes", FOLDED.values(), ids=FOLDED)
def test_the_folds_of_a_seed_are_the_same_alone_and_with_other_seeds(digits: Digits, changes: dict[str, Any]) -> None:
    v = variant(**changes)
    alone, together = tables(v, [3], digits), tables(v, [8, 3, 0], digits)
    assert_same_rows({name: table for name, table in alone.items() if len(table)}, together, [3])


def test_a_fold_is_the_same_without_the_other_folds(digits: Digits) -> None:
    """One model, trained on the digits outside the fold and stopped by those inside: as a plain run on such a split."""
    v = variant(folds=3, regularization=[{"name": "dropout", "p": 0.5}, {"name": "early_stopping", "patience": 1}])
    records = engine.train(v, [5, 2], digits)
    whole = Batches.prepare(digits, v.data, [5, 2], v.device, v.folds)
    for r, record in enumerate(records):
        one = {
            key: getattr(whole, key)[[r]]
            for key in ("train", "train_labels", "wrong", "validation", "validation_labels")
        }
        batches = replace(whole, **one, orders=(generator(record.seed, "order"),))
        models = Replicates.start(v, [record.seed], batches)
        recorder = Recorder.open(v, 1, models.parameters)
        for epoch in range(v.epochs + 1):
            if epoch and recorder.training.any():
                models.epoch(batches, recorder)
            recorder.epoch(epoch, models, models.evaluated(), batches)
        (alone,) = recorder.records([record.seed], models, models.evaluated(), batches, 0.0)
        assert (alone.final, alone.best, alone.best_epoch) == (record.final, record.best, record.best_epoch)
        assert all(np.array_equal(alone.steps[key], record.steps[key], equal_nan=True) for key in record.steps)


def test_records_come_seed_by_seed_and_fold_by_fold(digits: Digits) -> None:
    v = variant(folds=3)
    records = engine.train(v, [4, 0], digits)
    assert [(record.seed, record.fold) for record in records] == [(4, 0), (4, 1), (4, 2), (0, 0), (0, 1), (0, 2)]
    runs = tidy("example", records)["runs"]
    assert runs["fold"].dtype == "Int64"
    assert runs["fold"].tolist() == [0, 1, 2] * 2
    assert runs["digest"].tolist() == [RunSpec(v, record.seed, record.fold).digest for record in records]
    assert runs["digest"].is_unique
    assert runs["validation_loss"].is_unique, "each fold is another part of the digits"
    assert tidy("example", engine.train(variant(epochs=1), [4], digits))["runs"]["fold"].isna().all()


@pytest.mark.parametrize(("folds", "steps"), [(2, 2), (3, 3), (7, 4)])
def test_a_fold_trains_as_many_steps_as_the_digits_outside_it_fill(digits: Digits, folds: int, steps: int) -> None:
    v = variant(folds=folds)
    for record in engine.train(v, [1], digits):
        assert record.steps_taken == len(record.steps["loss"]) == v.steps == 2 * steps
        assert np.isfinite(record.steps["loss"]).all()


def test_the_folds_of_a_seed_start_from_one_model(digits: Digits) -> None:
    """As all variants of a seed do, whether in folds or not."""
    plain = engine.train(variant(), [0, 1], digits)
    folded = engine.train(variant(folds=3), [0, 1], digits)
    for record in folded:
        assert record.epochs["test_loss"][0] == plain[record.seed].epochs["test_loss"][0]
    assert len({record.epochs["train_loss"][0] for record in folded}) == len(folded), "but look at other digits"
