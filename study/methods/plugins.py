"""Methods in users' own files: loaded by path and registered like the built-in ones."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType

from study.methods.base import PLUGIN, Method, NameTwice
from study.parameters import listed, shown
from study.utils.imports import is_own, top_level_imports
from study.utils.timeout import Ended, contained

LONGEST = 80  # letters of a name, which stands in tables and figures
SECONDS = 120.0  # for a file to be imported, with all that it imports
# Modules of the library that users' files may still import by the names they once had.
MOVED = {
    "study.losses": "study.optim.losses",
    "study.optimizers": "study.optim.optimizers",
    "study.schedules": "study.optim.schedules",
    "study.noise": "study.optim.rng",
    "study.gradients": "study.optim.tensors",
}


class PluginError(ValueError):
    """A file of methods that cannot be used; the message says which and why."""


def load(paths: Iterable[str | Path]) -> None:
    """Import files of methods, each once as long as its text stays; relative paths are those of the working directory.

    Raises PluginError where a file is missing, fails on import, defines no method, or takes a name that is taken.
    """
    for path in paths:
        _load(Path(path))


def _load(path: Path) -> None:
    if path.suffix != ".py" or not path.is_file():
        raise PluginError(f"must name Python files that exist. Got '{path}' instead")
    name = f"{PLUGIN}{hashlib.sha256(str(path.resolve()).encode() + path.read_bytes()).hexdigest()[:16]}"
    if name in sys.modules:
        return
    before = {family: dict(family.members) for family in Method.__subclasses__()}
    try:
        sys.modules[name] = _run(name, path)
        _check(path, name, before)
    except PluginError:
        _restore(name, before)
        raise
    except NameTwice as error:
        _restore(name, before)
        raise PluginError(f"must define each name once. Got {error} of '{path}' instead") from error
    except BaseException as error:
        _restore(name, before)
        if isinstance(error, KeyboardInterrupt):  # of the user; that of the file's own code is contained
            raise
        reason = reason_of(error)
        raise PluginError(f"must name Python files that can be imported. Got '{path}' instead: {reason}") from error


def _run(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # pydantic looks a class's module up by name
    for old, new in MOVED.items():
        sys.modules.setdefault(old, importlib.import_module(new))
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)  # for what is imported while a method runs
    sys.path.insert(0, folder)  # what lies beside the file comes first, as where Python runs a file
    try:
        with contained(SECONDS):
            spec.loader.exec_module(module)
    finally:
        sys.path.remove(folder)
    _check_neighbours(path)
    return module


def _check_neighbours(path: Path) -> None:
    """Raise PluginError where a file beside the plugin has the name of another user's file, which Python imports."""
    folder = path.resolve().parent
    for name in top_level_imports(path):
        beside = [file for file in (folder / f"{name}.py", folder / name / "__init__.py") if file.is_file()]
        loaded = getattr(sys.modules.get(name), "__file__", None)
        if beside and loaded and is_own(Path(loaded).resolve()) and Path(loaded).resolve() != beside[-1].resolve():
            raise PluginError(
                f"must name files that import from others of different names. Got '{name}' in '{path}', which is "
                f"'{loaded}' for another file, instead"
            )


def source_of(method: Method) -> str:
    """Return the file that defines a method."""
    return inspect.getsourcefile(type(method)) or ""


def reason_of(error: BaseException) -> str:
    """Return the kind of an error and the first line of its message, at most 200 letters of it."""
    error = error.__cause__ or error if isinstance(error, Ended) else error
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:200]}".removesuffix(": ").rstrip(".")


def line_of(error: BaseException, method: Method) -> str:
    """Return the line of a method's file where an error arose, as ", line 12"; empty if it arose elsewhere."""
    file = source_of(method)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f", line {lines[-1]}" if lines else ""


def _check(path: Path, module: str, before: Mapping[type[Method], Mapping[str, type[Method]]]) -> None:
    new = list(_defined(module))
    if not new:
        kinds = (
            "a clipping, regularizer, model, optimizer, schedule, loss, metric or data set, each a class with a 'name'"
        )
        raise PluginError(f"must name files that define a method ({kinds}). Got '{path}' instead")
    for method in new:
        name = method.model_fields["name"].default
        if name.splitlines() != [name] or " + " in name or len(name) > LONGEST:
            must = f"must give methods names of 1 to {LONGEST} letters, in one line and without ' + '"
            raise PluginError(f"{must}. Got {method.family} {shown(name)} in '{path}' instead")
        bases = [base for base in method.__mro__[1:] if base.__module__.startswith("study.")]
        if hidden := [name for name in method.model_fields if name != "name" and any(name in vars(b) for b in bases)]:
            raise PluginError(f"must give parameters names of their own. Got '{hidden[0]}' in '{path}' instead")
        for attribute, (got, known_values) in method.declared().items():
            if got not in known_values:
                raise PluginError(
                    f"must declare {attribute} as one of {listed(known_values)}. Got '{got}' in '{path}' instead"
                )
    for family, known in before.items():
        for method in new:
            name = method.model_fields["name"].default
            taken = known.get(name) if issubclass(method, family) else None
            if taken is not None and inspect.getsourcefile(taken) != inspect.getsourcefile(method):
                raise PluginError(f"must define methods of new names. Got {family.family} '{name}' in '{path}' instead")


def _defined(module: str) -> Iterator[type[Method]]:
    """The methods that a module has put into the registries."""
    for family in Method.__subclasses__():
        yield from (method for method in family.members.values() if method.__module__ == module)


def _restore(module: str, before: Mapping[type[Method], dict[str, type[Method]]]) -> None:
    sys.modules.pop(module, None)
    for family, members in before.items():
        family.members = members
