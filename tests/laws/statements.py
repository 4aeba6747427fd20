"""Laws as their tests tell them: which one is broken, for what numbers, and the line that waives it."""

from __future__ import annotations

import pytest

from study.methods.laws import CLIPPING_LAWS, REGULARIZATION_LAWS

LAWS = {**CLIPPING_LAWS, **REGULARIZATION_LAWS}


def marks_of(law: str, waived: str | None) -> list[pytest.MarkDecorator]:
    """Return the marks of one method's test of a law; a method that waives it, for a reason, must break it."""
    marks = [pytest.mark.law(law)] if law else []
    if waived:
        marks.append(pytest.mark.xfail(reason=waived, strict=True, raises=AssertionError))
    return marks


def broken(law: str, label: str, error: BaseException) -> str:
    """Say that a method breaks a law, with the inputs that hypothesis found, if it is one of its tests."""
    notes = "\n".join(note for note in getattr(error, "__notes__", ()) if "test case" in note).splitlines()
    inputs = [line for line in notes if not line.startswith("    make=")]  # named already
    found = str(error).split("\nassert ")[0].strip()
    return "\n".join(
        [
            f"Law '{law}' does not hold for {label}: {LAWS[law]}.",
            *([found] if found and not found.startswith("assert ") else []),
            *inputs,
            f'If that is by design, the class gives the reason: waives = {{"{law}": "..."}}',
        ]
    )


def holds(law: str, label: str) -> str:
    """Say that a law holds which a method waives."""
    return f"The 'waives' of {label} must name laws that it breaks. Got '{law}', which holds: {LAWS[law]}."
