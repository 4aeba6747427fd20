"""A submitted method: the class in a file, the code that it needs, and the digest from which seeds are drawn."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from study.challenge.terms import Benchmark, ChallengeError, Method
from study.clipping import Clipping
from study.config import dry_run
from study.config.regime import Regime
from study.config.study import Study
from study.config.variants import Variant, expand
from study.methods import base, plugins
from study.methods.labels import NONE
from study.parameters import listed, suggestion
from study.regularization import Regularization
from study.results import code_digest
from study.utils.imports import ROOT

FAMILIES: Mapping[str, type[base.Method]] = {Clipping.family: Clipping, Regularization.family: Regularization}
FIRST_DRAWN = 1_000_000_000  # all drawn seeds are from here on, far from those of any study
SPAN = 1_000_000_000


@dataclass(frozen=True)
class Submission:
    """A clip or a regularizer of a user's file, at the middle of the range that its trials search.

    params: its other parameters, as given. code: the texts of its file and of those beside it that it imports, by path
    from the file's folder.
    """

    file: Path
    method: base.Method
    params: Mapping[str, Any]
    code: Mapping[str, str]

    @classmethod
    def read(cls, file: Path, name: str = "", params: Mapping[str, Any] | None = None) -> Submission:
        """Return the method of a file, the one of this `name` if it has several; raises ChallengeError if it cannot."""
        try:
            plugins.load([file])
        except plugins.PluginError as error:
            raise ChallengeError(f"The 'METHOD' parameter of rank {error}.") from error
        kind = _of_name(_defined(file), name, file)
        method = _at_middle(kind, params or {})
        read = method.model_dump(mode="json", include=set(params or {}))
        return cls(file, method, read, _code(file, kind))

    @property
    def name(self) -> str:
        """The name of the method."""
        return self.method.name

    @property
    def cell(self) -> Method:
        """The names of its clip and of its regularizer, as in the tables."""
        return (self.name, NONE) if isinstance(self.method, Clipping) else (NONE, self.name)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the method: its code, its parameters and the range of its trials, 64 hex digits."""
        texts = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in self.code.items()}
        search = asdict(self.method.search) if self.method.search else None
        facts = {"code": texts, "family": self.method.family, "method": self.method.model_dump(mode="json")}
        return hashlib.sha256(json.dumps({**facts, "search": search}, sort_keys=True).encode()).hexdigest()

    def study(self, benchmark: Benchmark, workloads: Sequence[str]) -> Study:
        """Return the frozen study with this method alone; raises ChallengeError where it does not fit a workload."""
        kinds: dict[str, list[Any]] = {"clips": [NONE], "regularizations": [NONE]}
        kinds["clips" if isinstance(self.method, Clipping) else "regularizations"] += [self.method]
        try:
            regimes = {
                name: Regime.model_validate({**_fields(benchmark.study.regimes[name]), **kinds, "pairs": ()})
                for name in workloads
            }
            frozen = benchmark.study
            shared = {"seeds": frozen.seeds, "statistics": frozen.statistics, "margins": frozen.margins}
            study = Study(name="entry", plugins=(str(self.file),), regimes=regimes, **shared)
        except ValidationError as error:
            raise ChallengeError(*(one["msg"] for one in error.errors(include_url=False))) from error
        if faults := list(dry_run.faults(study)):
            raise ChallengeError(*(fault.message for fault in faults))
        return study

    def variants(self, benchmark: Benchmark, workloads: Sequence[str]) -> dict[str, Variant]:
        """Return the method in each workload, to be tuned by the trials of the benchmark."""
        found = expand(self.study(benchmark, workloads))
        return {one.regime: one for one in found if self.name in (one.clip.name, one.regularization[0].name)}


def drawn_seeds(digest: str, count: int) -> list[int]:
    """Return the seeds that follow from a digest: the first `count` different ones of a chain of SHA-256, sorted."""
    seeds: dict[int, None] = {}
    link = 0
    while len(seeds) < count:
        seeds.setdefault(FIRST_DRAWN + int(hashlib.sha256(f"{digest}/{link}".encode()).hexdigest(), 16) % SPAN)
        link += 1
    return sorted(seeds)


def _fields(regime: Regime) -> dict[str, Any]:
    return {field: getattr(regime, field) for field in Regime.model_fields}


def _defined(file: Path) -> dict[str, type[base.Method]]:
    """Return the clips and regularizers that a file defines, by name."""
    own = file.resolve()
    kinds = [kind for family in FAMILIES.values() for kind in family.members.values() if family.members]
    return {str(one.model_fields["name"].default): one for one in kinds if code_digest.file_of(one) == own}


def _of_name(kinds: Mapping[str, type[base.Method]], name: str, file: Path) -> type[base.Method]:
    names = list(kinds)
    if not names:
        raise ChallengeError(
            f"The 'METHOD' parameter of rank must name a file with a clip or a regularizer. Got '{file}' instead."
        )
    if name and name not in kinds:
        must = f"The 'NAME' parameter of rank must be one of {listed(names)}, which '{file}' defines."
        raise ChallengeError(f"{must} Got '{name}' instead.{suggestion(name, names)}")
    if not name and len(names) > 1:
        raise ChallengeError(
            f"The 'NAME' parameter of rank must be one of {listed(names)}, which '{file}' defines. Got nothing instead."
        )
    return kinds[name or names[0]]


def _at_middle(kind: type[base.Method], params: Mapping[str, Any]) -> base.Method:
    if kind.search is None:
        must = "declare the range of its trials, as in search: ClassVar = LogRange('max_norm', 0.01, 10)"
        raise ChallengeError(f"The class of {kind.owner()} must {must}. Got none.")
    if (key := kind.search.parameter) in params:
        raise ChallengeError(f"The 'PARAMS' parameter of rank must leave out '{key}', which trials choose. Got it.")
    try:
        return kind.model_validate({**params, key: kind.search.middle})
    except ValidationError as error:
        raise ChallengeError(*(f"{one['msg']} (PARAMS)" for one in error.errors(include_url=False))) from error


def _code(file: Path, kind: type[base.Method]) -> dict[str, str]:
    folder = file.resolve().parent
    found = {}
    for path in code_digest.files_of_method(kind):
        if path.is_relative_to(ROOT / "study"):
            continue
        if not path.is_relative_to(folder):
            must = f"The file '{file}' must import only what lies beside it, which its entry holds."
            raise ChallengeError(f"{must} Got '{path}' instead.")
        found[path.relative_to(folder).as_posix()] = path.read_text(encoding="utf-8")
    return dict(sorted(found.items()))


def params_of(text: str) -> dict[str, Any]:
    """Return parameters written as YAML, `{rate: 0.1}`; raises ChallengeError for anything else."""
    try:
        found = yaml.safe_load(text) or {}
    except yaml.YAMLError:
        found = text
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise ChallengeError(f"The 'PARAMS' parameter of rank must be a mapping, as '{{rate: 0.1}}'. Got '{text}'.")
    return found


def main(words: list[str]) -> int:
    """Print the name of the method that a file submits, or on standard error why it cannot."""
    parser = argparse.ArgumentParser(prog="python -m study.challenge.submission")
    parser.add_argument("file")
    parser.add_argument("--name", default="")
    parser.add_argument("--params", default="")
    given = parser.parse_args(words)
    if not given.file:
        print("METHOD must be the file of your method, as in `make rank METHOD=mine.py`. Got nothing.", file=sys.stderr)
        return 1
    try:
        print(Submission.read(Path(given.file), given.name, params_of(given.params)).name)
    except ChallengeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
