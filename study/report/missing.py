"""Parts of a study that its tables do not hold yet, where a report is made before all is trained."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from study.config.study import Study
from study.config.variants import Block, Variant, expand
from study.results.store import Tables

Row = dict[str, object]


def planned_runs(study: Study) -> int:
    """The runs that a whole study evaluates."""
    return len(expand(study)) * len(study.seeds)


def missing_rows(study: Study, tables: Tables) -> list[Row]:
    """A row for each variant without its runs, and for each candidate of the tuning without its own; none if whole."""
    return [*_evaluated(study, tables), *_tuned(study, tables)]


def _evaluated(study: Study, tables: Tables) -> Iterator[Row]:
    runs = tables["runs"]
    there = runs.groupby(["regime", "clip", "regularization"])["seed"].agg(set).to_dict()
    chosen = _seeds_by_method(runs) if study.tried_regimes else {}
    for one in expand(study):
        key = (one.regime, one.clip_label, one.regularization_label)
        found = chosen.get((one.regime, *_methods(one))) if one.tuned else there.get(key)
        if lacking := {*study.seeds} - (found or set()):
            yield _row(*key, f"seeds {Block(tuple(lacking)).name}")


def _seeds_by_method(runs: pd.DataFrame) -> dict[tuple[str, str, str], set[int]]:
    """The seeds of each method of a regime, whatever strength trials chose for it."""
    found: dict[tuple[str, str, str], set[int]] = {}
    names = runs[["regime", "clip_method", "regularization_method"]].astype(str)
    for key, seed in zip(names.itertuples(index=False, name=None), runs["seed"], strict=True):
        found.setdefault(key, set()).add(int(seed))
    return found


def _methods(one: Variant) -> tuple[str, str]:
    return one.clip.name, " + ".join(part.name for part in one.regularization)


def _tuned(study: Study, tables: Tables) -> Iterator[Row]:
    """From `tuning`, in which 'none' stands with every method that it is a candidate of."""
    seen = set[tuple[str, str, str]]()
    for row in tables["tuning"].to_dict("records") if "tuning" in tables else ():
        clip, regularizer = (row["label"], "none") if row["kind"] == "clip" else ("none", row["label"])
        tuning = study.regimes[row["regime"]].tuning
        asked = len(tuning.seeds) * (tuning.folds or 1) if tuning else 0
        cell = (row["regime"], clip, regularizer)
        if row["n"] < asked and cell not in seen:
            seen.add(cell)
            yield _row(*cell, f"{asked - row['n']} runs of the tuning")


def _row(regime: str, clip: str, regularization: str, what: str) -> Row:
    return {"regime": f"`{regime}`", "clip": f"`{clip}`", "regularizer": f"`{regularization}`", "missing": what}
