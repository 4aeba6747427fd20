"""Reading a configuration: YAML -> one frozen, typed `Study`, or every error at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from pydantic import ValidationError

from study.config import Study
from study.parameters import first_duplicate


class ConfigError(ValueError):
    """A configuration that cannot be used; `messages` has one line for each thing to mend."""

    def __init__(self, source: str, messages: list[str]) -> None:
        self.messages = messages
        count = "1 error" if len(messages) == 1 else f"{len(messages)} errors"
        super().__init__("\n".join([f"{count} in {source}", *(f"  {line}" for line in messages)]))


def parse(raw: Mapping[str, Any], source: str = "the configuration") -> Study:
    """The typed study of a raw mapping, whose `defaults` every regime starts from.

    Raises `ConfigError` with one line for each error, as "key: The 'p' parameter of ... must be ... Got ... instead."
    """
    given = {key: value for key, value in raw.items() if key != "defaults"}
    defaults = raw.get("defaults") or {}
    if not isinstance(defaults, Mapping):
        wanted = "must be a mapping of what every regime starts from"
        raise ConfigError(source, [f"defaults: The 'defaults' parameter of study {wanted}. Got {defaults!r} instead."])
    if isinstance(given.get("regimes"), Mapping):
        given["regimes"] = {
            name: merge(defaults, regime if regime is not None else {}) for name, regime in given["regimes"].items()
        }
    try:
        return Study.model_validate(given)
    except ValidationError as error:
        raise ConfigError(source, list(dict.fromkeys(_messages(error, raw)))) from None


class _OnceLoader(yaml.SafeLoader):
    """YAML in which a key may stand once in its mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
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


def merge(base: Mapping[str, Any], over: Any) -> Any:
    """`over` laid on `base`, mapping by mapping; one that names another method replaces the base's."""
    if not isinstance(over, Mapping):
        return over
    if "name" in over and over["name"] != base.get("name", over["name"]):
        return dict(over)
    both = {k: merge(base[k], v) if isinstance(base.get(k), Mapping) else v for k, v in over.items()}
    return {**base, **both}


def _messages(error: ValidationError, raw: Mapping[str, Any]) -> Iterator[str]:
    for line in error.errors(include_url=False):
        loc = tuple(part for part in line["loc"] if part != "[key]")
        key = ".".join(str(part) for part in _origin(loc, raw))
        yield f"{key}: {line['msg']}" if key else line["msg"]


def _origin(loc: tuple[Any, ...], raw: Mapping[str, Any]) -> tuple[Any, ...]:
    """Where the user wrote it: a regime's key that stands in `defaults` is named there."""
    general = ("defaults", *loc[2:])
    if loc[:1] != ("regimes",) or len(loc) < 3 or _stands(raw, loc):
        return loc
    parent_is_general = len(loc) > 3 and not _stands(raw, loc[:-1]) and _stands(raw, general[:-1])
    return general if _stands(raw, general) or parent_is_general else loc


def _stands(raw: Any, loc: tuple[Any, ...]) -> bool:
    for part in loc:
        try:
            raw = raw[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True
