"""Processor time of a process by part of its work."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

HEAD = "processor seconds: "


@dataclass(eq=False)
class Timer:
    """Processor seconds by part, in the order in which the parts began; a part excludes the parts inside it."""

    spent: dict[str, float] = field(default_factory=dict)
    inside: list[float] = field(default_factory=lambda: [0.0])

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the time of the `with` block as part `name`."""
        self.spent.setdefault(name, 0.0)
        self.inside.append(0.0)
        started = time.process_time()
        try:
            yield
        finally:
            whole = time.process_time() - started
            self.spent[name] += whole - self.inside.pop()
            self.inside[-1] += whole

    def line(self) -> str:
        """Return all parts in one line, which `parse` reads."""
        return HEAD + ", ".join(f"{name} {seconds:.2f}" for name, seconds in self.spent.items())


def parse(line: str) -> dict[str, float]:
    """Return the seconds of each part from a line of a `Stopwatch`, and an empty dict for any other line."""
    if not line.startswith(HEAD):
        return {}
    parts = (part.rpartition(" ") for part in line.removeprefix(HEAD).strip().split(", "))
    return {name: float(seconds) for name, _, seconds in parts}
