"""Terms of the challenge: the frozen benchmark that a method is taken through, and its published runs and choices."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pandas as pd
import yaml
from pydantic import Field, ValidationError

from study.config.hypotheses import Methods
from study.config.read import read
from study.config.study import Study
from study.config.variants import Variant, expand, trial
from study.methods.labels import NONE
from study.parameters import Must, Settings, Text, Texts, first_duplicate, listed, suggestion
from study.results import protocol, store
from study.results.protocol import Protocol

TERMS = Path("config/challenge.yaml")
RUNS, TRIALS = "runs.csv", "trials.csv"
DRAWN = "drawn"  # how tables call the workload whose seeds are drawn
MOST_DRAWN = 20  # seeds, which stand together in the name of a folder
Method = tuple[str, str]
"""The names of a clip and of a regularizer, as in the tables."""
LABELS = ("regime", "clip", "regularization", "clip_method", "regularization_method")
BASELINE: Method = (NONE, NONE)


class ChallengeError(ValueError):
    """A method, a term or an entry that the challenge cannot take; a line for each fault."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class Drawn(Settings):
    """The workload that is trained again with seeds drawn from an entry's digest.

    against: methods that are trained beside the entry and the baseline, each as its published trials chose.
    """

    title: ClassVar[str] = "drawn"
    workload: Text
    seeds: Annotated[
        int, Field(ge=2, le=MOST_DRAWN), Must(f"a whole number from 2 to {MOST_DRAWN}", (1, MOST_DRAWN + 1))
    ] = MOST_DRAWN
    against: Annotated[tuple[Methods, ...], Must("a list of cells, each with a clip or a regularization", ("l2",))] = ()


class Terms(Settings):
    """The terms: a frozen configuration, the folder of its published tables, and what is trained unless asked."""

    title: ClassVar[str] = "challenge"
    study: Text
    published: Text
    workloads: Texts
    drawn: Drawn


@dataclass(frozen=True)
class Benchmark:
    """The frozen benchmark as it is published: its study and protocol, and the tables of its runs and trials."""

    terms: Terms
    study: Study
    protocol: Protocol
    runs: pd.DataFrame
    trials: pd.DataFrame

    @classmethod
    def open(cls, path: Path = TERMS, published: Path | None = None) -> Benchmark:
        """Return the benchmark of a file of terms, with the tables of another folder if asked.

        Raises ChallengeError where terms, study or tables cannot be read or do not fit each other.
        """
        try:
            terms = Terms.model_validate(mapping_of(path))
        except ValidationError as error:
            raise ChallengeError(*(f"{path}: {one['msg']}" for one in error.errors(include_url=False))) from error
        configuration, folder = Path(terms.study), published or Path(terms.published)
        study = read(mapping_of(configuration), [configuration], {})
        try:
            frozen = protocol.check(study, protocol.lock_of(configuration))
            runs, trials = published_runs(folder / RUNS), store.read(folder / TRIALS)
        except (protocol.ProtocolError, store.TableError) as error:
            raise ChallengeError(str(error)) from error
        found = cls(terms.model_copy(update={"published": str(folder)}), study, frozen, runs, trials)
        for names in (terms.workloads, [terms.drawn.workload]):
            found.workloads(names)
        for one in terms.drawn.against:
            found.published_choice(terms.drawn.workload, (one.clip, one.regularization))
        return found

    def workloads(self, names: Sequence[str]) -> list[str]:
        """Return the names, or those of all workloads for "all"; raises ChallengeError for one that is not there."""
        published = set(self.trials["regime"].astype(str))
        known = [name for name in self.study.tried_regimes if name in published]
        if list(names) == ["all"]:
            return known
        must = f"The workloads of the challenge must be among {listed(known)}, each once, or 'all'."
        if wrong := [name for name in names if name not in known]:
            raise ChallengeError(f"{must} Got '{wrong[0]}' instead.{suggestion(wrong[0], known)}")
        if twin := first_duplicate(names):
            raise ChallengeError(f"{must} Got '{twin}' twice instead.")
        return list(names)

    @cached_property
    def _variants(self) -> dict[tuple[str, Method], Variant]:
        return {(one.regime, method_of(one)): one for one in expand(self.study) if one.tuned}

    def published_choice(self, workload: str, method: Method) -> Variant:
        """Return a published method as its trials chose it; raises ChallengeError where there is no such choice."""
        own = self.trials[self.trials["regime"].astype(str) == workload]
        for key, name in zip(("clip_method", "regularization_method"), method, strict=True):
            own = own[own[key] == name]
        variant, chosen = self._variants.get((workload, method)), own[own["chosen"].astype(bool)]
        if variant is None or len(chosen) != 1:
            must = f"The table '{Path(self.terms.published, TRIALS)}' must have one chosen trial of each method."
            raise ChallengeError(f"{must} Got {len(chosen)} of '{' + '.join(method)}' in '{workload}' instead.")
        return trial(variant, int(chosen["trial"].iloc[0]))

    @property
    def digests(self) -> dict[str, str]:
        """The SHA-256 of each published table, by name."""
        files = {name: Path(self.terms.published, name) for name in (RUNS, TRIALS)}
        return {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()}


def method_of(variant: Variant) -> Method:
    """Return the names of a variant's clip and regularizers, as in the tables."""
    return variant.clip.name, " + ".join(one.name for one in variant.regularization)


def published_runs(path: Path) -> pd.DataFrame:
    """Return the published runs of a study; raises ChallengeError where they cannot be read."""
    try:
        found = read_runs(path)
        return found.assign(study="", **{key: found[key].astype(str) for key in LABELS})
    except (OSError, ValueError, KeyError) as error:
        got = error.strerror if isinstance(error, OSError) else str(error).splitlines()[0]
        must = f"The table '{path}' must hold the published runs, as `make publish` writes them."
        raise ChallengeError(f"{must} Got {got} instead.") from error


def read_runs(source: Path | io.StringIO) -> pd.DataFrame:
    """Return runs in their small form, as `study.report.publish.small_csv` writes them."""
    texts = dict.fromkeys((*LABELS, "status", "content"), "str")
    return pd.read_csv(source, dtype=texts, keep_default_na=False, na_values=[""], float_precision="round_trip")


def mapping_of(path: Path) -> dict[str, Any]:
    """Return the mapping that a YAML file holds; raises ChallengeError where it holds none."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        got = error.strerror if isinstance(error, OSError) else str(error).splitlines()[0]
        raise ChallengeError(f"The file '{path}' must be YAML that can be read. Got {got} instead.") from error
    if not isinstance(found, dict):
        raise ChallengeError(f"The file '{path}' must be a mapping of keys. Got {type(found).__name__} instead.")
    return found
