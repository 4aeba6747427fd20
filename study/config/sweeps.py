"""Raw regimes that stand for several: their presets, swept keys, and grids of a method's parameters."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from study.config.errors import Fault, Place
from study.parameters import listed, shown, suggestion

Raw = Mapping[str, Any]
PRESETS = Path(__file__).with_name("presets.yaml")


def fault(parameter: str, must: str, got: object, hint: str = "", inside: Place = ()) -> Fault:
    """Return the fault of a parameter of a regime, or of a place inside it."""
    message = f"The '{parameter}' parameter of regime must {must}. Got {shown(got)} instead.{hint}"
    return Fault((parameter, *inside), message)


@dataclass(frozen=True)
class Point:
    """Point of an axis: its text in the regime's name, its value, and what it lays over the regime.

    path: the key it sets; empty for a named point, a mapping that is laid over the whole regime.
    """

    text: str
    value: object
    over: Raw
    path: tuple[str, ...] = ()


@cache
def presets() -> Mapping[str, Raw]:
    """Return the presets shipped here, by name."""
    return dict(yaml.safe_load(PRESETS.read_text(encoding="utf-8")))


def merge(base: Raw, over: Any) -> Any:
    """Return `over` laid on `base`, mapping by mapping; a mapping that names another method replaces the base's.

    A data set is not a method: another data set keeps the base's sizes and label noise.
    """
    if not isinstance(over, Mapping):
        return over
    if "name" in over and over["name"] != base.get("name", over["name"]):
        return dict(over)
    return {**base, **{key: _merged(key, base.get(key), value) for key, value in over.items()}}


def _merged(key: str, base: Any, over: Any) -> Any:
    if not isinstance(base, Mapping) or not isinstance(over, Mapping):
        return over
    if key != "data":
        return merge(base, over)
    both = {**base, **over}
    if isinstance(over.get("label_noise"), Mapping):
        both["label_noise"] = {**_shares(base.get("label_noise", 0)), **over["label_noise"]}
    return both


def _shares(noise: Any) -> Raw:
    """Return shares of wrong labels as a mapping; a plain number applies to training labels."""
    return noise if isinstance(noise, Mapping) else {"train": noise}


def on_presets(defaults: Raw, regime: Raw) -> tuple[Raw, list[Fault]]:
    """Return a regime laid over the presets of its `from` and those of the defaults, in order; and the faults.

    A missing preset is left out.
    """
    given = regime.get("from", [])
    names = [given] if isinstance(given, str) else given
    own = {key: value for key, value in regime.items() if key != "from"}
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return merge(defaults, own), [fault("from", "be the name of a preset, or a list of names", names)]
    known = list(presets())
    whole: Any = defaults
    for name in names:
        whole = merge(whole, presets().get(name, {}))
    must = f"name presets out of {listed(known)}"
    unknown = [name for name in names if name not in presets()]
    return merge(whole, own), [fault("from", must, name, suggestion(name, known)) for name in unknown]


def spread(name: str, regime: Raw, methods: Raw, room: int) -> tuple[dict[str, Raw], list[Fault]]:
    """Return the regimes of a `sweep`, one for each combination of its axes' points; and the faults.

    Without a sweep, a regime stands for itself; an axis that cannot be read is left out. methods: the default methods
    of a regime, whose parameters can be swept without naming them. room: the largest number of regimes.
    """
    base = {key: value for key, value in regime.items() if key != "sweep"}
    if "sweep" not in regime:
        return {name: base}, []
    given = regime["sweep"]
    if not isinstance(given, Mapping) or not given:
        must = "be a mapping from keys to lists of values, or from names to named points"
        return {name: base}, [fault("sweep", must, given)]
    read = {str(axis): _points(str(axis), values) for axis, values in given.items()}
    axes = {axis: points for axis, points in read.items() if isinstance(points, list)}
    faults = [points for points in read.values() if isinstance(points, Fault)]
    if (count := math.prod(map(len, axes.values()))) > room:
        must = f"make at most {room:,} regimes, to stay within the study's 'max_core_hours'"
        return {name: base}, [*faults, fault("sweep", must, count)]
    found: dict[str, Raw] = {}
    for combination in product(*axes.values()) if axes else ():
        at = {axis: point.value for axis, point in zip(axes, combination, strict=True)}
        found[point_name(name, at)] = {**_laid(base, combination, methods), "part_of": name, "at": at}
    return found or {name: base}, faults


def _laid(regime: Any, points: Sequence[Point], methods: Raw) -> Raw:
    """Return the regime with the points laid over it, the broadest first, so that none undoes another."""
    for point in sorted(points, key=lambda point: len(point.path)):
        regime = merge(_opened({**methods, **regime}, point.path) if point.path[1:] else regime, point.over)
    return regime


def _opened(raw: Raw, path: Sequence[str]) -> Raw:
    """Return methods on the way to a key that are given only by name as mappings, so that they take a parameter."""
    head, *rest = path
    if not rest or head not in raw:
        return raw
    inner = {"name": raw[head]} if isinstance(raw[head], str) else raw[head]
    return {**raw, head: _opened(inner, rest) if isinstance(inner, Mapping) else inner}


def _points(axis: str, values: object) -> list[Point] | Fault:
    """Return the points of one axis, or its fault: a key has one for each value, a name one for each entry."""
    inside = (axis,)
    if not NAMEABLE.fullmatch(last := axis.split(".")[-1]):
        must = "vary keys, or names of lower-case letters, digits, '-', '_' and '.'"
        return fault("sweep", must, last, inside=inside)
    if isinstance(values, Mapping) and values and all(isinstance(over, Mapping) for over in values.values()):
        points = [Point(_text(value), scalar(value), over) for value, over in values.items()]
    elif isinstance(values, list) and values:
        path = tuple(axis.split("."))
        points = [Point(_text(value), scalar(value), _nested(path, value), path) for value in map(_number, values)]
    else:
        must = f"have a list of values, or a mapping of points, for '{axis}'"
        return fault("sweep", must, values, inside=inside)
    names = [point.text for point in points]
    if len(set(names)) < len(names):
        return fault("sweep", f"have different values for '{axis}'", names, inside=inside)
    return points


NAMEABLE = re.compile("[a-z0-9._-]+")


def _number(value: object) -> object:
    """Read `1e-3`, which YAML reads as text, as a number."""
    if isinstance(value, str) and re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", value):
        return float(value)
    return value


def _nested(path: Sequence[str], value: object) -> Raw:
    return {path[0]: value if len(path) == 1 else _nested(path[1:], value)}


def scalar(value: object) -> int | float | str:
    """Return a value as it appears in a regime's `at`: a finite number or a text unchanged, others as text."""
    if isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
        return _text(value)
    return value if isinstance(value, int | float | str) else _text(value)


