"""Table of a study's regimes: the keys that each sweep varied, and the place of each regime on it."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from study.config.regime import Regime
from study.config.study import Study

REGIMES = ("study", "regime", "part_of", "setting", "axis", "value", "number", "position")
"""A row for each regime and key that its sweep varies; a regime by itself has one row without a key."""


def regime_table(study: Study) -> pd.DataFrame:
    """Return the regimes of a study in order, columns `REGIMES`.

    `value` is the swept key's value as text, `number` the same if it is a number, `position` its place on the axis from
    0; `setting` names the setting in which strengths are tuned, empty without tuning.
    """
    return pd.DataFrame(list(_rows(study)), columns=list(REGIMES))


def _rows(study: Study) -> Iterator[dict[str, object]]:
    for name, regime in study.regimes.items():
        own = {"study": study.name, "regime": name, "part_of": regime.part_of}
        own["setting"] = (regime.setting or name) if regime.tuning else ""
        for axis, value in (regime.at or {"": ""}).items():
            values = list(dict.fromkeys(one.at.get(axis) for one in _siblings(study, regime.part_of)))
            number = float(value) if isinstance(value, int | float) else float("nan")
            position = values.index(value) if axis else 0
            yield {**own, "axis": axis, "value": str(value), "number": number, "position": position}


def _siblings(study: Study, part_of: str) -> list[Regime]:
    return [regime for regime in study.regimes.values() if regime.part_of == part_of]
