"""Reading a configuration: YAML -> one frozen, typed `Study`, or every error at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from pydantic import ValidationError

from study.config import Study
from study.methods import Method
from study.parameters import first_duplicate
from study.regimes import Regime
from study.sweeps import Raw, SweepError, on_presets, origins, scalar, spread

Place = tuple[Any, ...]
"""The keys and positions that lead to something in a configuration."""


class ConfigError(ValueError):
    """A configuration that cannot be used; `messages` has one line for each thing to mend."""

    def __init__(self, source: str, messages: list[str]) -> None:
        self.messages = messages
        count = "1 error" if len(messages) == 1 else f"{len(messages)} errors"
        super().__init__("\n".join([f"{count} in {source}", *(f"  {line}" for line in messages)]))


def parse(raw: Raw, source: str = "the configuration") -> Study:
    """The typed study of a raw mapping, whose `defaults` every regime starts from.

    Raises `ConfigError` with one line for each error, as "key: The 'p' parameter of ... must be ... Got ... instead."
    """
    given = {key: value for key, value in raw.items() if key != "defaults"}
    defaults = raw.get("defaults") or {}
    if not isinstance(defaults, Mapping):
        wanted = "must be a mapping of what every regime starts from"
        raise ConfigError(source, [f"defaults: The 'defaults' parameter of study {wanted}. Got {defaults!r} instead."])
    errors: list[str] = []
    if isinstance(given.get("regimes"), Mapping):
        given["regimes"], errors = _written_out(defaults, given["regimes"])
    try:
        study = Study.model_validate(given)
    except ValidationError as error:
        errors += _messages(error, raw, given.get("regimes"))
    if errors:
        raise ConfigError(source, list(dict.fromkeys(errors)))
    return study


def _written_out(defaults: Raw, regimes: Mapping[Any, Any]) -> tuple[dict[str, Any], list[str]]:
    """Every regime on its presets and the defaults, each sweep as all that it stands for; and what is wrong in them."""
    found, errors = dict[str, Any](), list[str]()
    try:
        defaults = on_presets({}, defaults)
    except SweepError as error:
        errors.append(f"defaults.{error.parameter}: {error}")
        defaults = {}
    for name, regime in regimes.items():
        try:
            more = _standing_for(str(name), defaults, {} if regime is None else regime)
            if twin := next((one for one in more if one in found or (one in regimes and one != name)), None):
                raise SweepError("sweep", "make regimes by other names than those there are", twin)
        except SweepError as error:
            general = error.parameter in defaults and error.parameter not in (regime or {})
            place = "defaults" if general else f"regimes.{name}"
            errors.append(f"{place}.{error.parameter}: {error}")
            more = {str(name): {}}  # so that all else is still checked
        found |= more
    return found, errors


def _standing_for(name: str, defaults: Raw, regime: Any) -> dict[str, Any]:
    if not isinstance(regime, Mapping):
        return {name: regime}
    return dict(spread(name, on_presets(defaults, regime), DEFAULT_METHODS))


DEFAULT_METHODS = {
    key: field.default.model_dump(mode="json")
    for key, field in Regime.model_fields.items()
    if isinstance(field.default, Method)
}


MERGE = "tag:yaml.org,2002:merge"  # the key `<<`, which lays one mapping under another


class _OnceLoader(yaml.SafeLoader):
    """YAML in which a key may stand once in its mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value if key.tag != MERGE]
        if (twin := first_duplicate(keys, repr)) is not None:
            line = node.start_mark.line + 1
            raise ConfigError(
                str(self.name), [f"The key {twin} must stand once in the mapping at line {line}. Got it twice instead."]
            )
        return super().construct_mapping(node, deep)


def refuse_twins(path: str) -> None:
    """Raise `ConfigError` where a key stands twice in a mapping of a YAML file: the last would win unseen."""
    with open(path, encoding="utf-8") as file:
        yaml.load(file, _OnceLoader)


def _messages(error: ValidationError, raw: Raw, written: Any) -> Iterator[str]:
    for line in error.errors(include_url=False):
        loc = tuple(part for part in line["loc"] if part != "[key]")
        key = ".".join(str(part) for part in _origin(loc, raw, written))
        yield f"{key}: {line['msg']}" if key else line["msg"]


def _origin(loc: Place, raw: Raw, written: Any) -> Place:
    """Where the user wrote it: in the sweep that made the regime, in the regime, or in the `defaults`."""
    if loc[:1] != ("regimes",) or len(loc) < 2 or not isinstance(written.get(loc[1]), Mapping):
        return loc
    regime = written[loc[1]]
    swept = loc[1] not in map(str, raw["regimes"])
    own: Place = ("regimes", regime["part_of"] if swept else loc[1])
    keys, points = _sweep(regime["at"], own, raw) if swept else ({}, [])
    rest = _ungridded(loc[2:], regime)
    for end in range(len(rest), 0, -1):
        if (key := ".".join(map(str, rest[:end]))) in keys:
            return keys[key]
    roots = [*points, own, ("defaults",)]
    for known in (rest, rest[:-1]):
        for root in roots:
            if known and _stands(raw, (*root, *known)):
                return (*root, *rest)
    return (*own, *rest)


def _sweep(at: Raw, own: Place, raw: Raw) -> tuple[dict[str, Place], list[Place]]:
    """Where the values stand of each key that is swept, and the named points that were laid over the regime."""
    keys, points = dict[str, Place](), list[Place]()
    for axis, value in at.items():
        written = [root for root in (own, ("defaults",)) if _stands(raw, (*root, "sweep", axis))]
        place = (*(written or [own])[0], "sweep", axis)
        values = _value(raw, place) if written else None
        if isinstance(values, Mapping):
            points += [(*place, name) for name in values if scalar(name) == value]
        else:
            keys[axis] = place
    return keys, points


def _ungridded(rest: Place, regime: Raw) -> Place:
    """The place in a list whose grids are not written out."""
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