def _text(value: object) -> str:
    """Return a value as text for the name of a regime and of its folder."""
    if isinstance(value, float):
        return f"{value:g}".replace("+", "")
    if isinstance(value, Mapping):
        value = value.get("name", "")
    if isinstance(value, list):
        value = "x".join(str(item) if isinstance(item, int | float | str) else shown(item) for item in value)
    text = re.sub(r"[^a-z0-9._-]+", "-", str(value).lower())
    return text if isinstance(value, int) else text.strip("-.") or "point"


def point_name(name: str, at: Mapping[str, object]) -> str:
    """Return the name of a sweep's regime at these values of its keys."""
    return "_".join([name, *(f"{axis.split('.')[-1]}={_text(value)}" for axis, value in at.items())])


def of_grid(entry: object) -> list[object]:
    """Return the methods that one entry stands for: `{grid: [..]}` for a parameter takes each value in turn.

    In a combination (a list of entries), every value of one meets every value of the others.
    """
    if isinstance(entry, list | tuple):
        return [list(one) for one in product(*map(_of_one, entry))]
    return _of_one(entry)


def _of_one(entry: object) -> list[object]:
    if not isinstance(entry, Mapping):
        return [entry]
    grids = {key: value["grid"] for key, value in entry.items() if _is_grid(value)}
    return [{**entry, **dict(zip(grids, values, strict=True))} for values in product(*grids.values())]


def _is_grid(value: object) -> bool:
    """Return whether a value is a grid; an empty one is not, so that it is refused instead of dropping the method."""
    if not isinstance(value, Mapping) or set(value) != {"grid"}:
        return False
    return isinstance(value["grid"], list) and value["grid"] != []


def with_grids(entries: object) -> object:
    """Return a list of methods with every grid written out."""
    if not isinstance(entries, list | tuple):
        return entries
    return [one for entry in entries for one in of_grid(entry)]


def counted(entries: object) -> int:
    """Return how many methods a list stands for, at least one, without writing them out."""
    return max(sum(map(_count, entries)), 1) if isinstance(entries, list | tuple) else 1


def _count(entry: object) -> int:
    if isinstance(entry, list | tuple):
        return math.prod(map(_count_one, entry))
    return _count_one(entry)


def _count_one(entry: object) -> int:
    return math.prod(len(v["grid"]) for v in entry.values() if _is_grid(v)) if isinstance(entry, Mapping) else 1


def origins(entries: object) -> Iterator[int]:
    """Return, for each method of a list with its grids written out, the entry that it comes from."""
    if isinstance(entries, list | tuple):
        for index, entry in enumerate(entries):
            yield from [index] * len(of_grid(entry))
