"""Labels of methods taken apart: the method, and its strength."""

from __future__ import annotations

import math
import re


def method_of(label: str) -> str:
    """The method, or the methods of a combination, without parameters: "l2(0.1) + dropout(0.5)" -> "l2 + dropout"."""
    return re.sub(r"\([^()]*\)", "", label)


def strength_of(label: str) -> float:
    """The `strength` among a label's parameters, else the first number; NaN where there is none."""
    found = re.search(r"strength=([0-9.e+-]+)", label) or re.search(r"[(=]([0-9.e+-]+)[,)]", label)
    return float(found[1]) if found else math.nan
