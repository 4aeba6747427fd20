"""Words of source may be mended without a change of its code; anything else is one."""

import ast
from pathlib import Path

import pytest

from study.utils.code import code_of, without_words
from study.utils.imports import ROOT

SOURCE = '''"""A module."""

LIMIT = 3  # a number
"""What it limits."""


def f(x: int) -> str:
    """A function.

    Of several lines, "quoted" # and with a sign.
    """
    # before the loop
    for _ in range(x):  # ä comment
        x += 1
    return f"# {x}" + "é"  ;  """said"""


TEXT = """a text

# with an empty line"""
'''


def test_only_the_code_is_left() -> None:
    assert without_words(SOURCE).splitlines() == [
        "LIMIT = 3",
        "def f(x: int) -> str:",
        "    for _ in range(x):",
        "        x += 1",
        '    return f"# {x}" + "é"  ;',
        'TEXT = """a text',
        "",
        '# with an empty line"""',
    ]


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("# a number", "# the number", True),
        ("A function.", "Another\n\n    function.", True),
        ("    # before the loop\n", "", True),
        ("\n\n\n", "\n\n", True),
        ("LIMIT = 3", "LIMIT = 4", False),
        ("        x += 1", "    x += 1", False),  # a body that is another by its indentation alone
        ('"# {x}"', '"#{x}"', False),
        ("a text\n\n", "a text\n", False),
    ],
)
def test_words_may_change_and_code_may_not(old: str, new: str, same: bool) -> None:
    assert old in SOURCE
    assert (without_words(SOURCE.replace(old, new, 1)) == without_words(SOURCE)) is same


def test_a_file_is_read_in_the_encoding_that_it_declares(tmp_path: Path) -> None:
    file = tmp_path / "old.py"
    file.write_bytes("# -*- coding: latin-1 -*-\nNAME = 'M\u00fcller'  # a name\n".encode("latin-1"))
    assert code_of(file) == "NAME = 'M\u00fcller'"


def test_what_is_no_python_stays_as_it_is() -> None:
    assert without_words("x = = 1 # no\n") == "x = = 1 # no\n"
    assert without_words("text = '''open\n") == "text = '''open\n"


@pytest.mark.parametrize("room", sorted(path.name for path in (ROOT / "study").iterdir() if path.is_dir()))
def test_the_code_of_every_file_is_the_same_program(room: str) -> None:
    """Python's own parser finds the same code with and without words, but for the texts that stand as statements."""
    for file in (ROOT / "study" / room).glob("*.py"):
        assert _program(without_words(file.read_text(encoding="utf-8"))) == _program(file.read_text(encoding="utf-8"))


def _program(source: str) -> list[str]:
    """The statements of source in the order of the tree, each by its head, without texts that stand as one."""
    filled = _with_bodies(source)
    return [ast.dump(node) for node in ast.walk(filled) if not isinstance(node, ast.stmt | ast.Module)]


def _with_bodies(source: str) -> ast.Module:
    """Parse source in which a body may be empty, since it was a docstring alone."""
    lines = source.splitlines()
    for at, line in enumerate(lines):
        opens = line.rstrip().endswith(":") and line.lstrip().startswith(("class ", "def ", "async def "))
        after = lines[at + 1] if at + 1 < len(lines) else ""
        if opens and len(after) - len(after.lstrip()) <= len(line) - len(line.lstrip()):
            lines[at] += " pass"
    tree = ast.parse("\n".join(lines) + "\n")
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            node.body = [one for one in body if not _is_text(one)]  # type: ignore[attr-defined]
    return tree


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
