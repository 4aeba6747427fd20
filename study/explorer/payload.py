"""Payload of the explorer: the tables of a study, what their columns mean, and names and colours of methods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from study.analysis.columns import DICTIONARY
from study.analysis.regimes import REGIMES
from study.explorer.curves import epoch_curves, numbers, step_curves
from study.figures._style import by_method, style_for
from study.methods.labels import NONE, method_of
from study.methods.phrases import cell_phrase, phrase, regime_phrase, short_name, told_of
from study.results.columns import EPOCHS, RUNS, SHARE, STEPS, WHEN, Column
from study.results.provenance import COLUMNS as ORIGIN
from study.results.store import KEYS, Tables
from study.results.terms import column_of, of_tables, sample_nouns
from study.results.workload_columns import WORKLOADS

NUMBERS = 700_000
"""Values of curves in a page, each about three bytes of it."""
RUN = list(KEYS[1:])
SHOWN = ("runs", "summary", "comparisons", "ranking", "tuning", "trials", "leaderboard", "provenance")
"""Tables that a page holds whole."""
STEP_CURVES = ("norm_before", "norm_after", "fired", "loss", "update_ratio")
SPREAD = ("norm_before",)
DIGEST = 12  # digits of a run's digest that a page holds: enough to tell runs apart
DIVERGED = Column("diverged", "runs that diverged", "Share of runs whose status is not `ok`.", SHARE, -1, True)
CLIP_AT = "workload.clip_at"  # the key that says what a federated training clips
Json = dict[str, Any]


@dataclass(frozen=True)
class About:
    """Descriptions of a study and of its regimes, by name, and its primary metric, as its configuration gives them.

    units: what the epochs of a regime count, where they are no epochs. at_updates: regimes whose clips act on the
    updates of clients.
    """

    description: str = ""
    primary: str = ""
    regimes: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    at_updates: Sequence[str] = ()


def payload(studies: Sequence[Json], differences: pd.DataFrame | None = None, only: Sequence[Json] = ()) -> Json:
    """Return the payload of a page for one study, or for two with their differences."""
    titles = {name: {c.name: _column(c) for c in table.columns} for name, table in DICTIONARY.items()}
    compared = None if differences is None else encoded(differences)
    return {"studies": list(studies), "columns": titles, "differences": compared, "only": list(only)}


def study_payload(name: str, tables: Tables, about: About | None = None, origins: pd.DataFrame | None = None) -> Json:
    """Return what a page holds of a study; tables that are not there are left out, and so are the views of them.

    origins: the runs with the columns of their provenance.
    """
    about = about or About()
    held = {key: tables[key] for key in SHOWN if key in tables}
    found: Json = {"name": name, "about": about.description, "metrics": metrics(tables.get("runs"))}
    found["primary"] = about.primary
    found["labels"] = _labels(tables, about)
    if "runs" in held:
        found["curves"] = _curves(tables)
        found["origins"] = _origins(held["runs"], origins)
        held["runs"] = held["runs"].assign(digest=held["runs"]["digest"].astype(str).str[:DIGEST])
    found["tables"] = {key: encoded(table.drop(columns="study", errors="ignore")) for key, table in held.items()}
    return found


def metrics(runs: pd.DataFrame | None) -> list[Json]:
    """Return what can be chosen to look at: the metrics of `runs` that it has, and numeric columns nobody declared.

    `base` is the metric at the last epoch, `at` is "best" for one at the best validation epoch.
    """
    declared = [column for column in RUNS.columns if column.metric and (runs is None or column.name in runs)]
    numeric = [] if runs is None else [str(name) for name in runs.select_dtypes("number")]
    known = _of_workloads("runs", [] if runs is None else runs.columns)
    words = of_tables({} if runs is None else {"runs": runs})
    new = [known.get(name) or _undeclared(name) for name in numeric if name not in set(RUNS.names)]
    return [_metric(column_of(column, words)) for column in (*declared, DIVERGED, *new)]


def _of_workloads(table: str, columns: Iterable[str]) -> dict[str, Column]:
    """The columns that the workloads of a table with these columns add to it, by name."""
    there = set(columns)
    each = [own.get(table, ()) for own in WORKLOADS.values()]
    added = [own for own in each if there.issuperset(one.name for one in own)]
    return {column.name: column for own in added for column in own}


def _undeclared(name: str) -> Column:
    return Column(name, name.replace("_", " "), "")


def _metric(column: Column) -> Json:
    at = next(prefix for prefix in sorted(WHEN, reverse=True) if column.name.startswith(prefix))
    at = "" if column.name == "best_epoch" else at
    return {"name": column.name, "base": column.name.removeprefix(at), "at": at.rstrip("_") or "last"} | _column(column)


def encoded(table: pd.DataFrame) -> Json:
    """Return a table by columns: numbers as they are, texts as codes of their levels."""
    return {"rows": len(table), "columns": {str(name): _encoded(table[name]) for name in table}}


def _encoded(values: pd.Series[Any]) -> Json:
    if pd.api.types.is_bool_dtype(values.dtype):
        return {"bool": [int(value) for value in values]}
    if pd.api.types.is_numeric_dtype(values.dtype):
        return {"values": numbers(values.to_numpy(np.float64, na_value=np.nan), None)}
    codes, levels = pd.factorize(values.fillna("").astype(str))
    return {"levels": levels.tolist(), "codes": codes.tolist()}


def _column(column: Column) -> Json:
    unit = asdict(column.unit)
    return {"title": column.title, "meaning": column.meaning, "better": column.better, "unit": unit}


def _curves(tables: Tables) -> Json:
    """The learning curves and the step curves, which share the budget of values."""
    runs = pd.MultiIndex.from_frame(tables["runs"][RUN])
    found: Json = {}
    left = NUMBERS
    for name, declared in (("epochs", EPOCHS), ("steps", STEPS)):
        table = tables.get(name)
        if table is None or table.empty:
            continue
        columns = _drawable(table, [c.name for c in declared.columns] if name == "epochs" else STEP_CURVES)
        if name == "epochs":
            found[name] = epoch_curves(table, runs, columns, NUMBERS // 2)
            left -= sum(map(len, found[name]["columns"].values()))
        else:
            found[name] = step_curves(table, runs, columns, [one for one in SPREAD if one in columns], left)
        words = of_tables(tables)
        told = {c.name: column_of(_curve_title(c), words) for c in declared.columns if c.name in columns}
        found[name]["titles"] = {key: _column(column) for key, column in told.items()}
        known = _of_workloads(name, table.columns)
        new = [known.get(one) or _undeclared(one) for one in columns if one not in declared.names]
        found[name]["titles"] |= {one.name: _column(one) for one in new}
    return found


def _curve_title(column: Column) -> Column:
    return replace(column, meaning=column.meaning.partition(": mean over")[0].rstrip(".") + ".")


def _drawable(table: pd.DataFrame, wanted: Iterable[str]) -> list[str]:
    """The numeric columns to draw: those wanted, and of epochs also those that nobody declared."""
    wanted = list(wanted)
    new = [str(name) for name in table.select_dtypes("number") if name not in {*EPOCHS.names, *STEPS.names}]
    skipped = {*KEYS, "epoch", "step", "last_step"}
    return [name for name in (*wanted, *new) if name in table and name not in skipped and table[name].notna().any()]


def _origins(runs: pd.DataFrame, origins: pd.DataFrame | None) -> Json:
    """The distinct provenances, and the one of each run; none where it is not known."""
    if origins is None or origins.empty:
        return {"facts": [], "of": []}
    by_run = origins.set_index(RUN)[list(ORIGIN)].astype(str)
    by_run = by_run[~by_run.index.duplicated()].reindex(pd.MultiIndex.from_frame(runs[RUN]))
    facts = by_run.dropna().drop_duplicates()
    places = {tuple(row): at for at, row in enumerate(facts.to_numpy().tolist())}
    return {"facts": facts.to_dict("records"), "of": [places.get(tuple(row)) for row in by_run.to_numpy().tolist()]}


def _labels(tables: Tables, about: About) -> Json:
    """Names for people of clips, regularizers and regimes, and the colours that figures give them."""
    found: Json = {}
    looks = {kind: _distinct(tables, kind) for kind in ("clip", "regularization")}
    style = by_method(style_for(looks["clip"], looks["regularization"]))
    samples = _samples(tables, about)
    for kind, colours in (("clip", style.clips), ("regularization", style.regularizations)):
        names = [NONE, *(label for label in looks[kind] if label != NONE)]
        found[kind] = {
            label: {
                "text": told_of(phrase(kind, label), {method_of(label): samples.get(label, ("sample",))}),
                "color": colours[method_of(label)].color,
            }
            for label in names
        }
        methods = dict.fromkeys(map(method_of, looks[kind])) | dict.fromkeys(_methods(tables, kind))
        found["methods"] = found.get("methods", {}) | {f"{kind} {name}": short_name(name) for name in methods}
    found["regime"] = _regimes(tables, about)
    found["baseline"] = cell_phrase(NONE, NONE)
    return found


def _samples(tables: Tables, about: About) -> dict[str, list[str]]:
    """What a clip takes for a sample in the regimes that have it, by its label, where that is not always a sample."""
    places = tables["regimes"].fillna("").astype(str) if "regimes" in tables else pd.DataFrame(columns=REGIMES)
    moved = (places["axis"] == CLIP_AT) & (places["value"] == "update")
    fixed = places[["regime", "part_of"]].isin(about.at_updates).any(axis=1)
    swept = places.loc[places["axis"] == CLIP_AT, "regime"]
    at_updates = {*about.at_updates, *places.loc[fixed & ~places["regime"].isin(swept) | moved, "regime"]}
    held = [tables[name][["regime", "clip"]] for name in ("runs", "summary", "comparisons", "trials") if name in tables]
    each = (pair for table in held for pair in table.drop_duplicates().itertuples(index=False))
    return sample_nouns((str(clip), regime in at_updates) for regime, clip in each)


def _methods(tables: Tables, kind: str) -> list[str]:
    """The methods in the order over all workloads."""
    return list(tables["leaderboard"][f"{kind}_method"].astype(str)) if "leaderboard" in tables else []


def _distinct(tables: Tables, column: str) -> list[str]:
    held = [tables[name] for name in ("runs", "summary", "comparisons") if name in tables]
    labels = dict.fromkeys(str(label) for table in held for label in table[column].unique())
    if "tuning" in tables:
        own = tables["tuning"][tables["tuning"]["kind"] == column]
        labels |= dict.fromkeys(str(label) for label in own["label"].unique())
    if "trials" in tables:
        labels |= dict.fromkeys(str(label) for label in tables["trials"][column].unique())
    return list(labels)


def _regimes(tables: Tables, about: About) -> Json:
    """Each regime's name for people and its description, in the order of the study."""
    names = _distinct(tables, "regime")
    points: dict[str, tuple[str, list[tuple[str, str]]]] = {}
    for row in tables["regimes"].fillna("").astype(str).to_dict("records") if "regimes" in tables else ():
        points.setdefault(row["regime"], (row["part_of"], []))[1].append((row["axis"], row["value"]))
    order = [name for name in points if name in set(names)] + [name for name in names if name not in points]
    return {
        name: {
            "text": regime_phrase(name, *points.get(name, ("", []))),
            "about": _of_regime(about.regimes, name, points) or "",
            "unit": _of_regime(about.units, name, points) or "epoch",
        }
        for name in order
    }


def _of_regime(told: Mapping[str, str], name: str, points: Mapping[str, tuple[str, object]]) -> str | None:
    """Of a regime, else of the sweep that it is a point of."""
    return told.get(name, told.get(points[name][0] if name in points else ""))
