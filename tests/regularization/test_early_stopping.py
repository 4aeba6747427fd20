"""Early stopping against keras and ignite; in the engine, where one seed stops and the others go on."""

import functools
import math
import os
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from cases import variant
from hypothesis import given, settings
from hypothesis import strategies as st
from ignite.engine import Engine
from ignite.handlers import EarlyStopping as IgniteEarlyStopping
from torch import Tensor

from study.config.variants import Variant
from study.data import Digits
from study.regularization.early_stopping import EarlyStopping
from study.training import engine
from study.training.batches import Batches
from study.training.engine import Replicates
from study.training.recorder import Recorder
from study.training.records import RunRecord

os.environ["KERAS_BACKEND"] = "torch"  # read when keras is imported
import keras

Tensors = dict[str, Tensor]
EIGHTHS = st.integers(0, 40).map(lambda n: n / 8)  # differences of these are exact
LOSSES = st.lists(EIGHTHS, max_size=20)


def first_stop(method: EarlyStopping, losses: Sequence[float]) -> int | None:
    """The epoch after which training ends, from 1."""
    ends = (epoch for epoch in range(len(losses) + 1) if method.stops(losses[:epoch]))
    return next(ends, None)


def stop_of_keras(losses: Sequence[float], patience: int, min_delta: float) -> int | None:
    class Model:
        stop_training = False

    callback, model = keras.callbacks.EarlyStopping("loss", min_delta, patience, mode="min"), Model()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"loss": loss})
        if model.stop_training:
            return epoch + 1
    return None


def stop_of_ignite(losses: Sequence[float], patience: int, min_delta: float) -> int | None:
    trainer = Engine(lambda engine, batch: None)
    stopper = IgniteEarlyStopping(
        patience, lambda engine: engine.loss, trainer, threshold=min_delta, cumulative=True, mode="min"
    )
    for epoch, loss in enumerate(losses, 1):
        trainer.loss = loss
        stopper(trainer)
        if trainer.should_terminate:
            return epoch
    return None


@given(losses=LOSSES, patience=st.integers(1, 6), min_delta=EIGHTHS)
@settings(max_examples=200)
def test_it_stops_when_keras_and_ignite_do(losses: list[float], patience: int, min_delta: float) -> None:
    ours = first_stop(EarlyStopping(patience=patience, min_delta=min_delta), losses)
    assert ours == stop_of_keras(losses, patience, min_delta)
    assert ours == stop_of_ignite(losses, patience, min_delta)


def test_examples_by_hand() -> None:
    falling, stuck, late = [3.0, 2.0, 1.0], [3.0, 2.0, 2.0, 2.5, 2.0], [3.0, 4.0, 2.0, 2.5, 2.6, 1.0]
    assert first_stop(EarlyStopping(patience=1), falling) is None
    assert first_stop(EarlyStopping(patience=2), stuck) == 4
    assert first_stop(EarlyStopping(patience=2), late) == 5
    assert first_stop(EarlyStopping(patience=3), late) is None
    assert first_stop(EarlyStopping(patience=2, min_delta=1.0), [3.0, 2.5, 2.2, 1.0]) == 3
    assert not EarlyStopping(patience=1).stops([])


def test_a_loss_that_is_not_finite_is_no_improvement() -> None:
    method = EarlyStopping(patience=2)
    assert first_stop(method, [math.nan, 1.0, math.nan, 0.5, math.inf, math.nan]) == 6
    assert first_stop(method, [1.0, -math.inf, math.nan]) == 3


# ---- in the engine
SEEDS = (0, 1, 2, 3)
ROUGH = {"optimizer": {"name": "sgd", "lr": 0.3}, "clip": "none"}
EPOCHS = 10


def stopping(epochs: int = EPOCHS, **given_: Any) -> Variant:
    """A training in which seeds stop at different epochs, and one not at all."""
    return variant(**ROUGH, epochs=epochs, regularization={"name": "early_stopping", "patience": 2, **given_})


@pytest.fixture(scope="module")
def free(digits: Digits) -> list[RunRecord]:
    return engine.train(variant(**ROUGH, epochs=EPOCHS), SEEDS, digits)


