"""An answer to a user's question: in words, with the figure that shows it and the numbers behind it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from study.analysis.regimes import REGIMES
from study.figures._style import Tables
from study.methods.labels import method_of
from study.report.format import number

Row = dict[str, object]
LR = "optimizer.lr"
KINDS = {"clip": "clip", "regularization": "regularizer"}


@dataclass(frozen=True)
class Answer:
    """A question with its answer in a sentence, what that rests on, how to read the rows, figures, and the rows.

    `figures`: names of those that show it, the best first; a study has them or not. No rows: no answer.
    """

    question: str
    short: str
    words: str
    reading: str
    figures: tuple[str, ...]
    rows: list[Row]


def cell(tables: Tables, regime: object, clip: object = "none", regularization: object = "none") -> pd.DataFrame:
    """The runs of one variant."""
    runs = tables["runs"]
    return runs[(runs["regime"] == regime) & (runs["clip"] == clip) & (runs["regularization"] == regularization)]


def fails(runs: pd.DataFrame) -> bool:
    """Whether some run of a variant diverged or ended at chance."""
    return bool((runs["status"] != "ok").any())


BY_LOSS, BY_ACCURACY = "chosen", "chosen_by_accuracy"
SELECTED_BY = {BY_LOSS: "validation loss", BY_ACCURACY: "validation accuracy"}
"""The columns of `tuning` that say what was chosen, the one that tuning goes by first, and what they go by."""


def chosen(tables: Tables, by: str = BY_LOSS) -> pd.DataFrame:
    """What tuning chose, with `rates`: the number of learning rates that it chose among, 0 where they are not swept."""
    columns = ["setting", "kind", "method", "regime", "label", *SELECTED_BY]
    tuning = tables.get("tuning", pd.DataFrame(columns=columns))
    regimes = _regimes(tables)
    rates = regimes[regimes["axis"] == LR].set_index("regime")["number"]
    at = tuning.assign(rate=tuning["regime"].map(rates))
    among = at.groupby(["setting", "kind", "method"])["rate"].transform("nunique")
    return tuning.assign(rates=among)[tuning[by].astype(bool)]


def _regimes(tables: Tables) -> pd.DataFrame:
    """Where each regime stands in its sweep; nothing where a study has no such table."""
    return tables.get("regimes", pd.DataFrame(columns=list(REGIMES)))


SHOWN_BY_LOSS = (
    "The figure marks the choice by validation loss; that by accuracy is in `tuning.csv`, `chosen_by_accuracy`."
)


def none_of(choices: pd.DataFrame, row: pd.Series) -> pd.Series:
    """What was chosen for none in the setting of a choice."""
    same = (choices["setting"] == row["setting"]) & (choices["kind"] == row["kind"]) & (choices["method"] == "none")
    return choices[same].iloc[0]


def with_none(tables: Tables, by: str) -> list[tuple[pd.Series, pd.Series]]:
    """Each method as chosen, with none as chosen in the same setting."""
    choices = chosen(tables, by)
    return [(row, none_of(choices, row)) for _, row in choices[choices["method"] != "none"].iterrows()]


STEPS = ("sign", "normalized")  # give every step its length, and so are no bound from above


def bounds(clip: object) -> bool:
    """Whether a label is that of a clip proper, which bounds the gradient from above."""
    return method_of(str(clip)) not in ("none", *STEPS)


def run_of(tables: Tables, row: pd.Series) -> pd.DataFrame:
    """The runs of a candidate of tuning."""
    return cell(tables, row["regime"], **{str(row["kind"]): row["label"]})


def place(tables: Tables, name: object) -> str:
    """A regime or a tuned setting in prose: "`memorize`", "`optimizers` at optimizer adam", "`decades`"."""
    regimes = _regimes(tables)
    own = regimes[regimes["regime"] == name]
    if own.empty:
        own = regimes[regimes["setting"] == name]
    axes = own[own["axis"].fillna("").astype(str) != ""]
    if axes.empty:
        return f"`{name}`"
    parts = [part for _, part in axes.groupby("axis", sort=False)]
    points = [axis_value(part.iloc[0]) for part in parts if (part["value"] == part["value"].iloc[0]).all()]
    start = f"`{axes['part_of'].iloc[0]}`"
    return f"{start} at {', '.join(points)}" if points else start


def axis_value(row: pd.Series) -> str:
    """A point of a sweep's axis: "learning rate 0.01"."""
    return f"{axis_name(str(row['axis']))} {point(row)}"


NAMES = {LR: "learning rate", "data.train_size": "training size", "model.init": "initialisation"}


def axis_name(axis: str) -> str:
    """A key of a sweep in prose: "data.label_noise" -> "label noise"."""
    return NAMES.get(axis, axis.split(".")[-1].replace("_", " "))


def point(row: Mapping[Hashable, Any] | pd.Series) -> str:
    """The value of a point, numbers without trailing zeros."""
    value = float(row["number"])
    return str(row["value"]) if pd.isna(value) else f"{value:,.10g}"


def swept(tables: Tables, axis: str) -> pd.DataFrame:
    """The points of the sweeps over a key, in their order, with `others`: all that a point shares but the key."""
    regimes = _regimes(tables)
    if regimes.empty:
        return regimes.assign(others="")
    rest = regimes[regimes["axis"] != axis]
    others = {str(name): ", ".join(axis_value(row) for _, row in part.iterrows() if row["axis"] == row["axis"])
              for name, part in rest.groupby("regime", sort=False)}  # fmt: skip
    own = regimes[regimes["axis"] == axis]
    return own.assign(others=own["regime"].map(others).fillna("")).sort_values(["part_of", "position"], kind="stable")


def listed(texts: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(texts[:-1]), *texts[-1:]] if len(texts) > 1 else texts)


def count(n: int, one: str, more: str = "") -> str:
    """`1 setting`, `2 settings`."""
    return f"{n} {one if n == 1 else more or one + 's'}"


def span(values: Sequence[float], unit: str = "") -> str:
    """`0.2 to 1.5`, or the one value."""
    low, high = number(min(values)), number(max(values))
    return f"{low}{unit}" if low == high else f"{low} to {high}{unit}"


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]
