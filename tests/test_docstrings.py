"""Docstrings start with a verb or a noun, in every room whose words have been read over."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

STUDY = Path(__file__).parents[1] / "study"
EXEMPT_FILES = {"parameters.py"}
FORBIDDEN = re.compile(r"(What|Who|Whose|Whether|How|Which|Where|When|Why|As|Of|In|To|Those|The same)\b")


def _documented(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the module and each public function, method and class that has a docstring."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            name = getattr(node, "name", "<module>")
            if (text := ast.get_docstring(node)) and not name.startswith("_"):
                yield name, text


def _files() -> list[Path]:
    found = (file.relative_to(STUDY) for file in STUDY.rglob("*.py"))
    return sorted(file for file in found if file.parts[0] not in EXEMPT_FILES)


def test_docstrings_start_with_a_verb_or_a_noun() -> None:
    faults = [
        f"study/{file} {name}: {text.splitlines()[0]}"
        for file in _files()
        for name, text in _documented(ast.parse((STUDY / file).read_text(encoding="utf-8")))
        if FORBIDDEN.match(text)
    ]
    assert not faults, "\n".join(faults)


def test_the_walk_finds_the_library() -> None:
    assert len(_files()) > 50