@pytest.fixture(scope="module")
def together(digits: Digits) -> list[RunRecord]:
    return engine.train(stopping(), SEEDS, digits)


def ended(record: RunRecord) -> int:
    return len(record.epochs["train_loss"]) - 1


def parts(record: RunRecord, epochs: int | None = None) -> dict[str, Any]:
    """All that was measured in the first epochs, and at the end where these are all; exact."""
    steps = 5 * (ended(record) if epochs is None else epochs)
    seen: dict[str, Any] = {f"epochs {k}": v[: steps // 5 + 1].tobytes() for k, v in record.epochs.items()}
    seen |= {f"steps {k}": v[:steps].tobytes() for k, v in record.steps.items()}
    seen |= {f"tensors {k}": v[:steps].tobytes() for k, v in record.tensors.items()}
    if epochs is None:
        seen |= {"final": repr(record.final), "best": repr(record.best), "best epoch": record.best_epoch}
        seen |= {"outcome": record.outcome, "steps taken": record.steps_taken}
        seen |= {f"weights {k}": (repr(h.norm), h.shares.tobytes()) for k, h in record.weights.items()}
    return seen


def test_seeds_stop_at_different_epochs_and_one_does_not(together: list[RunRecord]) -> None:
    assert len({ended(record) for record in together}) >= 3
    assert sum(ended(record) == EPOCHS for record in together) == 1


def test_a_stopped_seed_is_not_felt_and_feels_nothing(digits: Digits, together: list[RunRecord]) -> None:
    for record in together:
        (alone,) = engine.train(stopping(), [record.seed], digits)
        assert parts(alone) == parts(record)


def test_until_it_stops_it_is_the_training_without_stopping(free: list[RunRecord], together: list[RunRecord]) -> None:
    """A run that was not stopped is the same in all; a stopped one up to its end."""
    for record, longer in zip(together, free, strict=True):
        whole = None if ended(record) == EPOCHS else ended(record)
        assert parts(record, whole) == parts(longer, whole)


def test_a_stopped_record_is_cut_at_its_epoch_the_rules(free: list[RunRecord], together: list[RunRecord]) -> None:
    for record, longer in zip(together, free, strict=True):
        losses = longer.epochs["validation_loss"][1:].tolist()
        assert ended(record) == (first_stop(EarlyStopping(patience=2), losses) or EPOCHS)
        assert record.steps_taken == 5 * ended(record) == len(record.steps["loss"])
        assert {len(column) for column in record.epochs.values()} == {ended(record) + 1}
        assert {len(norms) for norms in record.tensors.values()} == {record.steps_taken}
        assert record.best_epoch <= ended(record)


@pytest.fixture(scope="module")
def planned(digits: Digits) -> Callable[[int, int], RunRecord]:
    """A training of one seed that was planned to end after some epochs."""

    @functools.cache
    def train(seed: int, epochs: int) -> RunRecord:
        return engine.train(variant(**ROUGH, epochs=epochs), [seed], digits)[0]

    return train


@pytest.mark.parametrize("restore_best", [False, True])
def test_it_hands_over_the_last_or_the_best_parameters(
    digits: Digits, restore_best: bool, planned: Callable[[int, int], RunRecord]
) -> None:
    """One that was not stopped hands over the last in any case."""
    for record in engine.train(stopping(restore_best=restore_best), SEEDS, digits):
        to_best = restore_best and ended(record) < EPOCHS
        shorter = planned(record.seed, record.best_epoch if to_best else ended(record))
        assert record.final == shorter.final
        assert {k: h.norm for k, h in record.weights.items()} == {k: h.norm for k, h in shorter.weights.items()}
        assert record.best == planned(record.seed, record.best_epoch).final


def test_stopped_at_the_last_epoch_it_hands_over_the_best_too(digits: Digits, together: list[RunRecord]) -> None:
    last = min(ended(record) for record in together)
    (seed,) = (record.seed for record in together if ended(record) == last)
    (record,) = engine.train(stopping(epochs=last, restore_best=True), [seed], digits)
    assert (ended(record), record.best_epoch) == (last, last - 2)
    assert record.final == record.best


def test_when_all_have_stopped_the_training_ends(digits: Digits, together: list[RunRecord]) -> None:
    stopped = {record.seed: ended(record) for record in together if ended(record) < EPOCHS}
    lines: list[str] = []
    engine.train(stopping(), list(stopped), digits, lines.append)
    assert len(lines) == max(stopped.values()) < EPOCHS
    assert lines[-1].endswith("every replicate has ended")


def test_what_becomes_of_a_stopped_replicate_afterwards_is_not_recorded(digits: Digits) -> None:
    """It trains on among the others; should it diverge then, it has still ended well."""

    def trained(spoil: bool) -> list[RunRecord]:
        v, seeds = stopping(restore_best=True), [0, 1]
        batches = Batches.prepare(digits, v.data, seeds, v.device)
        models = Replicates.start(v, seeds, batches)
        recorder = Recorder.open(v, len(seeds), models.parameters)
        recorder.epoch(0, models, models.evaluated(), batches)
        while recorder.goes_on:
            models.epoch(batches, recorder)
            recorder.epoch(recorder.scored + 1, models, models.evaluated(), batches)
            if spoil and not recorder.training[1]:
                for p in models.parameters.values():
                    p.data[1].fill_(math.nan)
        return recorder.records(seeds, models, models.evaluated(), batches, 0.0)

    sound, spoiled = trained(spoil=False), trained(spoil=True)
    assert ended(sound[1]) < ended(sound[0]) < EPOCHS, "the second stops first"
    assert [parts(record) for record in spoiled] == [parts(record) for record in sound]
    assert spoiled[1].outcome.status == "ok"


def test_a_diverging_neighbour_is_not_felt(digits: Digits) -> None:
    """Some are lost, one stops, one goes on: each as alone."""
    v = variant(
        data={"name": "mnist-sample", "train_size": 200, "validation_size": 50},
        model={"name": "mlp", "hidden": [16, 16]},
        optimizer={"name": "sgd", "lr": 30},
        clip="none",
        epochs=4,
        regularization={"name": "early_stopping", "patience": 1},
    )
    records = engine.train(v, [0, 1, 2, 6], digits)
    lost = [math.isnan(record.final["test"].loss) for record in records]
    assert 0 < sum(lost) < len(records)
    assert any(ended(record) < 4 for record, gone in zip(records, lost, strict=True) if not gone)
    for record in records:
        (alone,) = engine.train(v, [record.seed], digits)
        assert parts(alone) == parts(record)


def test_where_no_loss_was_ever_finite_the_last_parameters_are_handed_over(digits: Digits) -> None:
    """Not the initial ones, which were the best: the run has diverged and must show it."""
    v = variant(**ROUGH, regularization={"name": "early_stopping", "patience": 2, "restore_best": True})
    batches = Batches.prepare(digits, v.data, [0], v.device)
    models = Replicates.start(v, [0], batches)
    recorder = Recorder.open(v, 1, models.parameters)
    huge = {key: 1e30 * p.detach() for key, p in models.parameters.items()}
    for epoch in range(3):
        recorder.epoch(epoch, models, huge if epoch else models.evaluated(), batches)
    (record,) = recorder.records([0], models, huge, batches, 0.0)
    assert (ended(record), record.best_epoch, record.outcome.status) == (2, 0, "diverged")
    assert math.isnan(record.final["test"].loss)


def test_the_averaged_weights_are_what_is_validated_and_restored(digits: Digits) -> None:
    both = [{"name": "early_stopping", "patience": 1, "restore_best": True}, {"name": "weight_averaging", "decay": 0.5}]
    records = engine.train(variant(**ROUGH, epochs=EPOCHS, regularization=both), SEEDS, digits)
    assert any(ended(record) < EPOCHS for record in records)
    for record in records:
        if ended(record) < EPOCHS:
            averaging = variant(**ROUGH, epochs=record.best_epoch, regularization=both[1])
            (planned,) = engine.train(averaging, [record.seed], digits)
            assert record.final == record.best == planned.final
