"""Many seeds in one call: no run feels the others, nor that it is measured; all variants of a seed are paired."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from cases import SMALL, each_method, variant
from torch import Tensor

from study.config.variants import Variant
from study.data import Digits
from study.optim.rng import Distribution, NoiseStreams, generator
from study.training import engine
from study.training.batches import Batches
from study.training.recorder import Recorder
from study.training.records import RunRecord, tidy
from study.training.replicates import Replicates

pytestmark = pytest.mark.slow

Tensors = dict[str, Tensor]


def tables(v: Variant, seeds: Sequence[int], digits: Digits) -> dict[str, pd.DataFrame]:
    """All that is recorded but the wall time."""
    made = tidy("example", engine.train(v, seeds, digits))
    return made | {"runs": made["runs"].drop(columns="wall_seconds")}


def assert_same_rows(some: dict[str, pd.DataFrame], others: dict[str, pd.DataFrame], seeds: Sequence[int]) -> None:
    """Bit for bit, for these seeds."""
    for name, table in some.items():
        for seed in seeds:
            a, b = (t[t["seed"] == seed].reset_index(drop=True) for t in (table, others[name]))
            assert len(a) > 0
            pd.testing.assert_frame_equal(a, b, check_exact=True)


def every_method() -> dict[str, dict[str, Any]]:
    little = {"statistics": {**SMALL["statistics"], "probes": 0}}  # a probe looks at one model at a time
    return {name: {**one, **little, **({"epochs": 1} if "model" in one else {})} for name, one in each_method().items()}


@pytest.mark.parametrize("changes", every_method().values(), ids=every_method())
def test_a_run_is_the_same_alone_and_with_others(digits: Digits, changes: dict[str, Any]) -> None:
    v = variant(**changes)
    assert_same_rows(tables(v, [3], digits), tables(v, [1, 8, 3, 0], digits), [3])


def test_a_run_is_the_same_at_odd_sizes(digits: Digits) -> None:
    """Where the tensors of a model do not start at a multiple of a vector register's length, nor fill it."""
    sizes = {"model": {"name": "mlp", "hidden": [13, 7], "activation": "sigmoid"}, "batch_size": 13}
    v = variant(**sizes, regularization={"name": "dropout", "p": 0.5}, optimizer="adam")
    ten = tables(v, range(10), digits)
    assert_same_rows(tables(v, [3], digits), ten, [3])
    assert_same_rows(tables(v, [9, 3, 0], digits), ten, [0, 3, 9])


def test_a_run_is_the_same_with_nine_others_in_any_order_at_full_width(digits: Digits) -> None:
    v = variant(
        data={"name": "mnist-sample", "train_size": 256, "validation_size": 100},
        model={"name": "mlp", "hidden": [128]},
        batch_size=64,
        regularization={"name": "dropout", "p": 0.5},
    )
    ten = tables(v, range(10), digits)
    assert_same_rows(tables(v, [7], digits), ten, [7])
    assert_same_rows(tables(v, [9, 2, 7, 0], digits), ten, [0, 2, 7, 9])


def test_records_come_in_the_order_of_the_seeds(digits: Digits) -> None:
    assert [record.seed for record in engine.train(variant(epochs=1), [4, 0, 2], digits)] == [4, 0, 2]


Disturb = Callable[[Tensors], None]


def trained(
    v: Variant, seeds: Sequence[int], digits: Digits, disturb: Disturb | None = None
) -> tuple[Tensors, list[RunRecord]]:
    """The parameters after training, and the records; `disturb` may change the parameters after the first epoch."""
    batches = Batches.prepare(digits, v.data, seeds, v.device)
    models = Replicates.start(v, seeds, batches)
    recorder = Recorder.open(v, len(seeds), models.parameters)
    recorder.epoch(0, models, models.evaluated(), batches)
    for epoch in range(1, v.epochs + 1):
        models.epoch(batches, recorder)
        recorder.epoch(epoch, models, models.evaluated(), batches)
        if epoch == 1 and disturb:
            disturb(models.parameters)
    records = recorder.records(seeds, models, models.parameters, batches, 0.0)
    return {key: p.detach() for key, p in models.parameters.items()}, records


MEASURED = {"every_step": True, "windows": 50, "probes": 3, "probe_samples": 32, "curve_samples": 100}
UNMEASURED = {"every_step": False, "windows": 1, "probes": 0, "probe_samples": 2, "curve_samples": 1}


