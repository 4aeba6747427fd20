"""Words as Markdown shows them."""

from __future__ import annotations

import re

INTERVAL = re.compile(r"\[[−\d.][^][]*, [^][]*\]|\d %")
"""`[−0.4, 1.2 %]` and `5 %`, which are not broken into lines."""


def escaped_marks(text: str, marks: str = "\\*_[]<>|$^~`#") -> str:
    """Markdown that shows these marks of a text as they are; spaces stay."""
    return "".join(f"\\{c}" if c in marks else c for c in text)


def escaped(text: str) -> str:
    """Text of any origin as one paragraph of Markdown that shows it as it is, in each form of the report."""
    words = escaped_marks(" ".join(text.split()), "\\*_[]<>|$^~`#@&{}!")
    return re.sub(r"^(\(?\w*)([-+.):=])", r"\1\\\2", words)  # would begin a list, or underline a heading


def unbroken(text: str) -> str:
    """Text whose intervals and percentages stay on one line."""
    return INTERVAL.sub(lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), text)
