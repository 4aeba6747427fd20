"""Provenance of runs: code, packages, machine and settings that numbers may depend on; and what of it is mixed."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import pandas as pd

from study import SAME_BITS
from study.config.variants import Variant
from study.results import code_digest, store
from study.utils.imports import ROOT
from study.utils.lazy import torch

PACKAGES = ("numpy", "jax", "jaxlib", "scipy", "scikit-learn", "pandas", "pyarrow")
ENVIRONMENT = (*SAME_BITS, "XLA_FLAGS", "PJRT_NPROC", "MKL_ENABLE_INSTRUCTIONS")
Facts = dict[str, str]
GROUPS = ("source", "packages", "machine", "settings")
COLUMNS = ("commit", "dirty", *GROUPS)
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Provenance:
    """Surroundings that a training's numbers may depend on besides its seed; no names of hosts, folders or people.

    spec: digest of the variant; commit: of the repository, "unknown" outside of one; dirty: whether a file that the
    training used differs from that commit; source: a digest of the engine, and one of each method's file.
    """

    spec: str
    commit: str
    dirty: bool
    source: Facts
    packages: Facts
    machine: Facts
    settings: Facts

    @classmethod
    def of(cls, variant: Variant, sources: Iterable[Path | str]) -> Self:
        """The provenance of a training in this process with the code in `sources`."""
        files = [Path(file).resolve() for file in sources]
        commit, dirty = _commit(files)
        return cls(
            spec=variant.digest,
            commit=commit,
            dirty=dirty,
            source=_source(variant, files),
            packages=_packages(),
            machine=_machine(variant.device),
            settings=_settings(),
        )

    @property
    def text(self) -> str:
        """Return JSON for a file's metadata."""
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The provenance of its `text`."""
        return cls(**json.loads(text))

    @property
    def row(self) -> dict[str, Any]:
        """The columns `COLUMNS`: all but the variant, a group of facts as `key value; key value`."""
        groups = {name: "; ".join(f"{k} {v}" for k, v in getattr(self, name).items()) for name in GROUPS}
        return {"commit": self.commit, "dirty": self.dirty, **groups}


def _source(variant: Variant, files: Sequence[Path]) -> Facts:
    own = (code_digest.files_of_method(type(method)) for method in code_digest.methods_of(variant))
    return code_digest.facts(variant, set(files).difference(*own))


def _commit(files: Sequence[Path]) -> tuple[str, bool]:
    """The commit that is checked out, and whether one of the files differs from it."""
    own = [str(file) for file in files if file.is_relative_to(ROOT)]
    # The repository may belong to somebody else, as in a container: git would then say nothing of it.
    command = [
        "git",
        "-c",
        f"safe.directory={ROOT}",
        "status",
        "--porcelain=v2",
        "--branch",
        "--untracked-files=all",
        "--",
        *own,
    ]
    # The repository is the one whose root this is, not one around it; and jobs side by side do not lock it.
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(ROOT.parent), "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN, False
    heads = [line.split()[-1] for line in done.stdout.splitlines() if line.startswith("# branch.oid")]
    changed = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    return heads[0] if heads else UNKNOWN, bool(changed)


def _packages() -> Facts:
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), "torch": str(torch.__version__), **versions}


def _machine(device: str) -> Facts:
    return {
        "cpu": _cpu(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "system": f"{platform.system()} {platform.machine()}",
        "libc": " ".join(platform.libc_ver()).strip() or UNKNOWN,
        **({"gpu": torch.cuda.get_device_name()} if device == "cuda" else {}),
    }


def _cpu() -> str:
    """The processor's name, as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2] for line in lines if line.startswith("model name")]
    return " ".join([*names, platform.processor(), UNKNOWN][0].replace(";", ",").split()) or UNKNOWN


