"""Command that verifies an entry: `check` it without training, then tell the `verdict` on its rerun."""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
from pathlib import Path

from study.challenge.checks import faults
from study.challenge.entry import read_entry
from study.challenge.rerun import DIFFERS, FOLDER, told
from study.challenge.submission import Submission
from study.challenge.terms import TERMS, Benchmark, ChallengeError
from study.config.errors import ConfigError
from study.results import store


def check(path: Path, terms: Path, published: Path | None) -> str:
    """Return that an entry is in itself right; raises ChallengeError with a sentence for each fault."""
    entry, seal = read_entry(path)
    shutil.rmtree(FOLDER / "code", ignore_errors=True)  # of another entry, whose files this one might import
    submission = Submission.read(entry.unpack(FOLDER / "code"), entry.name, entry.method["params"])
    benchmark = Benchmark.open(terms, published)
    if wrong := list(faults(entry, seal, submission, benchmark)):
        raise ChallengeError(*wrong)
    return (
        f"entry '{entry.name}': its digest is that of its code, its seeds follow from the digest, and its numbers from"
        f" its runs, by protocol {benchmark.protocol.number}, {benchmark.protocol.digest}."
    )


def verdict(path: Path) -> tuple[str, int]:
    """Return the verdicts of a table of a rerun as text, and 1 if a run is different, else 0."""
    table = store.read(path)
    if lacking := [name for name in ("verdict", "told", "elsewhere") if name not in table]:
        raise store.TableError(f"The table '{path}' must be of verdicts. Got none with '{lacking[0]}' instead.")
    table = table.assign(**{name: table[name].astype(object).fillna("") for name in ("told", "elsewhere")})
    return told(table), int((table["verdict"] == DIFFERS).any())


def main(words: list[str]) -> int:
    """Check an entry, or tell the verdicts on its rerun; 1 and the faults on standard error if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m study.challenge.verify")
    parser.add_argument("command", choices=("check", "verdict", "seed"))
    parser.add_argument("path", type=Path, nargs="?", default=FOLDER / "verdicts.csv")
    parser.add_argument("--terms", type=Path, default=TERMS)
    parser.add_argument("--published", type=Path)
    given = parser.parse_args(words)
    try:
        if given.command == "check":
            print(check(given.path, given.terms, given.published))
            return 0
        text, code = (str(secrets.randbelow(10**6)), 0) if given.command == "seed" else verdict(given.path)
        print(text)
        return code
    except (ChallengeError, ConfigError, store.TableError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
