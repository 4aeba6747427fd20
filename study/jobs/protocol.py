"""The commands of a protocol: `freeze` it, `check` before it is run, `verify` that its runs followed it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

from study.config.errors import ConfigError
from study.config.read import read
from study.config.study import Study
from study.results import protocol, store
from study.results.protocol import ProtocolError


def study_of(configuration: Path) -> Study:
    """The study of a configuration file; raises ProtocolError with all that is wrong with it."""
    try:
        raw = yaml.safe_load(configuration.read_text(encoding="utf-8"))
        return read(raw, [configuration], {})
    except ConfigError as error:
        raise ProtocolError(str(error)) from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        got = error.strerror if isinstance(error, OSError) else str(error).splitlines()[0]
        raise ProtocolError(f"The configuration '{configuration}' must be a YAML file. Got {got} instead.") from error


def freeze(configuration: Path, why: str) -> str:
    """Freeze the protocol of a configuration, and say what is to be done with it."""
    lock = protocol.lock_of(configuration)
    found = protocol.freeze(study_of(configuration), lock, why)
    return (
        f"protocol {found.number}, {found.digest}: commit '{lock}' with what it locks before any of its seeds is run."
    )


def check(configuration: Path, why: str) -> str:
    """Say by which protocol a study is run; raises ProtocolError where it must not be."""
    lock = protocol.lock_of(configuration)
    found = protocol.check(study_of(configuration), lock)
    if protocol.frozen_at(lock) is None:
        raise ProtocolError(f"'{lock}' must be committed before it is run.")
    if problem := protocol.uncommitted():
        raise ProtocolError(problem)
    return f"protocol {found.number}, {found.digest}, is what is run."


def verify(configuration: Path, why: str) -> str:
    """Say that all runs of a study followed its protocol; raises ProtocolError where some did not."""
    study = study_of(configuration)
    found = protocol.check(study, lock := protocol.lock_of(configuration))
    table = store.read(Path("results") / study.name / "provenance.csv")
    commits, dirty = table["commit"].astype(str), bool(table["dirty"].astype(bool).any())
    if wrong := protocol.disorder(commits, dirty, lock):
        raise ProtocolError(f"All runs must follow protocol {found.number}. Got this instead: {'; '.join(wrong)}.")
    return (
        f"All {int(table['runs'].sum())} runs followed protocol {found.number}, {found.digest}, by code as committed."
    )


COMMANDS: Mapping[str, Callable[[Path, str], str]] = {"freeze": freeze, "check": check, "verify": verify}


def main(words: list[str]) -> int:
    """Run a command: its sentence, or on standard error what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m study.jobs.protocol")
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("configuration", type=Path)
    parser.add_argument("--why", default="", help="reason for the change")
    given = parser.parse_args(words)
    try:
        print(COMMANDS[given.command](given.configuration, given.why))
    except (ProtocolError, store.TableError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
