"""The two commands of the challenge, as a workflow asks for them: rank a method, verify an entry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.challenge.entry import read_entry
from study.challenge.plan import Plan
from study.challenge.rerun import FOLDER, Sample, again
from study.challenge.submission import Submission, params_of
from study.challenge.terms import TERMS, Benchmark, ChallengeError
from study.parameters import listed

KEYS = ("method", "name", "workloads", "params", "entry", "runs", "seed", "terms", "published")


@dataclass(frozen=True)
class Rank:
    """Rank a method on some workloads."""

    benchmark: Benchmark
    submission: Submission
    workloads: list[str]
    plan: Plan

    @property
    def name(self) -> str:
        """The name of the method."""
        return self.submission.name

    def opening(self, cores: int) -> str:
        """Return what is said before anything is trained."""
        frozen, digest = self.benchmark.protocol, self.submission.digest[:16]
        return (
            f"{self.submission.method.family} '{self.submission.name}', digest {digest}, by protocol {frozen.number},"
            f" {frozen.digest}: {', '.join(self.workloads)}, and {self.benchmark.terms.drawn.workload} with seeds drawn"
            f" from the digest.\n{self.plan.cost(cores)}"
        )


@dataclass(frozen=True)
class Verify:
    """Train a sample of an entry's runs again."""

    benchmark: Benchmark
    sample: Sample
    plan: Plan

    @property
    def name(self) -> str:
        """The name of the entry's method."""
        return self.sample.entry.name

    def opening(self, cores: int) -> str:
        """Return what is said before anything is trained."""
        entry = self.sample.entry
        return (
            f"entry '{entry.name}', digest {entry.digest[:16]}: {len(self.sample.rows)} of its {len(entry.table)} runs"
            f" again, drawn by seed {self.sample.seed}.\n{self.plan.cost(cores)}"
        )


def command_of(config: Mapping[str, Any]) -> Rank | Verify:
    """Return the command that keys of a workflow's configuration ask for.

    Raises ChallengeError where they ask for none, or for what cannot be done.
    """
    given = {key: config[key] for key in config if key in KEYS and config[key] not in (None, "")}
    if unknown := [key for key in config if key not in KEYS]:
        raise ChallengeError(f"The challenge has the keys {listed(KEYS)}. Got '{unknown[0]}' instead.")
    published = Path(str(given["published"])) if "published" in given else None
    if "entry" in given:
        return _verify(given, published)
    if "method" not in given:
        raise ChallengeError("The 'METHOD' parameter of rank must name a Python file. Got nothing instead.")
    benchmark = Benchmark.open(Path(str(given.get("terms", TERMS))), published)
    params = given.get("params", {})
    submission = Submission.read(
        Path(str(given["method"])),
        str(given.get("name", "")),
        params if isinstance(params, dict) else params_of(str(params)),
    )
    asked = re.split(r"[,\s]+", str(given["workloads"])) if "workloads" in given else benchmark.terms.workloads
    workloads = benchmark.workloads(asked)
    folder = Path("results") / f"entry-{re.sub(r'[^a-z0-9_-]+', '-', submission.name.lower())[:60]}"
    return Rank(benchmark, submission, workloads, Plan.of(benchmark, submission, workloads, folder))


def _verify(given: Mapping[str, Any], published: Path | None) -> Verify:
    if not (seed := str(given.get("seed", 0))).isdecimal():
        must = "The 'SEED' parameter of verify-entry must be a whole number of at least 0."
        raise ChallengeError(f"{must} Got '{seed}' instead.")
    entry, _ = read_entry(Path(str(given["entry"])))
    benchmark = Benchmark.open(Path(str(given.get("terms", TERMS))), published)
    submission = Submission.read(entry.unpack(FOLDER / "code"), entry.name, entry.method["params"])
    sample = Sample.of(entry, str(given.get("runs", "")), int(seed))
    return Verify(benchmark, sample, again(benchmark, submission, sample))
