"""The code of a training: its files, and a fingerprint by which an edit of them is noticed."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from study.clipping import Clipping
from study.config.variants import Variant
from study.methods.base import Method
from study.models import Model
from study.regularization import Regularization
from study.utils.code import code_of
from study.utils.imports import ROOT, closure, imported_by, is_own
from study.workloads import Workload

NUMERICAL = (
    "training",
    "optim",
    "data",
    "clipping",
    "regularization",
    "models",
    "workloads",
)  # rooms that numbers depend on
ENGINE = ("study/__init__.py", "study/training/engine.py", "study/training/records.py")  # from where they are reached
TRAINERS = ROOT / "study/training/trainers"
CHOICE = ROOT / "study/results/trial_choice.py"  # which trial a tuned variant is trained as


def methods_of(variant: Variant) -> tuple[Method, ...]:
    """The methods that a training of the variant runs, of every family."""
    return (
        variant.workload,
        variant.model,
        variant.loss,
        variant.optimizer,
        variant.schedule,
        variant.clip,
        *variant.regularization,
        *variant.metrics,
    )


@cache
def file_of(kind: type) -> Path:
    """The file that defines a method, of the library or a user's own, or any other class.

    Raises TypeError for a class that no Python file defines.
    """
    return Path(inspect.getsourcefile(kind) or "").resolve()


@cache
def engine() -> tuple[Path, ...]:
    """The files that every training runs: what the engine imports of the numerical rooms, other than by a method."""
    return tuple(sorted(_numerical(closure((ROOT / file for file in ENGINE), ROOT, without=_method_files()))))


@cache
def files_of_method(method: type[Method]) -> tuple[Path, ...]:
    """The files that a method needs beside the engine: its own, its base classes', and all that they import.

    For a user's method that is whatever lies outside the standard library and the installed packages.
    """
    files = {file for file in _files_of_bases(method) if is_own(file)}
    found = closure(files, ROOT, installed=any(not _in_library(file) for file in files))
    users = {file for file in found if not _in_library(file)}
    return tuple(sorted((_numerical(found) | users) - set(engine())))


def _files_of_bases(kind: type) -> Iterator[Path]:
    for base in kind.__mro__:
        with suppress(TypeError):
            yield file_of(base)
            if issubclass(base, Workload) and base is not Workload:
                yield from _trainers_of(base)


def _trainers_of(kind: type[Workload]) -> Iterator[Path]:
    """The files that import a workload to train it; that of a user's workload has its trainer too."""
    return (file for file in TRAINERS.glob("*.py") if file_of(kind) in imported_by(file, (ROOT,)))


def files_of(variant: Variant) -> tuple[Path, ...]:
    """All files that a training of the variant runs."""
    return (*engine(), *dict.fromkeys(f for m in methods_of(variant) for f in files_of_method(type(m))))


def fingerprint(variant: Variant) -> dict[str, str]:
    """A digest of the engine and one of each method's files: an edit of another method, or elsewhere, changes none."""
    return facts(variant, engine())


def facts(variant: Variant, engine: Collection[Path]) -> dict[str, str]:
    """Digests by name, "engine" and the files that define methods; the same on every machine and in every folder."""
    files = dict[str, set[Path]]()
    for method in methods_of(variant):
        if needed := files_of_method(type(method)):
            files.setdefault(file_name(file_of(type(method))), set()).update(needed)
    return {
        "engine": digest(frozenset(engine)),
        **{name: digest(frozenset(files[name])) for name in sorted(files)},
    }


def folder_of(variant: Variant) -> str:
    """Name the folder of a variant's trainings: by what it is, and by the digest of the code that trains it.

    So what is there was trained by the code that is here, whatever a workflow's records and the times of files say. A
    variant whose trials choose its strengths is named by the code of that choice too.
    """
    code = fingerprint(variant) | ({"choice": digest(frozenset({CHOICE}))} if variant.tuned else {})
    return f"{variant.slug}-{hashlib.sha256(json.dumps(code).encode()).hexdigest()[:8]}"


@cache
def digest(files: Iterable[Path]) -> str:
    """The start of the SHA-256 of the files' names and code, as they were when this process first asked.

    Comments and docstrings may be mended without a training.
    """
    codes = ((file_name(file), code_of(file)) for file in files)
    each = sorted((name, hashlib.sha256(code.encode()).hexdigest()) for name, code in codes)
    lines = "".join(f"{name} {text}\n" for name, text in each)
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


def file_name(file: Path) -> str:
    """A file's name that is the same on every machine: in the repository its path there."""
    return file.relative_to(ROOT).as_posix() if file.is_relative_to(ROOT) else file.name


def _in_library(file: Path) -> bool:
    return file.is_relative_to(ROOT / "study")


def _numerical(files: Iterable[Path]) -> set[Path]:
    study = ROOT / "study"
    inside = {file: file.relative_to(study).parts[0] for file in files if _in_library(file)}
    return {file for file, room in inside.items() if room in NUMERICAL or file == study / "__init__.py"}


def _method_files() -> set[Path]:
    """The files of methods that are one a file; optimizers and losses share theirs and belong to the engine."""
    families = (Clipping, Model, Regularization, Workload)
    return {file_of(method) for family in families for method in family.members.values()}
