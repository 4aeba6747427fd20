"""Python source without its words: what an edit of comments and docstrings leaves as it is."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeGuard

Place = tuple[int, int]
"""A line, from 1, and a column, in characters."""


def code_of(file: Path) -> str:
    """Return the code of a Python file without its words, read in the encoding that it declares."""
    with tokenize.open(file) as source:
        return without_words(source.read())


def without_words(source: str) -> str:
    """The lines of Python source without comments, docstrings, empty lines and spaces at their ends.

    Indentation stays, since it says what belongs to a loop, and so does all that is inside of a text. Source that is no
    Python is returned as it is.
    """
    try:
        nodes = list(ast.walk(ast.parse(source)))
        comments = _comments(source) if "#" in source else []
    except (SyntaxError, tokenize.TokenError):
        return source
    lines = source.split("\n")
    docstrings = [node for node in nodes if _is_docstring(node)]
    for (first, start), (last, end) in sorted([*comments, *_places(docstrings, lines)], reverse=True):
        after = lines[last - 1][end:]
        lines[first - 1 : last] = [lines[first - 1][:start], *[""] * (last - first)]
        lines[last - 1] += after
    texts = _inside(nodes, {id(node.value) for node in docstrings})
    return "\n".join(
        line if number in texts else line.rstrip()
        for number, line in enumerate(lines, 1)
        if number in texts or line.strip()
    )


def _comments(source: str) -> list[tuple[Place, Place]]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [(token.start, token.end) for token in tokens if token.type == tokenize.COMMENT]


def _places(nodes: Iterable[ast.Expr], lines: Sequence[str]) -> Iterator[tuple[Place, Place]]:
    """Yield where each node starts and ends."""

    def place(line: int, byte: int) -> Place:  # the syntax tree counts bytes
        return line, len(lines[line - 1].encode()[:byte].decode())

    for node in nodes:
        yield place(node.lineno, node.col_offset), place(node.end_lineno or 0, node.end_col_offset or 0)


def _inside(nodes: Iterable[ast.AST], docstrings: Collection[int]) -> set[int]:
    """The lines that end inside of a text which is a value, and none of the docstrings, given by their identities."""
    texts = (node for node in nodes if _is_text(node) and id(node) not in docstrings)
    return {line for node in texts for line in range(node.lineno, node.end_lineno or 0)}


def _is_docstring(node: ast.AST) -> TypeGuard[ast.Expr]:
    """Whether a node is a text that stands as a statement; one with values in it may do something, and is none."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_text(node: ast.AST) -> TypeGuard[ast.Constant | ast.JoinedStr]:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
