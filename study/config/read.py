"""Reader of configurations: YAML -> one frozen, typed `Study`, or all errors at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from study.config import cost, dry_run
from study.config.errors import ConfigError, Fault, Place, Where, nowhere
from study.config.regime import Regime
from study.config.study import MAX_CORE_HOURS, Study
from study.config.sweeps import Raw, counted, fault, on_presets, origins, presets, scalar, spread
from study.config.yaml_files import Files
from study.methods.base import Method
from study.parameters import Positive, not_text, shown


def read(raw: Raw, paths: Sequence[str | Path], overrides: Raw) -> Study:
    """Return the study of a raw mapping read from files, some of whose keys were set on the command line.

    Raises `ConfigError`, which names file, line and key of each error.
    """
    files = Files.read(paths, overrides)
    return parse(raw, files.source, files.where)


def parse(raw: Raw, source: str = "the configuration", where: Where = nowhere) -> Study:
    """Return the typed study of a raw mapping, with every regime laid over its `defaults`.

    Raises `ConfigError`, with one line for each error: "key: The 'p' parameter of ... must be ... Got ... instead."
    """
    written, faults = _written_out(raw)
    try:
        # Checks across regimes would report false errors about regimes that could not be written out.
        study = Study.model_validate(written, context={"incomplete": bool(faults)})
        if not faults:
            faults = [*cost.too_dear(study), *dry_run.faults(study)]
    except ValidationError as error:
        faults += _faults(error, raw, written.get("regimes"), {one.place[1] for one in faults if one.place[1:]})
    if faults:
        raise ConfigError(source, [one.line(where) for one in faults])
    return study


def _written_out(raw: Raw) -> tuple[dict[str, Any], list[Fault]]:
    """Write out presets, defaults and sweeps of all regimes; return the study and the faults found."""
    given = {key: value for key, value in raw.items() if key != "defaults"}
    defaults, faults = raw.get("defaults") or {}, list[Fault]()
    if not isinstance(defaults, Mapping):
        wanted = f"must be a mapping of what every regime starts from. Got {shown(defaults)} instead."
        defaults, faults = {}, [Fault(("defaults",), f"The 'defaults' parameter of study {wanted}")]
    if isinstance(given.get("regimes"), Mapping):
        given["regimes"], more = _all_regimes(raw, defaults, given["regimes"], _room(raw))
        faults += more
    return given, faults


def _all_regimes(raw: Raw, given: Raw, regimes: Raw, room: int) -> tuple[dict[str, Any], list[Fault]]:
    defaults, general = on_presets({}, given)
    general = [*_by_sweeps_alone(given), *general]
    defaults = {key: value for key, value in defaults.items() if key not in BY_SWEEPS}
    faults = [Fault(("defaults", *one.place), one.message) for one in general]
    found = dict[str, Any]()
    for name, regime in regimes.items():
        if hint := not_text(name):
            message = f"The name of a regime must be a text. Got {shown(name)} instead.{hint}"
            faults.append(Fault(("regimes", name), message))
            continue
        more, wrong = _standing_for(str(name), defaults, {} if regime is None else regime, room)
        if twins := [one for one in more if one in found or (one in regimes and one != name)]:
            wrong.append(fault("sweep", "make regimes by other names than those there are", twins[0]))
        faults += [Fault(_written(raw, ("regimes", name), one.place), one.message) for one in wrong]
        found |= {key: value for key, value in more.items() if key not in twins}
        room -= len(more)
    return found, faults


def _standing_for(name: str, defaults: Raw, regime: Any, room: int) -> tuple[dict[str, Any], list[Fault]]:
    if not isinstance(regime, Mapping):
        return {name: regime}, []
    whole, unknown = on_presets(defaults, {key: value for key, value in regime.items() if key not in BY_SWEEPS})
    found, wrong = spread(name, whole, DEFAULT_METHODS, room)
    faults = [*_by_sweeps_alone(regime), *unknown, *wrong]
    for one in found.values():
        if (count := counted(one.get("clips")) * counted(one.get("regularizations"))) > room:
            must = f"make at most {room:,} pairs with the regularizations, to stay within the study's 'max_core_hours'"
            return {name: {}}, [*faults, fault("clips", must, count)]
    return found, faults


BY_SWEEPS = ("part_of", "at")


def _by_sweeps_alone(regime: Raw) -> list[Fault]:
    return [fault(key, "be left to sweeps, which write it", regime[key]) for key in BY_SWEEPS if key in regime]


DEFAULT_METHODS = {
    key: field.default.model_dump(mode="json")
    for key, field in Regime.model_fields.items()
    if isinstance(field.default, Method)
}


def _room(raw: Raw) -> int:
    """Return how many trainings a study may have, whatever else is wrong with it."""
    try:
        hours = TypeAdapter(Positive).validate_python(raw.get("max_core_hours", MAX_CORE_HOURS))
        return max(cost.affordable(hours), FEW)
    except (ValidationError, OverflowError):
        return cost.affordable(MAX_CORE_HOURS)


FEW = 1_000  # trainings written out whatever they cost, so that an error can state their forecast


def _faults(error: ValidationError, raw: Raw, written: Any, incomplete: Collection[str]) -> Iterator[Fault]:
    lines = error.errors(include_url=False)
    unread = "".join(_text_of(line["input"]) for line in lines if line["loc"][:1] == ("plugins",))
    for line in lines:
        if _defined_in(unread, line["input"]) and "must be one of" in line["msg"]:
            continue
        loc = tuple(part for part in line["loc"] if part != "[key]")
        missing = line["msg"].endswith("Got nothing instead.")
        nameless = isinstance(line["input"], Mapping) and "a mapping with 'name'" in line["msg"]
        regime = written.get(loc[1]) if loc[:1] == ("regimes",) and loc[1:] and isinstance(written, Mapping) else None
        if not isinstance(regime, Mapping):
            if loc != ("regimes",) or written or not raw.get("regimes"):  # else their names were wrong
                yield Fault(loc, line["msg"])
            continue
        # A missing key may be in the preset or the axis that could not be read.
        lacking = missing or nameless or loc[2:] == ("tuning",)
        if not lacking or regime.get("part_of", loc[1]) not in incomplete:
            yield Fault(_origin(loc, raw, regime, missing), line["msg"])


def _text_of(path: Any) -> str:
    """Return the text of a file of methods that could not be loaded."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except (OSError, TypeError, ValueError):
        return ""


