"""The code that a training runs: its files, and a fingerprint by which an edit of them is noticed."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from study.methods import Method
from study.variants import Variant

ROOT = Path(__file__).resolve().parents[1]
# fmt: off
ENGINE_MODULES = (
    "__init__", "batches", "checkpoints", "evaluation", "gradients", "journal", "losses", "noise", "optimizers",
    "per_sample", "probes", "records", "replicates", "schedules", "seeds", "steplog", "tracing", "training",
    "clipping/base", "models/base", "models/initialisations", "regularization/base", "data/digits", "data/idx",
    "data/splits",
)
# fmt: on
ENGINE = tuple(ROOT / "study" / f"{module}.py" for module in ENGINE_MODULES)


def methods_of(variant: Variant) -> tuple[Method, ...]:
    """The methods whose files a training of the variant runs, beside the engine's."""
    return (variant.model, variant.clip, *variant.regularization)


@cache
def file_of(method: type[Method]) -> Path:
    """The file that defines a method: of the library, or a user's own."""
    return Path(inspect.getsourcefile(method) or "").resolve()


def files_of(variant: Variant) -> tuple[Path, ...]:
    """All files that a training of the variant runs."""
    return (*ENGINE, *(file_of(type(method)) for method in methods_of(variant)))


def fingerprint(variant: Variant) -> dict[str, str]:
    """A digest of the engine and one of each method's file: an edit of another method, or elsewhere, changes none."""
    return {"engine": digest(ENGINE), **{m.owner(): digest((file_of(type(m)),)) for m in methods_of(variant)}}


@cache
def digest(files: Iterable[Path]) -> str:
    """The start of the SHA-256 of the files' texts, as they were when this process first asked."""
    each = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    return hashlib.sha256("".join(each).encode()).hexdigest()[:16]
