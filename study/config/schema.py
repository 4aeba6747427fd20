"""JSON schema of a configuration file."""

from __future__ import annotations

from typing import Any

from study.config.study import Study
from study.config.sweeps import presets


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of a configuration: of `Study`, and of what is written out before it is read.

    The latter are the `defaults` of regimes, their presets and sweeps, and the grids of their methods.
    """
    schema = Study.model_json_schema()
    schema["properties"]["defaults"] = {"$ref": "#/$defs/Regime"}
    regime = schema["$defs"]["Regime"]["properties"]
    regime |= {"from": _from_schema(), "sweep": SWEEP_SCHEMA}
    for methods in ("clips", "regularizations"):
        regime[methods]["items"] = _with_grids(regime[methods]["items"])
    return schema


SWEEP_SCHEMA = {
    "description": "Keys with the values that they take in turn, or names with points to lay over the regime.",
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {
        "anyOf": [
            {"type": "array", "minItems": 1},
            {"type": "object", "minProperties": 1, "additionalProperties": {"type": "object"}},
        ]
    },
}


def _from_schema() -> dict[str, Any]:
    names = {"enum": list(presets())}
    description = "Presets to start from, each laid on those before it."
    return {"description": description, "anyOf": [names, {"type": "array", "items": names}]}


def _with_grids(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a method, or of several, that allows a grid of values for each parameter."""
    if "anyOf" in entry:
        return {**entry, "anyOf": [_with_grids(one) for one in entry["anyOf"]]}
    if "items" in entry:
        return {**entry, "items": _with_grids(entry["items"])}
    if "properties" not in entry:
        return entry
    parameters = entry["properties"].items()
    return {**entry, "properties": {key: value if key == "name" else _or_grid(value) for key, value in parameters}}


def _or_grid(parameter: dict[str, Any]) -> dict[str, Any]:
    notes: dict[str, Any] = {key: parameter[key] for key in ("title", "description", "default") if key in parameter}
    plain = {key: value for key, value in parameter.items() if key not in notes}
    grid = {
        "type": "object",
        "properties": {"grid": {"type": "array", "items": plain, "minItems": 1}},
        "required": ["grid"],
        "additionalProperties": False,
    }
    return {**notes, "anyOf": [plain, grid]}
