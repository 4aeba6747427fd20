"""Source files that a Python file depends on, read from its import statements without running it."""

from __future__ import annotations

import ast
import importlib.util
import sys
import sysconfig
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CALLS = (b"import_module", b"__import__")  # functions that import
HOLDERS = ("body", "handlers", "orelse", "finalbody", "cases")  # of statements, in syntax trees
Import = tuple[Path | None, str]
"""A dotted name, and the folder that it starts from where the import is relative."""


def sources_of(*files: Path | str, within: Path = ROOT) -> list[str]:
    """List the files and all that they import below the folder `within`, sorted, as paths relative to it.

    Imports inside functions count, those under `if TYPE_CHECKING` do not; the packages that hold a module count too.
    """
    return sorted(path.relative_to(within).as_posix() for path in closure([within / file for file in files], within))


def closure(files: Iterable[Path], *roots: Path, installed: bool = False, without: Collection[Path] = ()) -> set[Path]:
    """Return the files and all that they import, directly or not, below the folders `roots`.

    installed: also return files elsewhere on Python's path that belong neither to Python nor to an installed package.
    without: files that are left out, with all that only they import.
    """
    found: set[Path] = set()
    left = [file.resolve() for file in files]
    while left:
        if (file := left.pop()) not in found and file not in without:
            found.add(file)
            left += imported_by(file, roots, installed)
    return found


@cache
def imported_by(file: Path, roots: tuple[Path, ...], installed: bool = False) -> tuple[Path, ...]:
    """Return the files that one file imports, with the `__init__.py` of each package on the way, as for `closure`.

    A package may also be a folder without an `__init__.py`.
    """
    try:
        names = dict.fromkeys(_imports(file))
    except SyntaxError:  # no Python of this version, so that importing it fails too
        return ()
    found = [path for base, name in names for path in _files_of(name, (base,) if base else roots)]
    if installed:
        outside = [(name, _folder_of(name.partition(".")[0])) for base, name in names if not base]
        found += [path for name, folder in outside if folder for path in _files_of(name, (folder,))]
    return tuple(dict.fromkeys(found))


def top_level_imports(file: Path) -> list[str]:
    """Return the first parts of the absolute names that a file imports."""
    names = _imports(file)
    return list(dict.fromkeys(name.partition(".")[0] for base, name in names if not base and name))


def _imports(file: Path) -> Iterator[Import]:
    """Yield the names that a file imports; `from a import b` also yields `a.b`, which may be a module."""
    source, folder = file.read_bytes(), file.parent
    for node in _nodes(ast.parse(source), deep=any(name in source for name in CALLS)):
        if isinstance(node, ast.Import):
            yield from ((None, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [folder, *folder.parents][node.level - 1] if node.level else None
            names = [".".join(filter(None, [node.module, alias.name])) for alias in node.names]
            yield from ((base, name) for name in (node.module or "", *names))
        elif isinstance(node, ast.Call) and (name := _named_in_call(node)):
            yield None, name


def _nodes(tree: ast.AST, deep: bool) -> Iterator[ast.AST]:
    """Yield what runs, so nothing under `if TYPE_CHECKING`: all nodes, or, unless `deep`, only statements."""
    left = [tree]
    while left:
        node = left.pop()
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            inside: list[ast.AST] = [*node.orelse]
        elif deep:
            inside = [*ast.iter_child_nodes(node)]
        else:
            inside = [one for name in HOLDERS for one in getattr(node, name, ())]
        left += reversed(inside)


def _named_in_call(node: ast.Call) -> str:
    """Return the module of `importlib.import_module("a.b")` or `__import__("a.b")`; "" for any other call."""
    function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    match node.args:
        case [ast.Constant(value=str(name)), *_] if function.encode() in CALLS:
            return name
    return ""


@cache
def _files_of(name: str, roots: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return the file of a dotted name and the packages around it, from the first of the folders that has it."""
    return tuple(path.resolve() for path in _found(name, roots))


def _found(name: str, roots: Iterable[Path]) -> Iterator[Path]:
    """Yield them, links in their paths not followed yet."""
    for root in roots:
        found, folder = list[Path](), root
        for part in name.split(".") if name else ():
            file, folder = folder / f"{part}.py", folder / part
            package = folder / "__init__.py"
            if package.is_file():  # before a module of the same name, as Python looks
                found.append(package)
            elif file.is_file():
                found.append(file)
                break
            elif not folder.is_dir():
                break
        if found or not name:
            yield from found or (one for one in (root / "__init__.py",) if one.is_file())
            return


def _folder_of(module: str) -> Path | None:
    """Return the folder on Python's path that holds a top-level module of the user's own, None for any other module."""
    try:
        spec = importlib.util.find_spec(module) if module else None
    except (ImportError, ValueError):
        return None
    places = [spec.origin or "", *(spec.submodule_search_locations or ())] if spec else []
    files = [Path(place).resolve() for place in places if place and Path(place).exists()]
    if not files or any(not is_own(file) for file in files):
        return None
    return files[0].parent.parent if files[0].name == "__init__.py" else files[0].parent


def is_own(file: Path) -> bool:
    """Return whether a file belongs neither to Python nor to an installed package."""
    return not any(file.is_relative_to(folder) for folder in _installed())


@cache
def _installed() -> tuple[Path, ...]:
    paths = sysconfig.get_paths()
    known = [paths[kind] for kind in ("stdlib", "platstdlib", "purelib", "platlib")]
    others = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    return tuple(dict.fromkeys(Path(path).resolve() for path in (*known, *others)))
