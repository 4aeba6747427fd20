"""A training that is ended and goes on is one that was never ended, to the last bit; a file of no use is left aside."""

import dataclasses
import math
from collections.abc import Mapping
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from cases import CLIP_MODES, OPTIMIZERS, REGULARIZATION_MODES, SMALL, Make, variant
from torch import Generator, Tensor, nn

from study.clipping import PerSample
from study.config.variants import Variant
from study.data import Digits
from study.parameters import Settings
from study.training import engine
from study.training.batches import Batches
from study.training.checkpoints import Checkpoint, packed, restored, state_of, unpacked
from study.training.engine import TrainingState
from study.training.program import Program
from study.training.recorder import Recorder
from study.training.records import RunRecord
from study.training.replicates import Replicates
from tests.interrupted import IDENTITY, EndedError, assert_same, train

pytestmark = pytest.mark.slow

EPOCHS = 3


def with_interruptions(v: Variant, digits: Digits, file: Path) -> list[RunRecord]:
    """Ended in each epoch but the first, each time after most of it was done."""
    for epoch in range(1, v.epochs):
        try:
            return train(v, digits, file, end_after=epoch)
        except EndedError:
            assert file.exists()
    return train(v, digits, file)


LEAN = {"statistics": {**SMALL["statistics"], "probes": 0}}


def one_mode_each(modes: Mapping[str, Make]) -> list[Any]:
    """Each method once, in its first mode."""
    return list({(method := make(0.1)).name: method for make in reversed(modes.values())}.values())


def with_state() -> dict[str, dict[str, Any]]:
    """The optimizers, schedules and outcomes, and each method that remembers, draws numbers, or ends a training."""
    one = variant().model.initialise(variant().model.build(784, 10), torch.Generator())
    remembering = [clip for clip in one_mode_each(CLIP_MODES) if clip.initial_state(one)]
    by_sample = [clip for clip in remembering if isinstance(clip, PerSample)]
    by_batch = cycle(clip for clip in remembering if clip not in by_sample)
    others = [
        regularization
        for regularization in one_mode_each(REGULARIZATION_MODES)
        if regularization.initial_state(one) or any(regularization.overrides(hook) for hook in ("noise", "stops"))
    ]
    assert len(others) >= len(remembering) - len(by_sample), "each clip meets a regularization"
    pairs = [*((clip, "none") for clip in by_sample), *zip(by_batch, others, strict=False)]
    optimizers = {
        f"{n} {i}": {"name": n, **given} for n, several in OPTIMIZERS.items() for i, given in enumerate(several)
    }
    return {
        **{f"{c.label} with {getattr(r, 'label', r)}": {"clip": c, "regularization": r, **LEAN} for c, r in pairs},
        **{label: {"optimizer": optimizer, **LEAN} for label, optimizer in optimizers.items()},
        "batch norm": {
            "model": {"name": "mlp", "hidden": [12, 8], "batch_norm": True},
            "regularization": {"name": "weight_averaging", "decay": 0.5},
            **LEAN,
        },
        "schedule": {"schedule": {"name": "cosine"}, **LEAN},
        "folds": {"folds": 2, "regularization": {"name": "dropout", "p": 0.5}, **LEAN},
        "only scored": {"statistics": {**SMALL["statistics"], "every_step": False, "probes": 0}},
        "probed": {"optimizer": {"name": "sgd", "lr": 0.1, "momentum": 0.9}},
        "one stopped, one not": {
            "epochs": 4,
            "optimizer": {"name": "sgd", "lr": 1.0},
            "clip": "none",
            "regularization": {"name": "early_stopping", "patience": 1, "restore_best": True},
            **LEAN,
        },
        "diverging": {
            "optimizer": {"name": "sgd", "lr": 1e6, "momentum": 0.9},
            "clip": "none",
            "loss": "squared_error",
            **LEAN,
        },
    }


@pytest.mark.parametrize("changes", with_state().values(), ids=with_state())
def test_ended_in_every_epoch_it_comes_to_the_same_records(
    digits: Digits, changes: dict[str, Any], tmp_path: Path
) -> None:
    v = variant(**{"epochs": EPOCHS, **changes})
    assert_same(train(v, digits), with_interruptions(v, digits, tmp_path / "checkpoint"))


def test_it_goes_on_after_the_last_epoch_that_was_kept(digits: Digits, tmp_path: Path) -> None:
    file, lines = tmp_path / "checkpoint", list[str]()
    with pytest.raises(EndedError):
        train(variant(epochs=4, **LEAN), digits, file, end_after=2)
    train(variant(epochs=4, **LEAN), digits, file, say=lines)
    assert [line[:12] for line in lines] == ["goes on afte", "epoch 3 of 4", "epoch 4 of 4"]
    lines.clear()
    train(variant(epochs=4, **LEAN), digits, file, say=lines)
    assert lines == ["goes on after epoch 4 of 4"]


