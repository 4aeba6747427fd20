"""A workload of a user's file is trained, recorded with columns of its own, and its file is tracked."""

from pathlib import Path

import pytest
from cases import variant

from study.data import Digits
from study.methods import plugins
from study.results import code_digest
from study.training import engine
from study.training.records import tidy

OWN = '''
from typing import ClassVar, Literal

import numpy as np

from study.training.replicates import Replicates
from study.workloads import Workload


class HalfEpochs(Workload):
    """Half of the digits are learned from in each epoch."""

    name: Literal["half_epochs"] = "half_epochs"
    columns: ClassVar[tuple[str, ...]] = ("steps_so_far",)

    def steps(self, digits, batch_size):
        return digits // 2 // batch_size

    def outcomes(self, epochs):
        return {"steps_in_all": float(epochs["steps_so_far"][-1])}


class Halves(Replicates, trains=HalfEpochs):
    """Training that sees the first half of each epoch's order alone."""

    def epoch(self, batches, recorder):
        whole = batches.epoch
        object.__setattr__(batches, "epoch", lambda: tuple(part[:, : part.shape[1] // 2] for part in whole()))
        try:
            super().epoch(batches, recorder)
        finally:
            object.__delattr__(batches, "epoch")

    @property
    def noted(self):
        return np.full((len(self.parameters["layers.0.bias"]), 1), float(self.taken))
'''


@pytest.mark.usefixtures("registries_as_before")
def test_a_workload_of_a_users_file_is_trained_and_tracked(tmp_path: Path, digits: Digits) -> None:
    file = tmp_path / "own_workload.py"
    file.write_text(OWN)
    plugins.load([str(file)])
    v = variant(workload="half_epochs")
    assert v.digest != variant().digest
    assert (v.steps, variant().steps) == (4, 10)
    tables = tidy("s", engine.train(v, [3, 1], digits))
    assert tables["runs"][["steps", "steps_in_all"]].to_numpy().tolist() == [[4, 4]] * 2
    assert tables["epochs"]["steps_so_far"].tolist() == [0, 2, 4] * 2
    assert file.resolve() in code_digest.files_of(v)
    assert "own_workload.py" in code_digest.fingerprint(v)
