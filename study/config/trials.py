"""Trials: learning rates and strengths to try for a method, quasi-random over logarithmic ranges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from study.clipping import Clipping
from study.config.tuning import Tuning
from study.methods.base import Method
from study.methods.ranges import LogRange
from study.optim.optimizers import Optimizer
from study.parameters import listed
from study.regularization import Regularization

LR = "lr"
MOST_DIMENSIONS = 8  # a method uses the first columns, the same ones for all methods


@cache
def design(trials: int, seed: int) -> NDArray[np.float64]:
    """Return points of a scrambled Sobol sequence in the unit cube, [trials, 8], the same for every method.

    Source: Sobol' 1967; Owen 1998 for the scrambling; `scipy.stats.qmc.Sobol`.
    """
    from scipy.stats.qmc import Sobol  # trainings of no trials need not load it

    points = Sobol(MOST_DIMENSIONS, rng=seed).random_base2((trials - 1).bit_length())[:trials]
    points.flags.writeable = False
    return points


def range_of(method: Method, tuning: Tuning) -> LogRange | None:
    """Return the range over which a method's strength, or an optimizer's learning rate, is tuned; None without one."""
    if method.search is None:
        return None
    key = LR if isinstance(method, Optimizer) else method.name
    ends = tuning.widened.get(key) or tuning.ranges.get(key) or (method.search.low, method.search.high)
    return replace(method.search, low=ends[0], high=ends[1])


def tried(method: Method, tuning: Tuning, u: float) -> Method:
    """Return the method with its tuned parameter at the point u in [0, 1] of its range.

    Raises ValueError if that is no valid value of the parameter.
    """
    span = range_of(method, tuning)
    assert span is not None  # callers pass only methods with a range
    return method.model_validate({**method.model_dump(), span.parameter: span.at(u)})


def at_point(methods: Sequence[Method], tuning: Tuning, point: Sequence[float]) -> list[Method]:
    """Return methods with their tuned parameters at a point of the design, one coordinate each, in order."""
    places = iter(point)
    return [one if one.search is None else tried(one, tuning, next(places)) for one in methods]


# ------------------------------------------------------------------ checks of a regime with trials


def with_middles(raw: Any) -> Any:
    """Return a raw regime with trials in which each missing strength is the middle of its range, a placeholder."""
    if not isinstance(raw, Mapping) or not trials_in(raw.get("tuning")):
        return raw
    kinds: Mapping[str, type[Method]] = {"clips": Clipping, "regularizations": Regularization}
    found = {key: _each(raw[key], family) for key, family in kinds.items() if isinstance(raw.get(key), list | tuple)}
    if isinstance(raw.get("pairs"), list | tuple):
        found["pairs"] = [_pair(one) for one in raw["pairs"]]
    return {**raw, **found}


def trials_in(tuning: Any) -> bool:
    """Return whether a tuning, read or raw, uses trials."""
    return bool(tuning.get("trials") if isinstance(tuning, Mapping) else getattr(tuning, "trials", None))


def _each(entries: Sequence[Any], family: type[Method]) -> list[Any]:
    return [_each(one, family) if isinstance(one, list | tuple) else _with_middle(one, family) for one in entries]


def _pair(pair: Any) -> Any:
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        return pair
    return [*_each(pair[:1], Clipping), *_each(pair[1:], Regularization)]


def _with_middle(entry: Any, family: type[Method]) -> Any:
    given: Any = {"name": entry} if isinstance(entry, str) else entry
    method = family.members.get(str(given.get("name"))) if isinstance(given, Mapping) else None
    if method is None or method.search is None:
        return entry
    return {method.search.parameter: method.search.middle, **given}


def faults(methods: Sequence[Method], optimizer: Optimizer, field: str) -> Iterator[tuple[str, str, object]]:
    """Yield what keeps methods from being tuned by trials, as (parameter, what it must do, what was given)."""
    for method in methods:
        if method.name == "none":
            continue
        if method.search is None:
            yield field, "have methods with a range to tune in, declared as their 'search'", f"'{method.name}'"
        elif getattr(method, parameter := method.search.parameter) != method.search.middle:
            got = f"{getattr(method, parameter)} for '{method.name}'"
            yield field, f"leave out '{parameter}', which the trials choose", got
    if optimizer.search is None:
        yield "optimizer", "have a range of its learning rate, declared as its 'search'", f"'{optimizer.name}'"


def wrong_ranges(methods: Sequence[Method], optimizer: Optimizer, tuning: Tuning) -> Iterator[tuple[str, str, object]]:
    """Yield ranges of methods that are absent, with invalid values, or that widen nothing."""
    known: dict[str, Method] = {LR: optimizer, **{one.name: one for one in methods if one.search}}
    for key, ends in {**tuning.ranges, **tuning.widened}.items():
        if key not in known:
            yield "tuning", f"give ranges of its methods, which are {listed(sorted(known))}", f"'{key}'"
        elif problem := _unfit(known[key], tuning):
            yield "tuning", f"give '{key}' a range of values that it can take ({problem})", list(ends)
    for key, (low, high) in tuning.widened.items():
        if (method := known.get(key)) and (search := method.search):
            before = tuning.ranges.get(key, (search.low, search.high))
            if not (low <= before[0] and high >= before[1] and (low, high) != tuple(before)):
                yield "tuning", f"widen '{key}' to a range that holds the one before, {list(before)}", [low, high]


def _unfit(method: Method, tuning: Tuning) -> str:
    """Return why an end of a method's range is no valid value of its parameter; "" if both are valid."""
    try:
        for u in (0.0, 1.0):
            tried(method, tuning, u)
    except ValueError as error:
        lines = error.errors() if isinstance(error, ValidationError) else [{"msg": str(error)}]
        return str(lines[0]["msg"])
    return ""
