"""Zeros by L1, and dropout together with L2."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd

from study.answers.base import Answer, Difference, Row, cell, sides
from study.figures.style import Tables
from study.findings import percent

ZEROS = 0.01  # a share of exact zeros below which there are none to speak of


def l1_zeros(tables: Tables) -> Answer:
    """Zeros, small weights and test accuracy of L1 by subgradient and by proximal steps."""
    runs = tables["runs"]
    l1 = runs[(runs["clip"] == "none") & runs["regularization"].str.match(r"^l1(_proximal)?\([^+]*$")]
    columns = ["weight_zero", "weight_small", "test_accuracy"]
    means = l1.groupby(["regime", "regularization"], sort=False)[columns].mean().reset_index()
    rows: list[Row] = [
        {
            "regime": row["regime"],
            "penalty": f"`{row['regularization']}`",
            "exactly zero": percent(row["weight_zero"]),
            "below .001": percent(row["weight_small"]),
            "test accuracy": percent(row["test_accuracy"]),
        }
        for row in means.to_dict("records")
    ]
    return Answer(
        "L1 for zeros: subgradient or proximal?",
        _zero_words(tables, means),
        "Means over seeds, without a clip. The subgradient steps over zero, the proximal step stops there.",
        "weights",
        rows,
    )


def _zero_words(tables: Tables, means: pd.DataFrame) -> str:
    if means.empty:
        return ""
    proximal = means["regularization"].str.startswith("l1_proximal")
    parts, shares = [], {}
    for name, part in (("the subgradient", means[~proximal]), ("proximal steps", means[proximal])):
        if not part.empty:
            most = part.iloc[int(part["weight_zero"].argmax())]
            shares[name] = float(most["weight_zero"])
            parts.append(f"{name} at most {percent(most['weight_zero'])} (`{most['regularization']}`)")
    able = [name for name, share in shares.items() if share >= ZEROS]
    start = {0: "Neither made zeros here.", 2: "Both make exact zeros."}.get(len(able), "")
    if len(shares) == 1:
        start = "Only one of them was tried."
    elif len(able) == 1:
        start = f"{able[0].capitalize()} {'does' if able[0].startswith('the') else 'do'}, the other does not."
    cost = "; ".join(sides(list(_proximal_less(tables, means))))
    costs = f" Test accuracy of proximal steps against the subgradient at equal strength: {cost}." if cost else ""
    return f"{start} Of the weights, exactly zero: {', '.join(parts)}.{costs}"


def _proximal_less(tables: Tables, means: pd.DataFrame) -> Iterator[tuple[str, Difference]]:
    for regime, part in means.groupby("regime", sort=False):
        labels = set(part["regularization"])
        for label in sorted(labels):
            other = label.replace("l1_proximal", "l1")
            if other != label and other in labels:
                one, two = (cell(tables, regime, regularization=which) for which in (label, other))
                yield f"`{label}` in {regime}", Difference.between(one, two)


def dropout_with_l2(tables: Tables) -> Answer:
    """Dropout and L2, alone and together."""
    runs = tables["runs"]
    rows: list[Row] = []
    found: list[tuple[str, Difference]] = []
    for regime, part in runs[runs["clip"] == "none"].groupby("regime", sort=False):
        own = dict(list(part.groupby("regularization", sort=False)))
        for both in [label for label in own if re.match(r"^dropout\(.*\) \+ l2\(", str(label))]:
            alone = [label for label in str(both).split(" + ") if label in own]
            for one in ("none", *alone, str(both)):
                if one in own:
                    rows.append({"regime": regime, "regularization": f"`{one}`", **_means(own[one])})
            if alone:
                better = max(alone, key=lambda label: own[label]["test_accuracy"].mean())
                found.append((f"against `{better}` in {regime}", Difference.between(own[both], own[better])))
    return Answer("Dropout together with L2?", _both_words(found), "Means over seeds, without a clip.", "heatmap", rows)


def _both_words(found: list[tuple[str, Difference]]) -> str:
    if not found:
        return ""
    verdicts = {one.verdict for _, one in found}
    start = {
        frozenset({"higher"}): "Yes: together they did better than the better one alone.",
        frozenset({"lower"}): "No: together they did worse than the better one alone.",
        frozenset({"same"}): "L2 or dropout, the second adds nothing that matters.",
    }.get(frozenset(verdicts), "Not clearly.")
    return f"{start} Test accuracy of both, against the better one alone: {'; '.join(sides(found))}."


def _means(part: pd.DataFrame) -> Row:
    row = part[["test_accuracy", "gap_accuracy"]].mean()
    return {"test accuracy": percent(row["test_accuracy"]), "train − test accuracy": percent(row["gap_accuracy"])}
