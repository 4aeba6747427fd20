"""Configuration files: YAML that can run no code, and every error with its line."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from study.config.errors import ConfigError, Place
from study.parameters import shown, suggestion

MERGE = "tag:yaml.org,2002:merge"  # the key `<<`, which lays one mapping under another
TEMPLATE = "__use_yte__"  # with this key Snakemake would run Python that stands in the values
NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
SUFFIXES = (".yaml", ".yml", ".json")


class FileError(ValueError):
    """Error that says what a file must be and what it is, one line for each fault."""

    def __init__(self, *lines: str) -> None:
        super().__init__(*lines)
        self.lines = lines


def said(line: int, must: str, got: str, hint: str = "") -> str:
    """Return an error about a file in the common form."""
    at = f"line {line}: " if line else ""
    return f"{at}The file must {must}. Got {got} instead.{hint}"


@dataclass(frozen=True)
class Files:
    """Configuration files as written, later ones laid over earlier ones, and the keys set on the command line."""

    nodes: Mapping[str, yaml.Node]
    overrides: Collection[str] = ()

    @classmethod
    def read(cls, paths: Sequence[str | Path], overrides: Collection[str] = ()) -> Files:
        """Return the files; raises `ConfigError` with all that keeps them from being read."""
        nodes, faults = dict[str, yaml.Node](), dict[str, tuple[str, ...]]()
        for path in map(near, paths):
            try:
                nodes[path] = node_of(path)
            except FileError as fault:
                faults[path] = fault.lines
        if faults:
            several = len(faults) > 1
            lines = [f"{path}, {line}" if several else line for path, found in faults.items() for line in found]
            raise ConfigError(", ".join(faults), lines)
        return cls(nodes, overrides)

    @property
    def source(self) -> str:
        """The names of the files, in words."""
        return ", ".join(self.nodes) or "the configuration"

    def where(self, place: Place) -> str:
        """Return the line of a place or of the nearest one above it, with the file if there are several."""
        if place[:1] and place[0] in self.overrides:
            return "--config"
        found = [(*_reached(node, place), path) for path, node in self.nodes.items()]
        depth, line, path = max(reversed(found), key=lambda one: one[0], default=(0, 0, ""))
        if not depth:
            return ""
        return f"{path}, line {line}" if len(self.nodes) > 1 else f"line {line}"


def mapping_of(path: str | Path) -> dict[str, Any]:
    """Return what one file holds; raises `ConfigError` with all that keeps it from being read."""
    Files.read([path])
    return dict(yaml.safe_load(_text(str(path))))


def near(path: str | Path) -> str:
    """Return a path as a person writes it: relative to the working directory if inside it."""
    path = Path(path)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def node_of(path: str) -> yaml.Node:
    """Return the YAML of a file with every value checked; raises `FileError`."""
    text = _text(path)
    faults = list[str]()
    try:
        loader = _Loader(text, faults)
        node = loader.get_single_node()
        if node is not None:
            _refuse_recursion(node)
            content = loader.construct_document(node)
    except yaml.YAMLError as error:
        raise FileError(*faults, _broken(error, text)) from None
    except RecursionError:
        raise FileError(said(0, "be nested less deeply", "hundreds of levels")) from None
    if faults:
        raise FileError(*faults)
    if not isinstance(node, yaml.MappingNode):
        got = shown(content) if node else "an empty file"
        raise FileError(said(0, "be a mapping from keys to values", got))
    return node


def _text(path: str) -> str:
    file = Path(path)
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise FileError(_missing(path)) from None
    except OSError as error:
        reason = "a folder" if file.is_dir() else os.strerror(error.errno or 0)
        raise FileError(said(0, "be one that can be read", f"{reason} at '{path}'", _no_file(path))) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FileError(said(line, "be UTF-8", f"the byte 0x{data[error.start]:02x}")) from None


def _missing(path: str) -> str:
    if target := _no_file(path):
        return said(0, "exist", f"'{path}'", target)
    folders = {Path(path).parent, Path("config")}
    there = sorted(str(one) for place in folders if place.is_dir() for one in place.glob("*.y*ml"))
    return said(0, "exist", f"'{path}'", suggestion(path, there))


def _no_file(path: str) -> str:
    """Return advice for a target that was taken for one more configuration."""
    return "" if path.endswith(SUFFIXES) else " A target is written after '--'."


def _broken(error: yaml.YAMLError, text: str) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:  # a character that YAML does not allow
        place = getattr(error, "position", 0)
        return said(text.count("\n", 0, place) + 1, "be text", f"the character {text[place : place + 1]!r}")
    problem = getattr(error, "problem", None) or "something else"
    tab = "; YAML is indented with spaces" if "\\t" in problem else ""
    written = [*text.splitlines(), ""][mark.line].strip()
    return said(mark.line + 1, "be YAML", shown(written) if written else "the end of the file", f" ({problem}{tab}.)")


def _refuse_recursion(node: yaml.Node) -> None:
    """Raise `FileError` if a mapping or list contains itself."""
    done, above = set[int](), set[int]()

    def walk(node: yaml.Node) -> None:
        if id(node) in above:
            line = node.start_mark.line + 1
            raise FileError(said(line, "hold nothing that stands in itself", "an alias of what it is in"))
        if id(node) in done:
            return
        above.add(id(node))
        for child in _children(node):
            walk(child)
        above.remove(id(node))
        done.add(id(node))

    walk(node)


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from pair
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


class _Loader(yaml.SafeLoader):
    """YAML loader that refuses a key given twice in a mapping and numbers that do not mean what they look like."""

    def __init__(self, text: str, faults: list[str]) -> None:
        super().__init__(text)
        self.faults = faults

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        first = dict[Any, int]()
        for key, _ in node.value:
            if key.tag == MERGE or not isinstance(key, yaml.ScalarNode):
                continue
            name, line = self.construct_object(key, deep=True), key.start_mark.line + 1
            if name == TEMPLATE:
                self.faults.append(said(line, "be plain YAML, which runs no code", f"the key '{TEMPLATE}'"))
            if (twin := repr(name)) in first:
                got = f"it at line {first[twin]} too"
                self.faults.append(said(line, f"have the key {twin} once in a mapping", got))
            first.setdefault(twin, line)
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        line = node.start_mark.line + 1
        if node.tag in NUMBERS and _misleading(node.value):
            got = f"{shown(node.value)}, which YAML reads as another number"
            self.faults.append(said(line, "have numbers in plain decimals", got))
        try:
            return super().construct_object(node, deep)
        except yaml.YAMLError:
            raise
        except (ValueError, OverflowError):  # a month 13, an integer of thousands of digits
            self.faults.append(said(line, "have dates and numbers that there are", shown(node.value)))
            return None


def _misleading(number: str) -> bool:
    """Return whether a number is in base 60 (1:30) or, by a leading zero, in base 8."""
    return ":" in number or bool(re.fullmatch(r"[-+]?0[0-7_]+", number))


def _reached(node: yaml.Node, place: Place) -> tuple[int, int]:
    """Return how much of a place exists under a node, and the line of that part."""
    line = node.start_mark.line + 1
    for depth, part in enumerate(place):
        inner = _inside(node, part)
        if inner is None:
            return depth, line
        line, node = inner
    return len(place), line


def _inside(node: yaml.Node, part: Any) -> tuple[int, yaml.Node] | None:
    """Return the line and value of a key or position; merged keys come after a mapping's own."""
    if isinstance(node, yaml.SequenceNode):
        inside = isinstance(part, int) and part < len(node.value)
        return (node.value[part].start_mark.line + 1, node.value[part]) if inside else None
    if not isinstance(node, yaml.MappingNode):
        return None
    for key, value in node.value:
        if key.value == str(part):
            return key.start_mark.line + 1, value
    merged = [value for key, value in node.value if key.tag == MERGE]
    sources = [one for value in merged for one in (value.value if isinstance(value, yaml.SequenceNode) else [value])]
    return next((found for source in sources if (found := _inside(source, part))), None)


def check_command(paths: Sequence[str | Path], settings: Sequence[str] | None) -> None:
    """Exit with all errors of the files and of the `key=value` settings on a command line, if there are any."""
    wrong = [one for one in settings or () if not re.match(r"[a-zA-Z_][\w-]*\w=", one)]
    must = "The '--config' parameter of the command line must be a key, '=' and a value."
    errors = [ConfigError("the command line", [f"{must} Got '{one}' instead." for one in wrong])] if wrong else []
    try:
        Files.read(paths)
    except ConfigError as error:
        errors.append(error)
    if errors:
        raise SystemExit("\n".join(map(str, errors)))
