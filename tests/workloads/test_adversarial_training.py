"""Adversarial training as a whole: its records, company, checkpoints and outcomes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from cases import variant

from study.data import Digits
from study.results import code_digest
from study.results.columns import TRAININGS
from study.results.workload_columns import WORKLOADS
from study.training import engine
from study.training.evaluation import replicates_of
from study.training.records import tidy
from study.training.trainers.adversarial import KEPT
from study.workloads.adversarial import collapsed
from tests.interrupted import assert_goes_on
from tests.workloads.adversaries import adversarial, trained

pytestmark = pytest.mark.slow


def test_weights_of_the_generator_are_averaged(digits: Digits) -> None:
    averaged, _ = trained(
        adversarial(regularization={"name": "weight_averaging", "decay": 0.5}), [0], digits, compiled=False
    )
    after, before = averaged.evaluated(), averaged.parameters
    for key, p in after.items():
        assert torch.equal(p, before[key]) == key.startswith("discriminator"), key


def test_a_seed_does_not_depend_on_its_company(digits: Digits) -> None:
    v = adversarial(clip={"name": "global_norm", "max_norm": 0.3}, regularization={"name": "dragan", "strength": 1.0})
    alone = tidy("s", engine.train(v, [1], digits))
    together = tidy("s", engine.train(v, [3, 1], digits))
    for name, table in alone.items():
        own = together[name][together[name]["seed"] == 1].reset_index(drop=True)
        same = [column for column in table if column != "wall_seconds"]
        assert table[same].equals(own[same]), name
    for name, columns in WORKLOADS["adversarial"].items():
        names = [column.name for column in columns]
        assert list(together[name].columns) == [*TRAININGS[name].names, *names], (
            "mend study/results/workload_columns.py"
        )
    runs, epochs = together["runs"], together["epochs"]
    assert (runs["validation_loss"] == runs["frechet_distance"]).all()
    assert (runs["validation_accuracy"] == runs["coverage"]).all()
    assert epochs.groupby("seed").size().tolist() == [v.epochs + 1] * 2
    assert set(together["tensors"]["tensor"].str.partition(".")[0]) == {"discriminator"}


def test_digits_of_each_run_are_kept_as_pictures(digits: Digits) -> None:
    players, _ = trained(adversarial(), [0, 1], digits)
    _, parameters = replicates_of(players.evaluated())
    made = players.made(parameters)[:KEPT]
    kept = players.samples(parameters)
    assert kept.dtype == torch.uint8
    low, high = players.pair.low, players.pair.high
    torch.testing.assert_close(low + (high - low) * kept / 255, made, atol=0.51 * (high - low) / 255, rtol=0)
    table = tidy("s", engine.train(adversarial(), [0, 1], digits))["samples"]
    assert list(table.columns) == TRAININGS["samples"].names
    rows = table[table["seed"] == 1]
    assert [np.frombuffer(one, np.uint8).tolist() for one in rows["pixels"]] == kept.tolist()


def test_a_training_that_was_ended_goes_on_to_the_same_records(digits: Digits, tmp_path: Path) -> None:
    v = adversarial(
        {"clip_at": "both"},
        clip={"name": "zscore", "warm_up_steps": 2},
        regularization=[{"name": "dropout", "p": 0.2}, {"name": "weight_averaging", "decay": 0.5}],
    )
    assert_goes_on(v, digits, tmp_path / "checkpoint")


def test_a_run_that_is_not_finite_has_diverged_and_collapsed(digits: Digits) -> None:
    v = adversarial(optimizer={"name": "sgd", "lr": 1e9})
    tables = tidy("s", engine.train(v, [0], digits))
    runs = tables["runs"]
    assert runs["status"].tolist() == ["diverged"]
    assert runs["collapsed"].tolist() == [1.0]
    assert runs["test_accuracy"].isna().all()
    assert set(b"".join(tables["samples"]["pixels"])) == {0}


@pytest.mark.parametrize(
    ("coverage", "distance", "outcome"),
    [
        ([0.0, 0.4, 0.3], [0.9, 0.2, 0.1], False),
        ([0.0, 0.4, 0.2], [0.9, 0.2, 0.1], True),  # half of its best
        ([0.0, 0.4, 0.4], [0.9, 0.2, 0.5], True),  # on few digits
        ([0.0, 0.4, np.nan], [0.9, 0.2, np.nan], True),
    ],
)
def test_collapse_is_as_defined(coverage: list[float], distance: list[float], outcome: bool) -> None:
    assert collapsed(np.array(coverage), np.array(distance)) == outcome


def test_an_edit_of_the_players_trains_no_other_workload_again() -> None:
    files = {file.name for file in code_digest.files_of(adversarial())}
    own = {"players.py", "generated.py", "digit_features.py", "adversarial_losses.py"}
    assert own | {"replicates.py"} <= files
    assert not own & {file.name for file in code_digest.files_of(variant())}
