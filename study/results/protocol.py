"""Frozen protocols: digests of a study's configuration and of the rules that decide it, in a lock beside it."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tokenize
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from study.config.study import Study
from study.results.provenance import UNKNOWN
from study.utils.imports import ROOT, closure

RULES = ("analysis", "claims")  # rooms whose code decides
CHOICE = (  # what is tried, and where; what a hypothesis compares
    "study/config/trials.py",
    "study/config/tuning.py",
    "study/methods/ranges.py",
    "study/config/hypotheses.py",
)
TOLD = ("study/analysis/columns.py",)  # says what tables mean, and decides nothing
FREE = {"seeds": True, "seeds_per_job": True, "device": True, "description": True}  # of a study: more seeds may come


class ProtocolError(ValueError):
    """A study that must not be run as confirmatory; says what does not match and what to do."""


@dataclass(frozen=True)
class Past:
    """A protocol that another one replaced."""

    protocol: int
    digest: str
    why: str


@dataclass(frozen=True)
class Protocol:
    """A protocol by its number, the digests of its parts, and those before it, the first one first.

    parts: SHA-256 of the configuration, and of the code of each file that decides and of each plugin, by path.
    """

    number: int
    parts: dict[str, str]
    history: tuple[Past, ...] = ()

    @classmethod
    def of(cls, study: Study, root: Path = ROOT) -> Protocol:
        """Protocol 1 of a study as it and the code are now."""
        text = json.dumps(study.model_dump(mode="json", exclude=FREE), sort_keys=True)
        files = {path.relative_to(root).as_posix(): _code_digest(path) for path in deciding(root)}
        plugins = {f"plugin {path}": _code_digest(root / path) for path in study.plugins}
        return cls(1, {"configuration": _sha(text.encode()), **files, **plugins})

    @cached_property
    def digest(self) -> str:
        """One digest of all parts, 16 hex digits."""
        return _sha(json.dumps(self.parts, sort_keys=True).encode())[:16]

    def after(self, old: Protocol, why: str) -> Protocol:
        """The protocol as the one that replaces an old one."""
        past = Past(old.number, old.digest, why)
        return replace(self, number=old.number + 1, history=(*old.history, past))

    def changed(self, other: Protocol) -> list[str]:
        """The parts in which two protocols differ."""
        return sorted(key for key in {**self.parts, **other.parts} if self.parts.get(key) != other.parts.get(key))

    @property
    def text(self) -> str:
        """The lock, as JSON."""
        history = [asdict(past) for past in self.history]
        whole = {"protocol": self.number, "digest": self.digest, "history": history, "parts": self.parts}
        return json.dumps(whole, indent=1) + "\n"

    @classmethod
    def read(cls, lock: Path) -> Protocol:
        """The protocol of a lock file; raises ProtocolError where it is none, was edited, or cannot be read."""
        try:
            return cls.parse(lock.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            got = error.strerror if isinstance(error, OSError) else "bytes that are no UTF-8"
            raise ProtocolError(
                f"The lock '{lock}' must be a file that `make freeze` wrote. Got {got} instead."
            ) from error

    @classmethod
    def parse(cls, text: str) -> Protocol:
        """The protocol of a lock; raises ProtocolError where it is none, or was edited."""
        try:
            raw: dict[str, Any] = json.loads(text)
            found = cls(int(raw["protocol"]), dict(raw["parts"]), tuple(Past(**past) for past in raw["history"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ProtocolError(f"The lock must be one that `make freeze` wrote. Got {error!r} instead.") from error
        if raw.get("digest") != found.digest:
            raise ProtocolError("The lock must be as `make freeze` wrote it. Got one whose digest is of other parts.")
        return found


def deciding(root: Path = ROOT) -> list[Path]:
    """The files whose code decides: rules and claims with all of their rooms that they import, and what is tried."""
    start = [*root.glob("study/analysis/*.py"), *root.glob("study/claims/*.py")]
    rooms = tuple(root / "study" / room for room in RULES)
    inside = {path for path in closure(start, root) if any(path.is_relative_to(room) for room in rooms)}
    inside -= {root / file for file in TOLD}
    return sorted(inside | {root / file for file in CHOICE if (root / file).is_file()})


def _code_digest(file: Path) -> str:
    return _sha(tokens_of(file.read_text()).encode())


def tokens_of(source: str) -> str:
    """The tokens of Python source without comments, docstrings and white space, so that words may still be mended."""
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    kept = [one for one in tokens if one.type not in (tokenize.COMMENT, tokenize.NL)]
    before = [None, *kept]
    texts = (one.string for one, last in zip(kept, before, strict=False) if not _is_docstring(one, last))
    return "".join("".join(texts).split())


def _is_docstring(token: tokenize.TokenInfo, before: tokenize.TokenInfo | None) -> bool:
    """Whether a token is a text that stands as a statement."""
    starts = before is None or before.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)
    return token.type == tokenize.STRING and starts


def lock_of(configuration: Path) -> Path:
    """Return where the lock of a configuration file is: beside it."""
    return configuration.with_suffix(".lock")


def freeze(study: Study, lock: Path, why: str = "", root: Path = ROOT) -> Protocol:
    """Write the lock of a study as it is now: protocol 1, or the one after the lock that is there.

    Raises ProtocolError for a study that is not confirmatory, and for a change without a reason.
    """
    if study.status != "confirmatory":
        raise ProtocolError(
            f"The 'status' parameter of study must be 'confirmatory' to be frozen. Got {study.status!r} instead."
        )
    now = Protocol.of(study, root)
    if lock.exists():
        old = Protocol.read(lock)
        if not (changed := now.changed(old)):
            return old
        if not why:
            must = f"A change of protocol {old.number} must have a reason: make freeze WHY='...'"
            raise ProtocolError(f"{must}. Got none for another {', '.join(changed)}.")
        now = now.after(old, why)
    lock.write_text(now.text, encoding="utf-8")
    return now


def check(study: Study, lock: Path, root: Path = ROOT) -> Protocol:
    """The protocol that a study is run by; raises ProtocolError where there is none, or another one was frozen."""
    if not lock.exists():
        raise ProtocolError(f"A confirmatory study must have a frozen protocol. Got no '{lock.name}': make freeze.")
    frozen = Protocol.read(lock)
    if changed := Protocol.of(study, root).changed(frozen):
        must = f"The study must be as protocol {frozen.number} was frozen ({frozen.digest})"
        raise ProtocolError(f"{must}. Got another {', '.join(changed)}. Undo it, or freeze the next protocol.")
    return frozen


# ------------------------------------------------------------------ the order of commits


def git(root: Path, *words: str) -> str | None:
    """The output of a git command in a repository; None where it fails."""
    command = ["git", "-c", f"safe.directory={root}", *words]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def uncommitted(root: Path = ROOT, paths: Sequence[Path | str] = (".",)) -> str:
    """Return why the files are not those of a commit; "" where they are."""
    found = git(root, "status", "--porcelain", "--untracked-files=no", "--", *map(str, paths))
    if found is None:
        return "The study must be in a git repository, whose commit its runs can name. Got none."
    return f"Everything must be committed before it is run. Got changes in {found.split()[-1]}." if found else ""


def frozen_at(lock: Path, root: Path = ROOT) -> str | None:
    """The commit in which the lock became what it is; None where it is in none."""
    return git(root, "log", "-1", "--format=%H", "--", str(lock)) or None


def disorder(commits: Iterable[str], dirty: bool, lock: Path, root: Path = ROOT) -> list[str]:
    """Return what speaks against runs of these commits having followed the lock; nothing if all did, by clean code."""
    frozen = frozen_at(lock, root)
    if frozen is None:
        return [f"'{lock.name}' is in no commit"]
    relative = lock.resolve().relative_to(root.resolve()).as_posix()
    content = git(root, "show", f"{frozen}:{relative}")
    found = ["runs used code that differs from its commit"] if dirty else []
    for commit in dict.fromkeys(commits):
        if commit == UNKNOWN:
            found.append("runs do not know their commit")
        elif git(root, "merge-base", "--is-ancestor", frozen, commit) is None:
            found.append(f"commit {commit[:12]} does not follow the lock's, {frozen[:12]}")
        elif git(root, "show", f"{commit}:{relative}") != content:
            found.append(f"commit {commit[:12]} has another lock")
    return found


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