MEASURED_DIFFERENTLY: dict[str, dict[str, Any]] = {
    "coefficients": {},
    "entry by entry": {"clip": {"name": "value", "bound": 0.01}},
    "noise": {"regularization": {"name": "dropout", "p": 0.5}},
    "velocities": {"optimizer": {"name": "sgd", "lr": 0.1, "momentum": 0.9}},
    "a copy of the parameters": {"optimizer": {"name": "adam"}},
}


@pytest.mark.parametrize("changes", MEASURED_DIFFERENTLY.values(), ids=MEASURED_DIFFERENTLY)
def test_measuring_changes_no_bit(digits: Digits, changes: dict[str, Any]) -> None:
    (a, much), (b, little) = (
        trained(variant(**changes, statistics=given), [0, 1], digits) for given in (MEASURED, UNMEASURED)
    )
    assert all(torch.equal(a[key], b[key]) for key in a)
    for one, other in zip(much, little, strict=True):
        assert one.final == other.final
        assert one.best == other.best
        assert (one.best_epoch, one.outcome) == (other.best_epoch, other.outcome)
        assert np.array_equal(one.epochs["validation_loss"], other.epochs["validation_loss"])


@pytest.fixture(scope="module")
def diverging() -> Variant:
    """At this learning rate some seeds become non-finite and others do not."""
    return variant(
        data={"name": "mnist-sample", "train_size": 200, "validation_size": 50},
        model={"name": "mlp", "hidden": [16, 16]},
        optimizer={"name": "sgd", "lr": 30},
        clip="none",
        epochs=4,
    )


def test_a_diverging_neighbour_is_not_felt_and_feels_nothing(digits: Digits, diverging: Variant) -> None:
    seeds = [0, 1, 2, 6]
    together = tables(diverging, seeds, digits)
    lost = set(together["runs"].query("cause.str.startswith('non-finite')")["seed"])
    assert 0 < len(lost) < len(seeds), "the setting must lose some seeds and keep others"
    for seed in seeds:
        assert_same_rows(tables(diverging, [seed], digits), together, [seed])
    assert_same_rows(tables(diverging, sorted(set(seeds) - lost), digits), together, sorted(set(seeds) - lost))


def test_a_spoiled_neighbour_is_not_felt(digits: Digits) -> None:
    def spoil(parameters: Tensors) -> None:
        for p in parameters.values():
            p.data[1].fill_(math.nan)

    v = variant(regularization={"name": "dropout", "p": 0.5}, optimizer="adam", epochs=3)
    (sound, _), (spoiled, _) = trained(v, [0, 1, 2], digits), trained(v, [0, 1, 2], digits, spoil)
    for key in sound:
        assert torch.equal(sound[key][[0, 2]], spoiled[key][[0, 2]])
        assert spoiled[key][1].isnan().all()


def test_what_is_not_finite_is_lost_even_if_its_loss_is_finite(digits: Digits) -> None:
    """A hidden unit whose bias is -inf is silent for good; such a run has no metrics, and no later best epoch."""

    def silence(parameters: Tensors) -> None:
        parameters["layers.1.bias"].data[1, 0] = -math.inf

    v = variant(optimizer={"name": "sgd", "lr": 0.02}, clip="none", epochs=4)
    sound, lost = trained(v, [0, 1], digits, silence)[1]
    assert np.isfinite(lost.epochs["validation_loss"]).all(), "the loss alone does not tell"
    assert sound.best_epoch == 4
    assert (lost.best_epoch, lost.outcome.cause) == (1, "non-finite parameters")
    assert (lost.steps_taken, len(lost.epochs["train_loss"])) == (2 * 5, 3)
    assert math.isnan(lost.final["test"].accuracy)
    assert math.isfinite(lost.best["test"].accuracy)
    assert math.isfinite(sound.final["test"].accuracy)


def test_a_lost_run_is_recorded_up_to_its_end(digits: Digits) -> None:
    v = variant(optimizer={"name": "sgd", "lr": 1e12}, clip="none", epochs=50)
    lines: list[str] = []
    (record,) = engine.train(v, [0], digits, lines.append)
    assert lines[-1].endswith("every replicate has diverged")
    assert (record.outcome.status, record.outcome.cause) == ("diverged", "non-finite gradient")
    ended = len(lines)
    assert ended < 50, "nothing is left to train"
    assert record.steps_taken == len(record.steps["loss"]) == ended * 5
    assert len(record.epochs["train_loss"]) == ended + 1
    first_bad = int(np.flatnonzero(record.steps["finite"] == 0)[0])
    assert record.outcome.step == first_bad
    assert np.isfinite(record.steps["loss"][:first_bad]).all()
    assert all(math.isnan(x) for score in record.final.values() for x in (score.loss, score.accuracy))


