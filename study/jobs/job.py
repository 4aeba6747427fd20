"""One training as a job: from where it was ended before to tables that are whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

from study.config.variants import Block, Variant
from study.results import code_digest, store
from study.results.provenance import Provenance
from study.training import engine, records
from study.training.batches import read
from study.training.checkpoints import SECONDS, Checkpoint
from study.utils.timer import Timer


class CodeError(RuntimeError):
    """Other code than the one that was to train; says which files."""


_kept = lru_cache(maxsize=1)(read)  # the trainings of a process have one data set
UNSEEN = ("commit", "dirty")  # no number depends on them: the source has digests of its own


def train(
    study: str,
    variant: Variant,
    block: Block,
    data: Path,
    tables: Mapping[str, Path | str],
    report: Callable[[str], None] = lambda line: None,
    every: float = SECONDS,
    code: Mapping[str, str] | None = None,
    named: Variant | None = None,
    watch: Timer | None = None,
) -> None:
    """Train a block of seeds on the data set in the folder `data` and write the five `tables`.

    code: the fingerprint of the code that was to train, if another must not; raises CodeError where it is another.
    named: the variant that the folder is named by, where trials chose another out of it. watch: measures where the time
    goes.

    While it trains, a checkpoint is kept beside the tables, `every` so many seconds, from which the same job goes on if
    this one is ended; `report` gets a line an epoch, and at last one of where the time went.
    """
    watch = watch or Timer()
    for half in Path(tables["runs"]).parent.glob(".*-????????"):  # what ended attempts were writing
        half.unlink(missing_ok=True)
    with watch.part("start-up"):
        made = made_by(variant, code)
    checkpoint = Checkpoint(
        Path(tables["runs"]).with_name("checkpoint"), {"seeds": block.name, **identity(made)}, report, every
    )
    with watch.part("data"):
        digits = _kept(variant.data.name, variant.data.contents, data)
    trained = engine.train(variant, block.seeds, digits, report, checkpoint, watch)
    with watch.part("tables"):
        store.write_all(records.tidy(study, trained), tables, made.text)
    checkpoint.drop()
    drop_outdated(named or variant, Path(tables["runs"]).parents[1])
    report(watch.line())


def made_by(variant: Variant, code: Mapping[str, str] | None = None) -> Provenance:
    """Provenance of a training in this process; raises CodeError where its code has another fingerprint than `code`."""
    made = Provenance.of(variant, code_digest.files_of(variant))
    if code is not None and code != made.source:
        raise CodeError(_changed(code, made.source))
    return made


def _changed(code: Mapping[str, str], now: Mapping[str, str]) -> str:
    files = [name for name in {**code, **now} if code.get(name) != now.get(name)]
    must = "The code of a training must stay as it is while the study runs."
    return f"{must} Got another {' and '.join(files)} instead. The same command goes on with what is there now."


def drop_outdated(variant: Variant, folder: Path) -> None:
    """Delete what other code trained of the same variant, in the folders beside this one."""
    if folder.name.startswith(variant.slug):
        for other in set(folder.parent.glob(f"{variant.slug}*")) - {folder}:
            shutil.rmtree(other, ignore_errors=True)


def identity(made: Provenance) -> dict[str, str]:
    """All that the numbers of a training depend on but its seeds."""
    return {key: str(facts) for key, facts in asdict(made).items() if key not in UNSEEN}
