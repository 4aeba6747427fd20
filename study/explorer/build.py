"""Pages of studies from their folders: one study, or two with their differences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import pandas as pd

from study.analysis.columns import DICTIONARY
from study.analysis.two_studies import compare_studies
from study.config.errors import ConfigError
from study.config.sweeps import merge
from study.config.yaml_files import mapping_of
from study.explorer.pairs import check_paired
from study.explorer.payload import About, Json, payload, study_payload
from study.methods.phrases import cell_phrase
from study.parameters import shown
from study.results import store
from study.results.provenance import COLUMNS, runs_of
from study.results.store import KEYS, TableError, Tables
from study.workloads import Workload

NEEDED = (
    "runs",
    "epochs",
    "steps",
    "summary",
    "comparisons",
    "ranking",
    "regimes",
    "tuning",
    "trials",
    "leaderboard",
    "provenance",
)
"""Tables that a page is made from, as far as a study has them."""
PAGE = "explorer.html"
PLACES = (Path("results"), Path("docs/studies"))
"""Folders of studies: as computed here, and as published."""


def tables_in(folder: Path) -> list[Path]:
    """Return the paths of the tables in a study's folder that a page is made from."""
    paths = (folder / DICTIONARY[name].file for name in NEEDED)
    return [path for path in paths if path.is_file()]


def about(configuration: Path) -> About:
    """Return what a configuration says of its study; nothing where there is no such file."""
    if not configuration.is_file():
        return About()
    raw = mapping_of(configuration)
    regimes = raw.get("regimes")
    if not isinstance(regimes, Mapping):
        raise ConfigError(
            str(configuration), [f"regimes: The file must have a mapping here. Got {shown(regimes)} instead."]
        )
    told = {str(name): _description(regime) for name, regime in regimes.items()}
    workloads = {str(name): _workload(raw.get("defaults"), regime) for name, regime in regimes.items()}
    units = {name: _unit(workload) for name, workload in workloads.items()}
    at_updates = tuple(name for name, workload in workloads.items() if workload.get("clip_at") == "update")
    return About(_description(raw), str(raw.get("primary") or ""), told, units, at_updates)


def _workload(*layers: Any) -> Mapping[str, Any]:
    """What the layers of a regime say of its workload, the last one first."""
    given = [layer["workload"] for layer in layers if isinstance(layer, Mapping) and "workload" in layer]
    return reduce(merge, (one if isinstance(one, Mapping) else {"name": one} for one in given), {})


def _unit(told: Mapping[str, Any]) -> str:
    """What the epochs of a regime count, by the name of its workload."""
    workload = Workload.members.get(str(told.get("name")), Workload)
    return workload.unit if issubclass(workload, Workload) else Workload.unit


def _description(raw: Any) -> str:
    return " ".join(str(raw.get("description") or "").split()) if isinstance(raw, Mapping) else ""


def origins(blocks: Iterable[Path]) -> pd.DataFrame | None:
    """Return the runs of trainings with their provenance; a run that is there with different ones is left out."""
    found = [runs_of(path)[[*KEYS[1:], *COLUMNS]] for path in blocks]
    if not found:
        return None
    return pd.concat(found, ignore_index=True).drop_duplicates().drop_duplicates(list(KEYS[1:]), keep=False)


def study_of(name: str, tables: Tables, configuration: Path, blocks: Iterable[Path]) -> Json:
    """Return the payload of one study from its tables, its configuration, and the runs of its trainings."""
    return study_payload(name, tables, about(configuration), origins(blocks))


def of_folder(folder: Path) -> tuple[Json, Tables]:
    """Return the payload and the tables of the study in a folder.

    Raises FileNotFoundError where it has no tables, TableError and ConfigError for a file of it that is damaged.
    """
    paths = tables_in(folder)
    if not paths:
        raise FileNotFoundError(f"The study's folder must have tables. Got none in '{folder}' instead.")
    tables = store.read_all(paths)
    blocks = sorted((folder / "runs").rglob("runs.parquet"))
    try:
        name = next(str(table["study"].iloc[0]) for table in tables.values() if len(table))
        return study_of(name, tables, folder / "configuration.yaml", blocks), tables
    except KeyError as error:
        raise TableError(
            f"The tables in '{folder}' must be as a study wrote them. Got one without the column {error} instead."
        ) from error
    except StopIteration:
        raise TableError(f"The tables in '{folder}' must have rows. Got none instead.") from None


def one(folder: Path) -> Json:
    """Return the payload of a page of one study."""
    return payload([of_folder(folder)[0]])


def two(folder: Path, other: Path) -> Json:
    """Return the payload of a page of two studies, with their differences paired by seed.

    Raises FileNotFoundError where one has no runs, TableError for runs that cannot be paired.
    """
    found = [of_folder(folder), of_folder(other)]
    for at, (_, tables) in zip((folder, other), found, strict=True):
        if "runs" not in tables:
            raise FileNotFoundError(f"A study to compare must have its runs. Got no '{at / 'runs.parquet'}' instead.")
        check_paired(tables["runs"], at / "runs.parquet")
    compared = compare_studies(found[0][1]["runs"], found[1][1]["runs"])
    sides = zip(found, (compared.only_a, compared.only_b), strict=True)
    only = [{"study": study["name"], "cells": [_told(cell) for cell in cells]} for (study, _), cells in sides]
    return payload(_told_apart([study for study, _ in found]), compared.differences, only)


def _told(cell: Sequence[str]) -> str:
    return f"{cell[0]}: {cell_phrase(cell[1], cell[2])}"


def _told_apart(studies: Sequence[Json]) -> list[Json]:
    """Two studies of one name, as of two folders, by numbers."""
    if len({study["name"] for study in studies}) == len(studies):
        return list(studies)
    return [{**study, "name": f"{study['name']} ({at})"} for at, study in enumerate(studies, 1)]
