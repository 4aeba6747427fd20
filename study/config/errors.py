"""Faults of a configuration, each with its place, reported together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Place = tuple[Any, ...]
"""The keys and positions that lead to something in a configuration."""

Where = Callable[[Place], str]
"""Words on where a place is written, such as "line 3"; empty if that is not known."""

MOST_SHOWN = 100


@dataclass(frozen=True)
class Fault:
    """One fault: its place in the configuration, and a sentence that says what is wrong."""

    place: Place
    message: str

    def line(self, where: Where) -> str:
        """Return the printed line: the key, the line of the file, the sentence."""
        parts = [str(part) if str(part).isprintable() else repr(part) for part in self.place]
        key, written = ".".join(parts), where(self.place)
        heads = [head for head in (key, f"({written})" if written else "") if head]
        return f"{' '.join(heads)}: {self.message}" if heads else self.message


class ConfigError(ValueError):
    """Error for a configuration that cannot be used; `messages` has one line for each fault."""

    def __init__(self, source: str, messages: Iterable[str]) -> None:
        self.messages = list(dict.fromkeys(messages))
        count = "1 error" if len(self.messages) == 1 else f"{len(self.messages)} errors"
        shown, more = self.messages[:MOST_SHOWN], len(self.messages) - MOST_SHOWN
        rest = [f"... and {more} more"] if more > 0 else []
        super().__init__("\n".join([f"{count} in {source}", *(f"  {line}" for line in (*shown, *rest))]))


def nowhere(place: Place) -> str:
    """Return "", the line of a place that is in no file."""
    return ""
