"""On a GPU every method takes the steps that it takes on the CPU, to float32 accuracy; skipped where there is none."""

from typing import Any

import pytest
import torch
from cases import each_method, variant
from torch import Tensor

from study.data import Digits
from study.training.batches import Batches
from study.training.recorder import Recorder
from study.training.replicates import Replicates

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU")

DEVICE = "cuda"
SEEDS = (0, 1)
DATA = {"name": "mnist-sample", "train_size": 120, "validation_size": 100}  # six steps


CASES = each_method()


def trained(changes: dict[str, Any], device: str, digits: Digits) -> tuple[dict[str, Tensor], Tensor]:
    """The parameters [R, ...] after an epoch on a device, and the gradients' norms [S, R] on the way."""
    one = variant(data=DATA, epochs=1, device=device, **changes)
    batches = Batches.prepare(digits, one.data, SEEDS, device)
    replicates = Replicates.start(one, SEEDS, batches)
    recorder = Recorder.open(one, len(SEEDS), replicates.parameters)
    replicates.epoch(batches, recorder)
    parameters = {key: p.detach().cpu() for key, p in replicates.parameters.items()}
    return parameters, torch.from_numpy(recorder.log.columns()[:, :, 1])


@pytest.mark.parametrize("changes", CASES.values(), ids=CASES)
def test_steps_on_a_gpu_are_those_on_the_cpu(changes: dict[str, Any], digits: Digits) -> None:
    ours, theirs = (trained(changes, device, digits) for device in (DEVICE, "cpu"))
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5, equal_nan=True)
