"""Which source files a Python file depends on, found from its import statements without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def sources_of(*files: Path | str, within: Path = ROOT) -> list[str]:
    """List the files and all that they import below the folder `within`, sorted, as paths relative to it.

    Imports inside functions count, those under `if TYPE_CHECKING` do not; the packages that hold a module count too.
    """
    return sorted(path.relative_to(within).as_posix() for path in closure([within / file for file in files], within))


def closure(files: Iterable[Path], root: Path) -> set[Path]:
    """The files and all that they import, directly or not, below the folder `root`."""
    found: set[Path] = set()
    left = [file.resolve() for file in files]
    while left:
        if (file := left.pop()) not in found:
            found.add(file)
            left += imported_by(file, root)
    return found


@cache
def imported_by(file: Path, root: Path) -> tuple[Path, ...]:
    """The files below `root` that one file imports, with the `__init__.py` of each package on the way."""
    names = dict.fromkeys(_imported_names(ast.parse(file.read_bytes()), _package_of(file, root)))
    return tuple(dict.fromkeys(path for name in names for path in _files_of(name, root)))


def _package_of(file: Path, root: Path) -> list[str]:
    return list(file.relative_to(root).parent.parts) if file.is_relative_to(root) else []


def _imported_names(tree: ast.AST, package: list[str]) -> Iterator[str]:
    """The dotted names that a module imports, and for `from a import b` also `a.b`, which may be a module."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for other in node.orelse:
                yield from _imported_names(ast.Module([other], []), package)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [*(package[: len(package) - node.level + 1] if node.level else []), *filter(None, [node.module])]
            yield ".".join(base)
            yield from (".".join([*base, alias.name]) for alias in node.names)
        else:
            yield from _imported_names(node, package)


def _files_of(name: str, root: Path) -> Iterator[Path]:
    """The module of a dotted name and the packages around it, where they are below `root`."""
    folder = root
    for part in name.split("."):
        file, folder = folder / f"{part}.py", folder / part
        if file.is_file():
            yield file
            return
        if not (folder / "__init__.py").is_file():
            return
        yield folder / "__init__.py"
