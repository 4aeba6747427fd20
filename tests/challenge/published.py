"""A small frozen study and its published tables, trained here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from study.analysis.trials import trial_table
from study.config.read import read
from study.config.variants import expand, expand_trials
from study.jobs.trials import train_trials
from study.methods.base import PLUGIN, Method
from study.report.publish import small_csv
from study.results import protocol, store
from study.results.trial_choice import chosen_variant
from study.training import engine, records
from study.training.batches import digits_of

STUDY: dict[str, Any] = {
    "name": "small",
    "status": "confirmatory",
    "seeds": [50, 51, 52, 53, 54, 55],
    "statistics": {"probes": 0},
    "defaults": {
        "data": {"name": "mnist-sample", "train_size": 120, "validation_size": 60},
        "model": {"name": "mlp", "hidden": [8]},
        "optimizer": {"name": "sgd", "lr": 0.1},
        "epochs": 3,
        "batch_size": 20,
        "grid": "alone",
        "clips": ["none", "value"],
        "regularizations": ["none", "l2"],
        "tuning": {"trials": 3, "seeds": [60], "metric": "best_validation_loss"},
    },
    "regimes": {"plain": {}, "wrong": {"data": {"label_noise": {"train": 0.4, "validation": 0.4}}}},
}
TERMS: dict[str, Any] = {
    "study": "study.yaml",
    "published": "published",
    "workloads": ["plain", "wrong"],
    "drawn": {"workload": "wrong", "seeds": 3, "against": [{"clip": "value"}]},
}
COPY = """from typing import Literal
from study.clipping.value import Value

class MyValue(Value):
    name: Literal["my_value"] = "my_value"
"""


@contextmanager
def apart() -> Iterator[None]:
    """Users' methods are out of the registries as in another process, and there again afterwards."""
    before = {family: family.members for family in Method.__subclasses__()}
    for family, members in before.items():
        family.members = {name: one for name, one in members.items() if not one.__module__.startswith(PLUGIN)}
    try:
        yield
    finally:
        for family, members in before.items():
            family.members = members


def publish(folder: Path) -> None:
    """Write study, lock, terms and published tables into a folder."""
    configuration = folder / "study.yaml"
    configuration.write_text(yaml.safe_dump(STUDY))
    (folder / "terms.yaml").write_text(yaml.safe_dump(TERMS))
    study = read(STUDY, [configuration], {})
    protocol.freeze(study, protocol.lock_of(configuration))
    tables = [folder / f"trials-{index}" / "trials.parquet" for index, _ in enumerate(expand_trials(study))]
    for one, table in zip(expand_trials(study), tables, strict=True):
        train_trials(study.name, one, one.data.folder, table)
    tried = pd.concat([store.read(table) for table in tables])
    runs = []
    for variant in expand(study):
        chosen = chosen_variant(variant, tried)
        trained = engine.train(chosen, study.seeds, digits_of(variant.data, variant.data.folder))
        runs.append(records.tidy(study.name, trained)["runs"])
    (folder / "published").mkdir()
    (folder / "published/runs.csv").write_text(small_csv(pd.concat(runs)))
    store.write(trial_table(tried, study), folder / "published/trials.csv")
