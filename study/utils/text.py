"""Numbers as people read them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

LEAST = 1e-6  # below which a number is a residue of rounding


def number(value: float, sign: bool = False) -> str:
    """A number for people: about three digits, a true minus sign; `0` is exactly none, `0.000` a rounding error."""
    if not math.isfinite(value):
        return "undefined"
    if value == 0:
        return "0"
    digits = 1 if abs(value) >= 1 else 2 if abs(value) >= 0.1 else 3
    if LEAST <= abs(value) < 5e-4:  # of which three digits would leave nothing, not even the sign
        digits = math.ceil(-math.log10(abs(value)))
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return text
    return ("−" if value < 0 else "+" if sign else "") + text


def p_text(p: float) -> str:
    """A p value: `.012`, `< .001`, `undefined`."""
    if not math.isfinite(p):
        return "undefined"
    return "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")


def percent(share: float, digits: int = 1) -> str:
    """A share as a percentage."""
    return f"{100 * share:.{digits}f} %".replace("-", "−") if math.isfinite(share) else "undefined"


def signed(value: float, digits: int) -> str:
    """A number with its sign, a true minus."""
    return f"{value:+.{digits}f}".replace("-", "−")


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the lines of a table in Markdown."""
    for line in (heads, ["---"] * len(heads), *rows):
        yield f"| {' | '.join(map(str, line))} |"