def _settings() -> Facts:
    """Torch's settings that change how it rounds."""
    return {
        "threads": str(torch.get_num_threads()),
        "dtype": str(torch.get_default_dtype()).removeprefix("torch."),
        "float32_products": torch.get_float32_matmul_precision(),
        "deterministic": str(torch.are_deterministic_algorithms_enabled()),
        "onednn": str(torch.backends.mkldnn.is_available() and torch.backends.mkldnn.enabled),
        # There is no question to ask torch: half the smallest normal number is zero where such numbers are flushed.
        "flushes_denormals": str(bool((torch.tensor(2.0**-126, dtype=torch.float32) * 0.5 == 0).item())),
        **{name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
    }


def runs_of(path: Path | str) -> pd.DataFrame:
    """The runs of a training with the columns of their provenance."""
    return store.read(path).assign(**Provenance.parse(store.read_provenance(path)).row)


def provenance_table(runs: pd.DataFrame) -> pd.DataFrame:
    """One row a distinct provenance (the variant aside) with its number of runs, the most runs first."""
    table = runs.groupby(["study", *COLUMNS]).size().rename("runs").reset_index()
    order = ["runs", *COLUMNS]
    table = table.sort_values(order, ascending=[key != "runs" for key in order], ignore_index=True)
    return table[["study", *order]]


def facts(row: Mapping[Hashable, object]) -> Facts:
    """All facts of a row of the table, by name."""
    return {key: value for group in GROUPS for key, value in _facts(row[group]).items()}


def _facts(group: object) -> Facts:
    return {key: value for key, _, value in (item.partition(" ") for item in str(group).split("; "))}


def counted(table: pd.DataFrame) -> dict[str, dict[str, int]]:
    """For each fact the values it has in a provenance table, each with its number of runs, the most runs first."""
    found: dict[str, dict[str, int]] = {}
    for row in table.to_dict("records"):
        for key, value in {"commit": str(row["commit"]), **facts(row)}.items():
            values = found.setdefault(key, {})
            values[value] = values.get(value, 0) + int(row["runs"])
    return {key: dict(sorted(values.items(), key=lambda item: -item[1])) for key, values in found.items()}


def mixed(table: pd.DataFrame) -> dict[str, dict[str, int]]:
    """The facts that differ between runs of a provenance table and may change numbers; commits alone do not."""
    return {key: values for key, values in counted(table).items() if len(values) > 1 and key != "commit"}


@dataclass(frozen=True)
class Account:
    """Account of the provenance of a study's runs, as a report gives it.

    shared: by group the facts that all runs have, as `key value`; mixed: a row for each value of the others, with its
    runs; commits; uncommitted: how many runs used code that differs from its commit.
    """

    runs: int
    shared: dict[str, list[str]]
    mixed: list[dict[str, object]]
    commits: list[str]
    uncommitted: int

    @classmethod
    def of(cls, table: pd.DataFrame) -> Self:
        """The account of a provenance table."""
        groups = {key: group for row in table.to_dict("records") for group in GROUPS for key in _facts(row[group])}
        shared: dict[str, list[str]] = {group: [] for group in GROUPS}
        different = mixed(table)
        for key, values in counted(table).items():
            if key in groups and key not in different:
                shared[groups[key]].append(f"{key} {next(iter(values))}")
        return cls(
            runs=int(table["runs"].sum()),
            shared=shared,
            mixed=[{"what": k, "value": v, "runs": n} for k, values in different.items() for v, n in values.items()],
            commits=[commit for commit in table["commit"].astype(str).unique() if commit != UNKNOWN],
            uncommitted=int(table.loc[table["dirty"].astype(bool), "runs"].sum()),
        )


def differences(one: Mapping[Hashable, object], other: Mapping[Hashable, object]) -> dict[str, tuple[str, str]]:
    """The facts in which two rows of a provenance table differ."""
    first, second = facts(one), facts(other)
    keys = dict.fromkeys([*first, *second])
    pairs = {key: (first.get(key, "none"), second.get(key, "none")) for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
