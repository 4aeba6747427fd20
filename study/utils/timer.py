"""Where a process's time goes: processor seconds by part of its work."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

HEAD = "processor seconds: "


@dataclass(eq=False)
class Stopwatch:
    """Processor seconds by part, parts in the order in which they began; what a part has inside it is not its own."""

    spent: dict[str, float] = field(default_factory=dict)
    inside: list[float] = field(default_factory=lambda: [0.0])

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the time spent in this to the part."""
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
        """One line of all parts, which `parse` reads."""
        return HEAD + ", ".join(f"{name} {seconds:.2f}" for name, seconds in self.spent.items())


def parse(line: str) -> dict[str, float]:
    """The seconds of each part from a line of a `Stopwatch`; nothing from another line."""
    if not line.startswith(HEAD):
        return {}
    parts = (part.rpartition(" ") for part in line.removeprefix(HEAD).strip().split(", "))
    return {name: float(seconds) for name, _, seconds in parts}
