"""A training's bits do not depend on how many cores the machine has: the compiler splits no sum among them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cases import variant
from tests.checkout import ROOT

# It prints the losses of each epoch; which cores it may use is settled before a library looks for them.
TRAIN = """
import os, sys
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:int(sys.argv[1])])
from pathlib import Path
from study.config.variants import Variant
from study.data import load
from study.training import compile_cache, engine
compile_cache.FOLDER = Path(sys.argv[2])
(run,) = engine.train(Variant.model_validate_json(sys.argv[3]), [0], load("mnist-sample", Path()))
print(run.epochs["train_loss"].tolist())
"""
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
# A net and a sum large enough for the compiler to split.
WIDE = {"model": {"name": "mlp", "hidden": [128]}, "clip": {"name": "value", "bound": 0.01}, "epochs": 10}


@pytest.mark.slow
@pytest.mark.skipif(CORES < 2, reason="a process cannot be given one core and two here")
def test_a_training_is_the_same_on_one_core_and_on_two(tmp_path: Path) -> None:
    trained = variant(**WIDE, regularization={"name": "sum_of_norms", "strength": 0.001}).model_dump_json()

    def losses(cores: int) -> list[float]:
        command = [sys.executable, "-c", TRAIN, str(cores), str(tmp_path / str(cores)), trained]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        return list(json.loads(done.stdout.splitlines()[-1]))

    one, two = losses(1), losses(2)
    assert len(one) > 10
    assert one == two