def _defined_in(text: str, entry: Any) -> bool:
    """Return whether an unknown method may be defined in a file that could not be loaded."""
    name = entry.get("name") if isinstance(entry, Mapping) else entry
    return isinstance(name, str) and any(f"{quote}{name}{quote}" in text for quote in "\"'")


def _origin(loc: Place, raw: Raw, regime: Raw, missing: bool) -> Place:
    """Return where the user wrote an entry: in the regime's sweep, the regime, its presets, or the `defaults`."""
    swept = "part_of" in regime
    own: Place = ("regimes", regime["part_of"] if swept else loc[1])
    if swept and not loc[2:]:  # its name, which the sweep made
        return (*own, "sweep")
    keys, points = _sweep(regime["at"], own, raw) if swept else ({}, [])
    rest = _ungridded(loc[2:], regime)
    for end in range(len(rest), 0, -1):
        if (key := ".".join(map(str, rest[:end]))) in keys:
            return keys[key]
    deeper = [key for key in keys if key.startswith(".".join(map(str, rest)) + ".")]
    if deeper and not any(_stands(raw, (*root, *rest)) for root in (own, ("defaults",))):
        return keys[deeper[0]]
    return _written(raw, own, rest, points, missing)


def _written(raw: Raw, own: Place, rest: Place, points: Sequence[Place] = (), missing: bool = False) -> Place:
    """Return where an entry of a regime is written: in a point of its sweep, itself, the defaults, or a preset."""
    roots = [*points, own, ("defaults",)]
    for known in (rest[:-1],) if missing else (rest, rest[:-1]):
        for root in roots if known else ():
            if _stands(raw, (*root, *known)):
                return (*root, *rest)
        for root in roots if known else ():
            names = _value(raw, (*root, "from")) if _stands(raw, (*root, "from")) else []
            named = [names] if isinstance(names, str) else names
            if any(_stands(presets(), (name, *known)) for name in named if isinstance(name, str)):
                return (*root, "from")
    return (*own, *rest)


def _sweep(at: Raw, own: Place, raw: Raw) -> tuple[dict[str, Place], list[Place]]:
    """Return the places of the values of each swept key, and the named points that were laid over the regime."""
    keys, points = dict[str, Place](), list[Place]()
    for axis, value in at.items():
        written = [root for root in (own, ("defaults",)) if _stands(raw, (*root, "sweep", axis))]
        place = (*written[0], "sweep", axis) if written else _written(raw, own, ("sweep", axis))
        values = _value(raw, place) if written else None
        if isinstance(values, Mapping):
            points += [(*place, name) for name in values if scalar(name) == value]
        else:
            keys[axis] = place
    return keys, points


def _ungridded(rest: Place, regime: Raw) -> Place:
    """Return the place in the list as written, before its grids were written out."""
    if len(rest) < 2 or rest[0] not in ("clips", "regularizations") or not isinstance(rest[1], int):
        return rest
    return (rest[0], list(origins(regime.get(rest[0])))[rest[1]], *rest[2:])


def _stands(raw: Any, place: Place) -> bool:
    try:
        _value(raw, place)
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _value(raw: Any, place: Place) -> Any:
    for part in place:
        raw = raw[part]
    return raw
