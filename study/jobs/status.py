"""Tell how far a study is from its files alone: from another terminal, or from a cluster's login node.

python -m study.jobs.status STUDY [--watch]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from study.config.cost import core_seconds, duration, program_of, seconds_of, trials_seconds
from study.config.errors import ConfigError
from study.config.read import read
from study.config.study import Study
from study.config.variants import Variant, blocks_named, expand, expand_trials, expand_tuning, missing_from
from study.config.yaml_files import mapping_of
from study.jobs.progress import last_words
from study.parameters import listed, suggestion
from study.results.code_digest import folder_of

STATES = ("done", "running", "failed", "missing")
ALIVE = 300.0  # seconds since its log or its checkpoint was written after which a training counts as ended
REFRESH = 5.0  # seconds between two looks with --watch


@dataclass(frozen=True)
class CellStatus:
    """Progress of one cell of the grid.

    state: one of `STATES`; diverged: its runs that did not end well, of `runs` that are there; seconds: forecast
    core-seconds of what is missing, without compiling its program; why: the error of a failed training, and the log
    that has it.
    """

    regime: str
    state: str
    runs: int = 0
    diverged: int = 0
    seconds: float = 0.0
    program: Hashable = None
    why: str = ""


def cells_of(study: Study, root: Path = Path()) -> Iterator[CellStatus]:
    """Yield the status of every cell of a study, its tuning included, from the files below `root`.

    All trials of a method count as one cell.
    """
    for variant in expand_trials(study):
        place = f"{variant.regime}/{folder_of(variant)}"
        trials = root / "results" / study.name / "trials" / place / "trials.parquet"
        yield _trials(variant, trials, root / "logs" / study.name / "trials" / f"{place}.log")
    wanted: dict[tuple[str, str], tuple[Variant, set[int]]] = {}
    for variant in expand(study):
        wanted[variant.regime, folder_of(variant)] = (variant, set(study.seeds))
    for variant in expand_tuning(study):
        tuning = study.regimes[variant.regime].tuning
        _, seeds = wanted.get((variant.regime, folder_of(variant)), (variant, set[int]()))
        wanted[variant.regime, folder_of(variant)] = (variant, seeds | set(tuning.seeds if tuning else ()))
    for (regime, name), (variant, seeds) in wanted.items():
        folders = root / "results" / study.name / "runs" / regime / name, root / "logs" / study.name / "train"
        yield _cell(variant, seeds, folders[0], folders[1] / regime / name)


def _cell(variant: Variant, seeds: set[int], results: Path, logs: Path) -> CellStatus:
    tables = {path.parent.name: path for path in results.glob("[0-9]*/weights.parquet")}
    there = {block: tables[block.name] for block in blocks_named(tables)}
    runs, diverged = 0, 0
    for path in there.values():
        statuses = _statuses(path.with_name("runs.parquet"))
        runs, diverged = runs + len(statuses), diverged + sum(status != "ok" for status in statuses)
    missing = missing_from(seeds, there)
    if not missing:
        return CellStatus(variant.regime, "done", runs, diverged)
    state, why = _unfinished(results, [log for log in logs.glob("*.log") if log.stem not in {b.name for b in there}])
    seconds = core_seconds(variant, len(missing))
    return CellStatus(variant.regime, state, runs, diverged, seconds, program_of(variant), why)


def _trials(variant: Variant, table: Path, log: Path) -> CellStatus:
    statuses = _statuses(table)
    if statuses:
        return CellStatus(variant.regime, "done", len(statuses), sum(status != "ok" for status in statuses))
    state, why = _unfinished(table.parent, [log] if log.is_file() else [])
    return CellStatus(variant.regime, state, seconds=trials_seconds(variant), program=program_of(variant), why=why)


def _unfinished(results: Path, logs: Sequence[Path]) -> tuple[str, str]:
    """The state of a cell that lacks seeds, and the error of a failed training."""
    signs = [*logs, *results.glob("*/checkpoint")]
    errors = [f"{words}  [{log}]" for log in logs if (words := last_words(log))]
    if errors:
        return "failed", errors[0]
    fresh = any(time.time() - path.stat().st_mtime < ALIVE for path in signs)
    return ("running" if fresh else "missing"), ""


def _statuses(path: Path) -> list[str]:
    """The status of each run of a table; none where the table cannot be read now."""
    try:
        return [str(status) for status in pq.read_table(path, columns=["status"])["status"].to_pylist()]
    except (OSError, pa.ArrowInvalid):
        return []


def shown(study: Study, cells: Sequence[CellStatus]) -> Group:
    """A table of cells by regime, a line on what is left, and the errors of failed cells."""
    table = Table(title=f"study {study.name}: {len(cells)} cells", title_justify="left")
    table.add_column("regime")
    for column in (*STATES, "runs", "diverged"):
        table.add_column(column, justify="right")
    regimes = dict.fromkeys(cell.regime for cell in cells)
    parts = [(name, [cell for cell in cells if cell.regime == name]) for name in regimes]
    for name, own in [*parts, ("all", list(cells))]:
        counts = Counter(cell.state for cell in own)
        numbers = [counts[state] for state in STATES] + [sum(c.runs for c in own), sum(c.diverged for c in own)]
        table.add_row(
            name, *(f"{number:,}" if number else "-" for number in numbers), end_section=name == [*regimes][-1]
        )
    left = seconds_of([cell for cell in cells if cell.state != "done"])
    rest = f"Left: about {duration(left)} on one core, by the forecast." if left else "All cells are trained."
    failed = [Text(f"FAILED {cell.regime}: {cell.why}") for cell in cells if cell.state == "failed"]
    return Group(table, Text(rest), *failed)


def study_named(name: str, folder: Path = Path("config"), results: Path = Path("results")) -> Study:
    """Read the study of a name, as it is configured or was run, or of a configuration file.

    Raises ConfigError where there is none.
    """
    if name.endswith((".yaml", ".yml")):
        return read(mapping_of(name), [Path(name)], {})
    known: dict[str, tuple[dict[str, Any], Path]] = {}
    broken: list[str] = []
    for path in [*sorted(folder.glob("*.yaml")), *sorted(results.glob("*/configuration.yaml"))]:
        try:
            if "regimes" in (raw := mapping_of(path)):
                known.setdefault(str(raw.get("name")), (raw, path))
        except ConfigError as error:  # of another study, unless none has the name
            broken += [f"{path}: {message}" for message in error.messages]
    if name in known:
        raw, path = known[name]
        return read(raw, [path], {})
    must = f"STUDY must be one of {listed(list(known))}, or a configuration."
    raise ConfigError("the command line", [f"{must} Got '{name}' instead.{suggestion(name, list(known))}", *broken])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the status of a study once, or again and again until it is stopped."""
    parser = argparse.ArgumentParser(prog="study.jobs.status", description="Show a study's progress.")
    parser.add_argument("study", help="its name, or its configuration file")
    parser.add_argument("--watch", action="store_true", help="look again every few seconds")
    given = parser.parse_args(arguments)
    console = Console()
    try:
        study = study_named(given.study)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    if not given.watch:
        console.print(shown(study, [*cells_of(study)]))
        return 0
    with Live(shown(study, [*cells_of(study)]), console=console, auto_refresh=False) as live:
        while True:
            time.sleep(REFRESH)
            live.update(shown(study, [*cells_of(study)]), refresh=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
