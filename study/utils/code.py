"""Python source without its words: what an edit of comments and docstrings leaves as it is."""

from __future__ import annotations

import ast
import io
import tokenize
from typing import TypeGuard

Place = tuple[int, int]
"""A line, from 1, and a column, in characters."""


def without_words(source: str) -> str:
    """The lines of Python source without comments, docstrings, empty lines and spaces at their ends.

    Indentation stays, since it says what belongs to a loop, and so does all that is inside of a text. Source that is no
    Python is returned as it is.
    """
    try:
        tree = ast.parse(source)
        words = [*_comments(source), *_docstrings(tree, source)]
    except (SyntaxError, tokenize.TokenError):
        return source
    lines = source.split("\n")
    for (first, start), (last, end) in sorted(words, reverse=True):
        after = lines[last - 1][end:]
        lines[first - 1 : last] = [lines[first - 1][:start], *[""] * (last - first)]
        lines[last - 1] += after
    texts = _texts(tree)
    return "\n".join(
        line if number in texts else line.rstrip()
        for number, line in enumerate(lines, 1)
        if number in texts or line.strip()
    )


def _comments(source: str) -> list[tuple[Place, Place]]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [(token.start, token.end) for token in tokens if token.type == tokenize.COMMENT]


def _docstrings(tree: ast.Module, source: str) -> list[tuple[Place, Place]]:
    """Find the texts that stand as statements, at the start of a body or after what they explain."""
    lines = source.split("\n")

    def place(line: int, byte: int) -> Place:  # the syntax tree counts bytes
        return line, len(lines[line - 1].encode()[:byte].decode())

    return [
        (place(node.lineno, node.col_offset), place(node.end_lineno or 0, node.end_col_offset or 0))
        for node in ast.walk(tree)
        if _is_docstring(node)
    ]


def _texts(tree: ast.Module) -> set[int]:
    """The lines that end inside of a text which is a value."""
    words = {id(node.value) for node in ast.walk(tree) if _is_docstring(node)}
    texts = (node for node in ast.walk(tree) if _is_text(node) and id(node) not in words)
    return {line for node in texts for line in range(node.lineno, node.end_lineno or 0)}


def _is_docstring(node: ast.AST) -> TypeGuard[ast.Expr]:
    """Whether a node is a text that stands as a statement; one with values in it may do something, and is none."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_text(node: ast.AST) -> TypeGuard[ast.Constant | ast.JoinedStr]:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
