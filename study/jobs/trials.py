"""All trials of a method as one job: from where it was ended before to one table of their runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from study.config.variants import Variant, trials
from study.jobs.job import drop_outdated, identity, made_by
from study.results import store
from study.results.provenance import Provenance
from study.results.trial_choice import chosen_variant
from study.training import engine, records
from study.training.batches import digits_of
from study.utils.timer import Timer


def train_trials(
    study: str,
    variant: Variant,
    data: Path,
    table: Path,
    report: Callable[[str], None] = lambda line: None,
    code: Mapping[str, str] | None = None,
) -> None:
    """Train every trial of a variant with all its tuning seeds on the data set in `data`, and write their runs.

    What each trial came to is kept beside the table until all are done, so that the same job goes on where it was
    ended; `report` gets the lines of the trainings. code: the fingerprint of the code that was to train; raises
    CodeError where it is another.
    """
    watch = Timer()
    assert variant.tuned is not None  # such are the variants that have trials
    made = made_by(variant, code)
    parts = table.with_name("trials")
    with watch.part("data"):
        digits = digits_of(variant.data, data)
    tried = trials(variant)
    for index, one in enumerate(tried):
        part = parts / f"{one.digest[:16]}.parquet"
        if not _whole(part, made):
            report(f"trial {index + 1} of {len(tried)}: {one.optimizer.label}, {one.clip_label}")
            trained = engine.train(one, variant.tuned.seeds, digits, report, watch=watch)
            store.write(records.tidy(study, trained)["runs"], part, made.text)
    runs = [store.read(parts / f"{one.digest[:16]}.parquet") for one in tried]
    store.write(pd.concat(runs, ignore_index=True), table, made.text)
    shutil.rmtree(parts, ignore_errors=True)
    drop_outdated(variant, table.parent)
    report(watch.line())


def _whole(part: Path, made: Provenance) -> bool:
    """Whether a trial is there, trained by this code; what is damaged is trained again."""
    try:
        return identity(Provenance.parse(store.read_provenance(part))) == identity(made)
    except store.TableError:
        return False


def resolved(variant: Variant, table: Path | None) -> Variant:
    """The variant as it is evaluated: at what its trials chose, where it has any."""
    return chosen_variant(variant, store.read(table)) if variant.tuned and table else variant
