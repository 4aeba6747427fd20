"""Zeros by L1, and dropout together with L2."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd

from study.figures._style import Tables
from study.methods.labels import method_of
from study.report.format import percent
from study.report.questions.base import Answer, Row, cell, count, place
from study.report.questions.differences import Both
from study.report.questions.strengths import selected

ZEROS = 0.01  # a share of exact zeros below which there are none to speak of


def l1_zeros(tables: Tables) -> Answer:
    """Zeros, small weights and test accuracy of L1 by subgradient and by proximal steps."""
    runs = tables["runs"]
    l1 = runs[(runs["clip"] == "none") & runs["regularization"].str.match(r"^l1(_proximal)?\([^+]*$")]
    columns = ["weight_zero", "weight_small", "test_accuracy"]
    means = l1.groupby(["regime", "regularization"], sort=False)[columns].mean().reset_index()
    rows: list[Row] = [
        {
            "regime": place(tables, row["regime"]),
            "penalty": f"`{row['regularization']}`",
            "exactly zero": percent(row["weight_zero"]),
            "below .001": percent(row["weight_small"]),
            "test accuracy": percent(row["test_accuracy"]),
        }
        for row in means.to_dict("records")
    ]
    return Answer(
        "L1 for zeros: subgradient or proximal?",
        _zero_short(means) if rows else "",
        _zero_words(tables, means) if rows else "",
        "Means over seeds, without a clip. The subgradient steps over zero, the proximal step stops there.",
        ("weights", "claims"),
        rows,
    )


def _most(means: pd.DataFrame) -> dict[str, pd.Series]:
    """The row of each form with the most zeros."""
    proximal = means["regularization"].str.startswith("l1_proximal")
    forms = {"the subgradient": means[~proximal], "proximal steps": means[proximal]}
    return {name: part.iloc[int(part["weight_zero"].argmax())] for name, part in forms.items() if not part.empty}


def _zero_short(means: pd.DataFrame) -> str:
    most = _most(means)
    able = [name for name, row in most.items() if row["weight_zero"] >= ZEROS]
    if len(most) == 1:
        return f"Only {next(iter(most))} was tried, which made {'exact zeros' if able else 'no exact zeros'}."
    if len(able) == 1:
        return f"{able[0].capitalize()} made exact zeros, the other did not."
    return "Both made exact zeros." if able else "Neither made exact zeros at the strengths tried."


def _zero_words(tables: Tables, means: pd.DataFrame) -> str:
    parts = [
        f"{name} at most {percent(row['weight_zero'])} (`{row['regularization']}`)"
        for name, row in _most(means).items()
    ]
    both, strengths = Both(), 0
    for name, one, other in _at_equal_strength(tables, means):
        both.add(name, one, other)
        strengths += 1
    words = f"Of the weights, exactly zero: {', '.join(parts)}."
    if not both.any:
        return f"{words} What zeros cost was not compared."
    told = f"Proximal steps against the subgradient at equal strength, {count(strengths, 'pair')}. {both.tallies}"
    return f"{words} {told}{_at_the_best(tables, means)}"


def _at_the_best(tables: Tables, means: pd.DataFrame) -> str:
    """Each form at its best strength by validation accuracy, those of regimes of the same training among them."""
    best = Both()
    sizes: set[str] = set()
    runs = tables["runs"]
    free = runs[runs["clip"] == "none"]
    for regime, part in means.groupby("regime", sort=False):
        pool = free[free["regime"].isin(twins(tables, str(regime)))]
        forms = [[one for one in pool["regularization"].unique() if method_of(one) == form] for form in FORMS]
        picks = [selected(pool, labels, "validation_accuracy") for labels in forms]
        if all(picks) and part["regularization"].str.startswith(FORMS[0]).any():
            one, two = (_first(pool, pick) for pick in picks)
            best.add(f"`{picks[0]}` against `{picks[1]}` in {place(tables, regime)}", one, two)
            sizes |= {f"{len(forms[0])} and {len(forms[1])}"}
    if not best.any:
        return ""
    return f" At the best of {' or '.join(sorted(sizes))} strengths each, by validation accuracy. {best.tallies}"


def _first(pool: pd.DataFrame, label: str) -> pd.DataFrame:
    """The runs of a label in the first regime that has it."""
    own = pool[pool["regularization"] == label]
    return own[own["regime"] == own["regime"].iloc[0]]


def _at_equal_strength(tables: Tables, means: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    for regime, part in means.groupby("regime", sort=False):
        labels = set(part["regularization"])
        for label in sorted(labels):
            other = label.replace("l1_proximal", "l1")
            if other != label and other in labels:
                one, two = (cell(tables, regime, regularization=which) for which in (label, other))
                yield f"`{label}` in {place(tables, regime)}", one, two


TOGETHER = {
    "better": "together they did better",
    "some better": "together they did better in some and in none worse",
    "same": "the second adds nothing that matters",
    "open": "no difference was shown",
    "undecided": "undecided",
    "some worse": "together they did worse in some and in none better",
    "worse": "together they did worse",
    "mixed": "it depends on the setting",
    "nothing": "nothing to compare",
}
FORMS = ("l1_proximal", "l1")
CRITERIA = {"accuracy": "validation_accuracy", "loss": "validation_loss"}


def dropout_with_l2(tables: Tables) -> Answer:
    """Dropout and L2 together, against the best of all strengths of either alone that the same training was given."""
    groups = {name: Both() for name in CRITERIA}
    rows: list[Row] = []
    labels: set[str] = set()
    for regime, both, pool in _combined(tables):
        where = place(tables, regime)
        own = cell(tables, regime, regularization=both)
        labels.add(both)
        alone = [one for one in pool["regularization"].unique() if method_of(one) in ("dropout", "l2")]
        for name, column in CRITERIA.items():
            best = selected(pool, alone, column)
            if best:
                found = groups[name].add(f"against `{best}` in {where}", own, _first(pool, best))
                rows.append({"regime": where, "together": f"`{both}`", "best alone by": f"validation {name}",
                             "alone": f"`{best}`", "of": len(alone), **found})  # fmt: skip
    tried = {name: both for name, both in groups.items() if both.any}
    return Answer(
        "Dropout together with L2?",
        _both_short(tried, rows, labels),
        " ".join(f"Against the better alone by validation {name}. {both.tallies}" for name, both in tried.items()),
        "Without a clip. Of: the strengths of dropout and of L2 alone among which the best was taken, also those of"
        " regimes that are the same training; the pair was not tuned. Difference: together less alone.",
        ("heatmap", "ranking"),
        rows,
    )  # fmt: skip


def _both_short(tried: dict[str, Both], rows: list[Row], labels: set[str]) -> str:
    if not tried:
        return ""
    regimes = {str(row["regime"]) for row in rows}
    scope = f"In {count(len(regimes), 'regime')} and with {count(len(labels), 'pair')} of strengths"
    accuracy, loss = (tried[name].conclusions[at] if name in tried else "nothing" for at, name in enumerate(CRITERIA))
    if accuracy == loss:
        return f"{scope}, against the better one alone: {TOGETHER[accuracy]}."
    return (
        f"{scope}, against the better one alone: by test accuracy {TOGETHER[accuracy]}, by test loss {TOGETHER[loss]}."
    )


def _combined(tables: Tables) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Each regime with a combination of dropout and L2, and the runs without a clip of the same training."""
    runs = tables["runs"]
    free = runs[runs["clip"] == "none"]
    for regime, part in free.groupby("regime", sort=False):
        for label in part["regularization"].unique():
            if re.match(r"^dropout\([^+]*\) \+ l2\([^+]*\)$|^l2\([^+]*\) \+ dropout\([^+]*\)$", str(label)):
                yield str(regime), str(label), free[free["regime"].isin(twins(tables, str(regime)))]


def twins(tables: Tables, regime: str) -> list[str]:
    """The regimes that are the same training: without clip and regularizer the same numbers in every seed."""
    own = _numbers(cell(tables, regime))
    found = [str(other) for other in tables["runs"]["regime"].unique() if other != regime]
    return [regime, *(other for other in found if not own.empty and own.equals(_numbers(cell(tables, other))))]


def _numbers(runs: pd.DataFrame) -> pd.DataFrame:
    return runs.set_index("seed")[["test_accuracy", "test_loss"]].astype(float).sort_index()
