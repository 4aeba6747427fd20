"""Python source without its words: what an edit of comments and docstrings leaves as it is."""

from __future__ import annotations

import ast
import io
import tokenize

Place = tuple[int, int]
"""A line, from 1, and a column, in characters."""


def without_words(source: str) -> str:
    """The lines of Python source without comments, docstrings, empty lines and spaces at their ends.

    Indentation stays, since it says what belongs to a loop. Source that is no Python is returned as it is.
    """
    try:
        words = [*_comments(source), *_docstrings(source)]
    except (SyntaxError, tokenize.TokenError):
        return source
    lines = source.splitlines(keepends=True)
    for (first, start), (last, end) in sorted(words, reverse=True):
        lines[first - 1 : last] = [lines[first - 1][:start] + lines[last - 1][end:]]
    return "\n".join(line.rstrip() for line in "".join(lines).splitlines() if line.strip())


def _comments(source: str) -> list[tuple[Place, Place]]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [(token.start, token.end) for token in tokens if token.type == tokenize.COMMENT]


def _docstrings(source: str) -> list[tuple[Place, Place]]:
    """Find the texts that stand as statements, at the start of a body or after what they explain."""
    lines = source.splitlines()

    def place(line: int, byte: int) -> Place:  # the syntax tree counts bytes
        return line, len(lines[line - 1].encode()[:byte].decode())

    return [
        (place(node.lineno, node.col_offset), place(node.end_lineno or 0, node.end_col_offset or 0))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]
