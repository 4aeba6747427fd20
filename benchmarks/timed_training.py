"""One training of the default study by the code in the current folder, of whatever commit: processor seconds by part.

python timed_training.py REGIME CLIP REGULARIZATION: ten seeds; prints JSON.
"""

import gc
import importlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path.cwd()))

import torch
import yaml

from study import journal, records, replicates
from study.data import load
from study.variants import Variant

KEYS = ("data", "model", "loss", "optimizer", "epochs", "batch_size")
spent, inside = {"start-up": 0.0}, [0.0]


def named(methods: Sequence[Any], name: str) -> Any:
    """The method of a regime with this name, as it is written."""
    return next(one for one in methods if name in (one, isinstance(one, dict) and one["name"]))


def timed(owner: Any, name: str, part: str) -> None:
    """From now on count the time in this function, less that in others that are timed, to the part."""
    own = getattr(owner, name)

    def call(*given: Any, **more: Any) -> Any:
        inside.append(0.0)
        started = time.process_time()
        result = own(*given, **more)
        whole = time.process_time() - started
        spent[part] = spent.get(part, 0.0) + whole - inside.pop()
        inside[-1] += whole
        return result

    setattr(owner, name, call)


def prepared() -> None:
    """What a job does before it trains, where the commit has it."""
    torch.set_num_threads(1)
    try:
        importlib.import_module("study.memory").keep_freed()
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
    return replicates.train(variant, tuple(range(10)), load(variant.data.name, Path("data") / variant.data.name))


if __name__ == "__main__":
    prepared()
    spent["start-up"] = time.process_time()
    timed(replicates.Replicates, "epoch", "training")
    timed(journal.Journal, "epoch", "scoring")
    timed(journal.Journal, "_probe", "probes")
    timed(journal.Journal, "records", "statistics and last scores")
    started = time.process_time()
    runs = trained(*sys.argv[1:])
    spent["data"] = time.process_time() - started - inside[0]
    timed(records, "tidy", "tables")
    records.tidy("timed", runs)
    print(json.dumps(spent))
