"""The code that a training runs: its files, and a fingerprint by which an edit of them is noticed."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from study.clipping import Clipping
from study.config.variants import Variant
from study.methods.base import Method
from study.models import Model
from study.regularization import Regularization
from study.utils.imports import ROOT, closure

NUMERICAL = ("training", "optim", "data", "clipping", "regularization", "models")  # rooms that numbers depend on
ENGINE = ("study/__init__.py", "study/training/engine.py", "study/training/records.py")  # from where they are reached


def methods_of(variant: Variant) -> tuple[Method, ...]:
    """The methods whose files a training of the variant runs, beside the engine's."""
    return (variant.model, variant.clip, *variant.regularization)


@cache
def file_of(method: type[Method]) -> Path:
    """The file that defines a method: of the library, or a user's own."""
    return Path(inspect.getsourcefile(method) or "").resolve()


@cache
def engine() -> tuple[Path, ...]:
    """The files that every training runs: what the engine imports of the numerical rooms, but methods' own files."""
    return tuple(sorted(_numerical(closure((ROOT / file for file in ENGINE), ROOT)) - _method_files()))


@cache
def files_of_method(method: type[Method]) -> tuple[Path, ...]:
    """The files that a method needs beside the engine: its own, its base classes', and all that they import.

    For a user's method that is also what lies beside the plugin, or below the folder it lies in.
    """
    folder = file_of(method).parent
    files = {file_of(base) for base in method.__mro__ if issubclass(base, Method)}
    outside = () if folder.is_relative_to(ROOT / "study") else (folder,)
    found = set().union(*(closure(files, root) for root in (ROOT, *outside)))
    users = {file for file in found if not file.is_relative_to(ROOT / "study")}
    return tuple(sorted((_numerical(found) | users) - set(engine())))


def files_of(variant: Variant) -> tuple[Path, ...]:
    """All files that a training of the variant runs."""
    return (*engine(), *dict.fromkeys(f for m in methods_of(variant) for f in files_of_method(type(m))))


def fingerprint(variant: Variant) -> dict[str, str]:
    """A digest of the engine and one of each method's files: an edit of another method, or elsewhere, changes none."""
    return {"engine": digest(engine()), **{m.owner(): digest(files_of_method(type(m))) for m in methods_of(variant)}}


@cache
def digest(files: Iterable[Path]) -> str:
    """The start of the SHA-256 of the files' texts, as they were when this process first asked."""
    each = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    return hashlib.sha256("".join(each).encode()).hexdigest()[:16]


def _numerical(files: Iterable[Path]) -> set[Path]:
    study = ROOT / "study"
    inside = {file: file.relative_to(study).parts[0] for file in files if file.is_relative_to(study)}
    return {file for file, room in inside.items() if room in NUMERICAL or file == study / "__init__.py"}


def _method_files() -> set[Path]:
    """The files of clippings, regularizers and models; optimizers and losses share theirs and belong to the engine."""
    families = (Clipping, Model, Regularization)
    return {file_of(method) for family in families for method in family.members.values()}
