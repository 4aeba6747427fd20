"""One training of the default study by the code in the current folder, of whatever commit: processor seconds by part.

python timed_training.py REGIME CLIP REGULARIZATION: ten seeds; prints JSON.
"""

import gc
import importlib.util
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path.cwd()))

import torch
import yaml

from study.config.variants import Variant
from study.data import load
from study.training import engine, recorder, records

# This commit's timer, by its file: the other's `study` need not have one.
spec = importlib.util.spec_from_file_location("timer", Path(__file__).parents[1] / "study/utils/timer.py")
assert spec is not None
assert spec.loader is not None
timer = sys.modules["timer"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(timer)

KEYS = ("data", "model", "loss", "optimizer", "epochs", "batch_size")
watch = timer.Timer()
Recorder = getattr(recorder, "Recorder", None) or recorder.Journal  # its name in older commits


def named(methods: Sequence[Any], name: str) -> Any:
    """The method of a regime with this name, as it is written."""
    return next(one for one in methods if name in (one, isinstance(one, dict) and one["name"]))


def timed(owner: Any, name: str, part: str) -> None:
    """From now on count the time in this function, less that in others that are timed, to the part."""
    own = getattr(owner, name)

    def call(*given: Any, **more: Any) -> Any:
        with watch.part(part):
            return own(*given, **more)

    setattr(owner, name, call)


def prepared() -> None:
    """What a job does before it trains, where the commit has it."""
    torch.set_num_threads(1)
    try:
        importlib.import_module("study.utils.malloc").keep_freed()
        gc.freeze()
    except ImportError:
        pass


def trained(regime: str, clip: str, regularization: str) -> list[records.RunRecord]:
    """Ten seeds of a cell of config/study.yaml."""
    raw = yaml.safe_load(Path("config/study.yaml").read_text())
    has = raw["defaults"] | raw["regimes"][regime]
    cell = {"clip": named(has["clips"], clip), "regularization": named(has["regularizations"], regularization)}
    shared = {key: has[key] for key in KEYS}
    variant = Variant.model_validate({"regime": regime, **cell, **shared, "statistics": {}})
    return engine.train(variant, tuple(range(10)), load(variant.data.name, Path("data") / variant.data.name))


if __name__ == "__main__":
    prepared()
    watch.spent["start-up"] = time.process_time()
    timed(engine.Replicates, "epoch", "training")
    timed(Recorder, "epoch", "scoring")
    timed(Recorder, "_probe", "probes")
    timed(Recorder, "records", "statistics and last scores")
    with watch.part("data"):
        runs = trained(*sys.argv[1:])
    with watch.part("tables"):
        records.tidy("timed", runs)
    print(json.dumps(watch.spent))