def test_a_run_that_learns_nothing_has_diverged_too(digits: Digits) -> None:
    (record,) = engine.train(variant(optimizer={"name": "sgd", "lr": 1e-9}, epochs=1), [0], digits)
    assert (record.outcome.status, record.outcome.cause, record.outcome.step) == ("diverged", "chance level", None)


def test_the_best_epoch_is_where_a_shorter_training_would_have_ended(digits: Digits) -> None:
    v = variant(optimizer={"name": "sgd", "lr": 0.3}, clip="none", epochs=8)
    records = engine.train(v, [0, 1, 2, 3], digits)
    early = [record for record in records if record.best_epoch < 8]
    assert early, "the setting must overfit at least once"
    for record in early:
        shorter = variant(optimizer={"name": "sgd", "lr": 0.3}, clip="none", epochs=record.best_epoch)
        (alone,) = engine.train(shorter, [record.seed], digits)
        assert record.best == alone.final


@pytest.mark.usefixtures("global_randomness_untouched")
@pytest.mark.parametrize("init", ["pytorch", "orthogonal"])
def test_training_leaves_the_global_random_states_alone(digits: Digits, init: str) -> None:
    v = variant(regularization={"name": "dropout", "p": 0.5}, model={"name": "mlp", "hidden": [8], "init": init})
    assert len(engine.train(v, [0, 1], digits)) == 2


def test_global_random_states_are_not_used_either(digits: Digits) -> None:
    v = variant(regularization={"name": "dropout", "p": 0.5}, epochs=1)
    made = []
    for seed in (1, 2):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            made.append(tables(v, [0], digits))
    assert_same_rows(*made, [0])


def test_one_line_an_epoch_is_reported(digits: Digits) -> None:
    lines: list[str] = []
    engine.train(variant(epochs=3), [0, 1], digits, lines.append)
    assert [line[:13] for line in lines] == ["epoch 1 of 3:", "epoch 2 of 3:", "epoch 3 of 3:"]


PAIRED = {
    "plain": {},
    "clip": {"clip": {"name": "value", "bound": 0.01}},
    "penalty": {"regularization": {"name": "l2", "strength": 0.1}},
    "optimizer": {"optimizer": "adam"},
    "length": {"epochs": 1},
}


def test_every_variant_of_a_seed_starts_from_the_same_model_digits_and_batch(digits: Digits) -> None:
    first: dict[str, list[RunRecord]] = {
        name: engine.train(variant(**changes), [0, 1], digits) for name, changes in PAIRED.items()
    }
    for records in first.values():
        for record, plain in zip(records, first["plain"], strict=True):
            for column in ("train_loss", "validation_loss", "test_loss"):
                assert record.epochs[column][0] == plain.epochs[column][0]
            assert record.steps["loss"][0] == plain.steps["loss"][0]
    a, b = first["plain"]
    assert a.epochs["test_loss"][0] != b.epochs["test_loss"][0]
    assert a.steps["loss"][0] != b.steps["loss"][0]


def test_dropout_of_any_rate_sees_the_same_numbers_and_seeds_see_others(digits: Digits) -> None:
    def noise(p: float, seeds: Sequence[int]) -> Tensor:
        v = variant(regularization=[{"name": "l1", "strength": p}, {"name": "dropout", "p": p}])
        streams = Replicates.start(v, seeds, Batches.prepare(digits, v.data, seeds, "cpu")).noise
        cpu = torch.device("cpu")
        return torch.stack([streams.draw(cpu)["dropout"]["hidden1"].clone() for _ in range(3)], 1)

    weak, strong = noise(0.2, [0, 1]), noise(0.5, [1, 4, 0])
    assert torch.equal(weak[0], strong[2])
    assert torch.equal(weak[1], strong[0])
    assert not torch.equal(weak[0], weak[1])
    assert not torch.equal(weak[0, 0], weak[0, 1]), "each step has its own"


def test_noise_streams_bear_the_names_of_their_methods() -> None:
    streams = NoiseStreams.open({name: {"site": Distribution((5,))} for name in ("one", "two")}, [3])
    drawn = streams.draw(torch.device("cpu"))
    assert torch.equal(drawn["one"]["site"][0], torch.rand(5, generator=generator(3, "one")))
    assert not torch.equal(drawn["one"]["site"], drawn["two"]["site"])
    assert NoiseStreams.open({}, [3]).draw(torch.device("cpu")) == {}