def test_the_wall_time_is_that_of_all_pieces(digits: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, now = tmp_path / "checkpoint", [0.0]
    monkeypatch.setattr(engine.time, "perf_counter", lambda: now[0])

    class Hours(list[str]):
        def append(self, line: str) -> None:
            now[0] += 100.0 * line.startswith("epoch")

    with pytest.raises(EndedError):
        train(variant(epochs=3, **LEAN), digits, file, end_after=2, say=Hours())
    now[0] = -5000.0  # another machine's clock
    records = train(variant(epochs=3, **LEAN), digits, file, say=Hours())
    assert [record.wall_seconds for record in records] == [150.0, 150.0]


def test_it_is_kept_when_it_is_time_to_and_dropped(digits: Digits, tmp_path: Path) -> None:
    for seconds, there in ((math.inf, False), (0.0, True)):
        checkpoint = Checkpoint(tmp_path / "checkpoint", IDENTITY, seconds=seconds)
        engine.train(variant(epochs=1, **LEAN), [0], digits, checkpoint=checkpoint)
        assert checkpoint.path.exists() == there
    checkpoint.drop()
    checkpoint.drop()
    assert list(tmp_path.iterdir()) == []


# The whole state.


def begun(v: Variant, digits: Digits) -> tuple[TrainingState, Batches]:
    batches = Batches.prepare(digits, v.data, [3, 1], v.device)
    models = Replicates.start(v, [3, 1], batches)
    training = TrainingState(models, Recorder.open(v, 2, models.parameters), batches.orders)
    training.score(batches)
    return training, batches


def advance(training: TrainingState, batches: Batches) -> None:
    training.replicates.epoch(batches, training.recorder)
    training.score(batches)


def differences(one: Any, other: Any, at: str = "training") -> list[str]:
    """Where two objects differ, down to their last attribute, in value, kind or memory layout."""
    walk = partial(_differences, at=at)
    if isinstance(one, nn.Parameter | Tensor):
        same = torch.equal(one.nan_to_num(7.0), other.nan_to_num(7.0)) and one.stride() == other.stride()
        return [] if same and type(one) is type(other) and one.dtype == other.dtype else [at]
    if isinstance(one, torch.optim.Optimizer):
        return walk(one.state_dict(), other.state_dict())
    if isinstance(one, Generator):
        return differences(one.get_state(), other.get_state(), f"{at}.state")
    if isinstance(one, np.ndarray):
        return [] if np.array_equal(one, other, equal_nan=True) and one.dtype == other.dtype else [at]
    if isinstance(one, Mapping):
        return walk(dict(one), dict(other))
    if isinstance(one, list | tuple):
        return walk(dict(enumerate(one)), dict(enumerate(other)))
    if isinstance(one, Settings | nn.Module | Program | float | int | str | frozenset | None):
        same = isinstance(one, nn.Module | Program) or one == other or (one != one and other != other)
        return [] if same else [at]
    return walk(vars(one), vars(other)) if hasattr(one, "__dict__") else [f"{at}: {type(one).__name__}"]


def _differences(one: dict[Any, Any], other: dict[Any, Any], at: str) -> list[str]:
    if one.keys() != other.keys():
        return [f"{at}: {one.keys() ^ other.keys()}"]
    return [found for key in one for found in differences(one[key], other[key], f"{at}.{key}")]


WHOLE: dict[str, dict[str, Any]] = {
    "momentum": {"clip": "zscore", "regularization": {"name": "dropout", "p": 0.5}},
    "adam": {"optimizer": "adam", "regularization": {"name": "weight_averaging", "decay": 0.9}},
    "one stopped": {
        "optimizer": "rmsprop",
        "regularization": {"name": "early_stopping", "patience": 1, "min_delta": 9},
    },
}


@pytest.mark.parametrize("changes", WHOLE.values(), ids=WHOLE)
def test_every_attribute_is_brought_back(digits: Digits, changes: dict[str, Any]) -> None:
    v = variant(**{"epochs": EPOCHS, **LEAN, "optimizer": {"name": "sgd", "lr": 0.1, "momentum": 0.9}, **changes})
    (training, batches), (fresh, _) = begun(v, digits), begun(v, digits)
    advance(training, batches)
    advance(training, batches)
    found = differences(training, fresh)
    assert any(".optimizer." in one for one in found)
    restored(fresh, unpacked(packed(state_of(training), IDENTITY), IDENTITY))
    assert [one for one in differences(training, fresh) if not _made_again(one)] == []


def _made_again(where: str) -> bool:
    """The program is compiled anew; a process times itself."""
    return where == "training.replicates.way" or ".recorder.watch." in where


def test_what_it_does_not_know_is_refused_rather_than_forgotten() -> None:
    @dataclasses.dataclass
    class New:
        method_memory: set[int]

    with pytest.raises(TypeError, match="Got set instead"):
        state_of(New({1}))


def test_what_is_shared_stays_shared() -> None:
    one = torch.ones(3)
    back = unpacked(packed(state_of({"a": one, "b": [one, {2: np.arange(2)}], "c": -math.inf}), {}), {})
    assert back["a"] is back["b"][0]
    assert back["b"][1][2].tolist() == [0, 1]
    assert back["c"] == -math.inf
