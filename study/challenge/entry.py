"""Entry of a method: what it is, by which protocol it was run, its choices, runs and gains, in one file of JSON."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
from pandas.api.types import is_integer_dtype, is_numeric_dtype
from pydantic import TypeAdapter, ValidationError

from study.challenge.ranking import COLUMNS, KEYS, SCORES
from study.challenge.submission import Submission
from study.challenge.terms import LABELS, Benchmark, ChallengeError, read_runs
from study.config.variants import Variant
from study.methods.labels import NONE
from study.parameters import shown
from study.report.publish import small_csv
from study.results import store
from study.results.provenance import Provenance
from study.results.store import atomically

FORMAT = 1
GAINS = ("regime", "metric", "gain", "low", "high", "verdict")


@dataclass(frozen=True)
class Entry:
    """A method with all that another person needs to train it again; every field is JSON.

    method: family, name, file, params. digest: of the method, from which the drawn seeds follow. code: the lines of
    each file. protocol: of the frozen study. published: digests of the tables it is ranked among. chosen: the trial of
    each workload, its learning rate and label. gains: over the baseline, by workload. place: in the leaderboard.
    baseline: whether this machine trained the published baseline to the same digits. made: commit, code, packages and
    machine. runs: lines of CSV.
    """

    method: dict[str, Any]
    digest: str
    code: dict[str, list[str]]
    protocol: dict[str, Any]
    published: dict[str, str]
    workloads: list[str]
    drawn: dict[str, Any]
    seeds: dict[str, list[int]]
    chosen: dict[str, dict[str, Any]]
    gains: list[dict[str, Any]]
    place: dict[str, Any]
    baseline: dict[str, Any]
    made: dict[str, Any]
    runs: list[str]

    @property
    def content(self) -> dict[str, Any]:
        """Return all fields with the format's number."""
        return {"format": FORMAT, **asdict(self)}

    @property
    def seal(self) -> str:
        """SHA-256 of all fields, so that a file that was edited is told."""
        return hashlib.sha256(json.dumps(self.content, sort_keys=True).encode()).hexdigest()

    @property
    def text(self) -> str:
        """Return the entry as JSON."""
        return json.dumps({**self.content, "seal": self.seal}, indent=1, ensure_ascii=False) + "\n"

    @property
    def table(self) -> pd.DataFrame:
        """Return the runs, columns of `study.challenge.ranking.COLUMNS`."""
        return read_runs(io.StringIO("\n".join(self.runs)))

    @property
    def name(self) -> str:
        """The name of the method."""
        return str(self.method["name"])

    def write(self, path: Path) -> None:
        """Write the entry, whole or not at all."""
        atomically(path, lambda file: file.write_text(self.text, encoding="utf-8"))

    def unpack(self, folder: Path) -> Path:
        """Write the code into a folder and return the method's file; raises ChallengeError for a path outside."""
        for name, lines in self.code.items():
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or not path.parts:
                raise ChallengeError(f"The code of an entry must lie in one folder. Got '{name}' instead.")
            try:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text("\n".join(lines), encoding="utf-8")
            except (OSError, ValueError) as error:  # ValueError: a zero byte, or half a character
                got = error.strerror if isinstance(error, OSError) else error
                raise ChallengeError(f"The code must be put into '{folder / path}'. Got '{got}' instead.") from error
        return folder / self.method["file"]


def read_entry(path: Path) -> tuple[Entry, str]:
    """Return an entry and the seal that its file has; raises ChallengeError where it is none."""
    try:
        raw = json.loads(text := path.read_text(encoding="utf-8"))
        if raw["format"] != FORMAT:
            raise ChallengeError(f"The entry '{path}' must be of format {FORMAT}. Got {raw['format']!r} instead.")
        entry = TypeAdapter(Entry).validate_json(text, strict=True)
        if problem := _malformed(entry):
            raise ChallengeError(f"The entry '{path}' must be as `make rank` wrote it. Got {problem} instead.")
        return entry, str(raw.get("seal"))
    except OSError as error:
        must = f"The 'ENTRY' parameter of verify-entry must be a file that `make rank` wrote. Got '{path}' instead"
        raise ChallengeError(f"{must}: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, ChallengeError):
            raise
        raise ChallengeError(
            f"The entry '{path}' must be as `make rank` wrote it. Got {_what(error)} instead."
        ) from error


def _what(error: Exception) -> str:
    """What a file has in place of an entry."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        got = "nothing" if first["type"] == "missing" else shown(first["input"])
        return f"{got} under '{'.'.join(map(str, first['loc']))}'"
    return f"nothing under {error}" if isinstance(error, KeyError) else str(error)


def _malformed(entry: Entry) -> str:
    """Return what of an entry has another form than it must; "" if nothing has."""
    table = entry.table
    if lacking := [name for name in COLUMNS if name not in table]:
        return f"runs without '{lacking[0]}'"
    if wrong := [name for name in SCORES if not is_numeric_dtype(table[name])]:
        return f"runs with words under '{wrong[0]}'"
    if not is_integer_dtype(table["seed"]) or table[list(LABELS)].isna().any(axis=None):
        return "runs without a seed or a label"
    if wrong := [name for name in ("family", "name", "file") if not isinstance(entry.method.get(name), str)]:
        return f"no word under 'method.{wrong[0]}'"
    if not isinstance(entry.method.get("params"), dict):
        return "no mapping under 'method.params'"
    if entry.method["file"] not in entry.code:
        return "code without the method's file"
    keys = [
        {"family", "name", "file", "params"} - set(entry.method),
        {"evaluation", "tuning", "drawn"} - set(entry.seeds),
    ]
    keys += [{"study", "number", "digest"} - set(entry.protocol), {"place", "mean_rank"} - set(entry.place)]
    keys += [set(GAINS) - set(one) for one in entry.gains]
    keys += [{"trial", "lr", "label"} - set(one) for one in entry.chosen.values()]
    lacking = sorted(set().union(*keys))
    return f"nothing under '{lacking[0]}'" if lacking else ""


def method_facts(submission: Submission) -> dict[str, Any]:
    """Return what an entry says of its method."""
    method = submission.method
    file = submission.file.name
    return {"family": method.family, "name": method.name, "file": file, "params": dict(submission.params)}


def protocol_facts(benchmark: Benchmark) -> dict[str, Any]:
    """Return what an entry says of the frozen study."""
    frozen = benchmark.protocol
    return {"study": benchmark.study.name, "number": frozen.number, "digest": frozen.digest}


def tuning_seeds(benchmark: Benchmark, workloads: list[str]) -> list[int]:
    """Return the seeds of the trials of some workloads."""
    tunings = [tuning for name in workloads if (tuning := benchmark.study.regimes[name].tuning)]
    return sorted({seed for tuning in tunings for seed in tuning.seeds})


def choice_facts(index: int, variant: Variant) -> dict[str, Any]:
    """Return what an entry says of a chosen trial."""
    label = variant.clip_label if variant.clip_label != NONE else variant.regularization_label
    return {"trial": index, "lr": variant.optimizer.lr, "label": label}


def gains_facts(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what an entry says of its gains; a number that is not finite becomes None."""
    return [{key: _json(row[key]) for key in GAINS} for row in rows.to_dict("records")]


def place_facts(row: Mapping[str, Any], methods: int) -> dict[str, Any]:
    """Return what an entry says of its place in the leaderboard."""
    found = {key: _json(row[key]) for key in ("place", "mean_rank", "low", "high", "workloads")}
    return {**found, "methods": methods}


def run_lines(runs: pd.DataFrame) -> list[str]:
    """Return runs as lines of CSV, in the order of their keys."""
    return small_csv(runs.sort_values(list(KEYS), kind="stable"), COLUMNS).splitlines()


def made_facts(table: Path) -> dict[str, Any]:
    """Return the provenance of a table of runs, without what depends on its method."""
    found = asdict(Provenance.parse(store.read_provenance(table)))
    kept = {key: value for key, value in found.items() if key != "spec"}
    return {**kept, "source": {"engine": found["source"]["engine"]}}


def _json(value: Any) -> Any:
    if isinstance(value, str):
        return value
    number = float(value)
    if number != number or number in (float("inf"), float("-inf")):
        return None
    return int(number) if number.is_integer() and not isinstance(value, float) else number


def differences(one: Mapping[str, Any], other: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """Yield the facts in which two nested mappings differ: `packages torch 2.14.1 -> 2.15`."""
    for key in dict.fromkeys([*one, *other]):
        a, b, name = one.get(key), other.get(key), f"{at} {key}".strip()
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            yield from differences(a, b, name)
        elif a != b:
            yield f"{name} {'none' if a is None else a} -> {'none' if b is None else b}"
